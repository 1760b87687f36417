"""Verbs of releases: merge, deploy through the organisation's tool, redeploy the previous version."""

from __future__ import annotations

from typing import Any

from monitor.core.model.events import Instant
from monitor.lab.year.bodies import acting, shipping
from monitor.lab.year.organisation import Part
from monitor.lab.year.spelling import SpeltPerson
from monitor.lab.year.telling import LETTERS, Telling
from monitor.lab.year.world import Ids


class Releases(Telling):
    def merge(
        self, title: str, who: SpeltPerson, sha: str, *, undoes: str | None = None, part: Part | None = None
    ) -> Ids:
        """A pull request is merged as `sha`; `undoes` names the commit that it reverts."""
        part = part or self.part
        number = self.world.number()
        branch = f"revert-{number - 3}-{who.login}/change" if undoes else f"{who.login}/change-{number}"
        text = f"This reverts commit {undoes}." if undoes else "Please see the ticket."
        body = shipping.merged(
            self.company,
            part.names["github"],
            number,
            f'Revert "{title}"' if undoes else title,
            sha,
            self.at,
            who,
            self.somebody(part),
            branch,
            text,
        )
        return self.send(body)

    def deploy(
        self, who: SpeltPerson, part: Part | None = None, *, version: str | None = None, environment: str | None = None
    ) -> Ids:
        """A deploy: the deploy tool's events, then the cluster's."""
        part = part or self.part
        environment = environment or self.habits.environment
        running = self.world.running(part)
        sha = version or self.world.new_version()
        if environment == self.habits.environment:
            running.append(sha)
            del running[:-4]
        began, number = self.at, self.world.number()
        self._ship(who, part, sha, environment, "in_progress", began, number)
        self.later(1, 4)
        ids = self._ship(who, part, sha, environment, "success", began, number)
        if environment == self.habits.environment:
            self._rolls(part)
        return ids

    def fail_to_deploy(self, who: SpeltPerson, environment: str) -> Ids:
        sha = self.world.new_version()
        began, number = self.at, self.world.number()
        self._ship(who, self.part, sha, environment, "in_progress", began, number)
        self.later(2, 8)
        return self._ship(who, self.part, sha, environment, "failure", began, number)

    def put_back(self, who: SpeltPerson, part: Part | None = None) -> Ids:
        """Deploy the previous version again."""
        part = part or self.part
        before = self.world.running(part)[-2]
        if self.habits.shipping == "cdevents" and self.chance(0.6):
            content = {"environment": {"id": self.habits.environment}, "artifactId": _artifact(part, before)}
            self.world.running(part).append(before)
            ids = self.send(
                shipping.cdevent(
                    self.company, "service.rolledback", self._id("cd"), self.at, part.names["pipeline"], content
                )
            )
            self._rolls(part)
            return ids
        return self.deploy(who, part, version=before)

    def _ship(
        self, who: SpeltPerson, part: Part, sha: str, environment: str, state: str, began: Instant, number: int
    ) -> Ids:
        if self.habits.shipping == "cdevents":
            return self._ship_cdevents(part, sha, environment, state)
        if self.habits.shipping == "argo":
            return self._ship_argo(who, part, sha, environment, state, began)
        pressed = shipping.account(who.login)
        is_bot = self.habits.shipping == "github-bot"
        body = shipping.deployment_status(
            self.company,
            part.names["github"],
            number,
            state,
            environment,
            sha,
            self.at,
            shipping.account("github-actions[bot]", "Bot") if is_bot else pressed,
            pressed if is_bot else None,
            None,
        )
        return self.send(body)

    def _ship_cdevents(self, part: Part, sha: str, environment: str, state: str) -> Ids:
        name = part.names["pipeline"]
        if state == "success":
            content: dict[str, Any] = {"environment": {"id": environment}, "artifactId": _artifact(part, sha)}
            return self.send(shipping.cdevent(self.company, "service.deployed", self._id("cd"), self.at, name, content))
        content = {"pipelineName": name, "url": f"https://ci.{self.company}.example/{name}"}
        kind = "pipelinerun.started"
        if state == "failure":
            kind, content = "pipelinerun.finished", content | {"outcome": "failure", "errors": "step failed"}
        return self.send(shipping.cdevent(self.company, kind, self._id("cd"), self.at, f"{name}-{sha[:7]}", content))

    def _ship_argo(self, who: SpeltPerson, part: Part, sha: str, environment: str, state: str, began: Instant) -> Ids:
        """Most syncs are automated; a person starts some."""
        name = part.names["pipeline"]
        is_live = environment == self.habits.environment
        history = self.world.running(part) if is_live else [sha]
        body = acting.argo(
            name if is_live else f"{name}-{environment}",
            part.namespace,
            part.names["github"],
            environment,
            {"in_progress": "Running", "success": "Succeeded", "failure": "Failed"}[state],
            sha,
            list(history),
            began,
            self.at,
            who if self.chance(0.4) else None,
        )
        return self.send(body)

    def _rolls(self, part: Part) -> None:
        """The cluster replaces the pods of a deployment."""
        workload = part.names["kubernetes"]
        pods = f"{self.random.getrandbits(36):010x}".translate(LETTERS)
        for way, count in (("up", part.replicas), ("down", 0)):
            message = f"Scaled {way} replica set {workload}-{pods[:9]} to {count}"
            self.cluster(part, "Deployment", workload, "ScalingReplicaSet", message, component="deployment-controller")


def _artifact(part: Part, sha: str) -> str:
    return f"pkg:oci/{part.names['pipeline']}@sha256:{sha}"
