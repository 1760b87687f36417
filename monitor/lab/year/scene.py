"""One story: a cursor in time, and the verbs of people and automation.

Each verb sends a tool's payload and returns the ids of the events that our decoders read from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from monitor.lab.year.alerts import Alerts
from monitor.lab.year.bodies import acting, shipping, stamp, watching
from monitor.lab.year.organisation import Part
from monitor.lab.year.releases import Releases
from monitor.lab.year.spelling import SpeltPerson
from monitor.lab.year.world import Ids


class StoryScene(Alerts, Releases):
    """All verbs, on one service by default."""

    def console(self, kind: str, title: str, who: SpeltPerson | None, part: Part | None = None, **fields: Any) -> Ids:
        """An operation through the organisation's console, which may report the actor."""
        part = part or self.part
        actor = {"id": who.email, "kind": "human"} if who is not None and self.habits.console_tells_who else None
        said = {"service": part.names["console"], "environment": self.habits.environment, "title": title}
        if who is None:
            actor = {"id": "night-shift", "kind": "automation"}
        source = f"console/{self.company}"
        return self.send(shipping.own(source, self._id("c"), kind, self.at, **{**said, "actor": actor, **fields}))

    def by_hand(self, title: str, who: SpeltPerson, part: Part | None = None) -> Ids:
        """A script posts a change event to the paging tool."""
        part = part or self.part
        link = f"https://runner.{self.company}.example/jobs/{self.world.number()}"
        name, told = part.names["pagerduty"], who.email if self.chance(0.6) else None
        return self.send(watching.change_notice(self.company, self.at, title, name, told, link))

    def stop_pipeline(self, who: SpeltPerson, why: str, part: Part | None = None) -> Ids:
        """A rollout is held."""
        part = part or self.part
        if self.habits.shipping == "cdevents":
            name = part.names["pipeline"]
            content = {"pipelineName": name, "outcome": "cancel", "errors": why}
            return self.send(
                shipping.cdevent(self.company, "pipelinerun.finished", self._id("cd"), self.at, name, content)
            )
        return self.console("change.held", why, who, part, subject=f"release/{part.names['console']}")

    def restart(self, who: SpeltPerson, part: Part | None = None) -> Ids:
        """By console, script or kubectl; only the audit log names the user of kubectl."""
        part = part or self.part
        way = self.random.random()
        if way < 0.5:
            return self.console("change.restarted", f"restart {part.name}", who, part)
        if way < 0.65:
            return self.by_hand(f"restarted {part.name}", who, part)
        ids: Ids = ()
        if self.habits.cluster_tells_who:
            annotations = {"kubectl.kubernetes.io/restartedAt": stamp(self.at)}
            ids = self._patched(who, part, spec={"template": {"metadata": {"annotations": annotations}}})
        for _ in range(part.replicas):
            ids += self.cluster(part, "Pod", self.pod_of(part), "Killing", "Stopping container main")
            self.later(0.2, 0.8)
        return ids

    def scale(self, who: SpeltPerson, replicas: int, part: Part | None = None) -> Ids:
        part = part or self.part
        if self.habits.cluster_tells_who and self.chance(0.6):
            return self._patched(who, part, "scale", spec={"replicas": replicas})
        title = f"scale {part.name} from {part.replicas} to {replicas}"
        return self.console("change.scaled", title, who, part, value=float(replicas), unit="replicas")

    def _patched(self, who: SpeltPerson, part: Part, sub: str = "", **asked: dict[str, Any]) -> Ids:
        name = part.names["kubernetes"]
        return self.send(acting.audit(self._id("audit"), part.namespace, name, self.at, who.email, sub=sub, **asked))

    def flag(self, who: SpeltPerson | None, name: str, value: str, part: Part | None = None) -> Ids:
        """`value` is true or false. Flag tools name the flag and no service."""
        part = part or self.part
        environment, on = self.habits.environment, value == "true"
        if self.habits.switching == "launchdarkly":
            identity = f"{self.random.getrandbits(96):024x}"
            return self.send(acting.launchdarkly(identity, part.namespace, environment, name, on, self.at, who))
        if self.habits.switching == "unleash":
            number = self.world.number()
            return self.send(acting.unleash(number, part.namespace, environment, name, on, self.at, who))
        return self.send(
            shipping.own(
                f"flags/{self.company}",
                self._id("f"),
                "change.flag_set",
                self.at,
                service=part.names["console"],
                environment=environment,
                subject=name,
                title=f"{name} is {value}",
                actor={"id": who.email, "kind": "human"} if who is not None else {"id": "ramp", "kind": "automation"},
                labels={"flag": name, "value": value},
            )
        )

    # -- people write ------------------------------------------------------------------------------------------

    def note(self, who: SpeltPerson, text: str, part: Part | None = None) -> Ids:
        """A comment or a chat message; most chat messages name the service."""
        part = part or self.part
        if self.chance(0.35):
            number = self.world.number()
            return self.send(
                shipping.comment(self.company, part.names["github"], number, text[:60], text, self.at, who)
            )
        if self.habits.chatting == "slack":
            said = f"{text} service={part.names['notes']}" if self.chance(0.8) else text
            return self.send(acting.slack(self._id("Ev"), f"C{part.team.upper()}", said, self.at, who))
        return self.send(
            shipping.own(
                f"chat/{self.company}",
                self._id("n"),
                "note.added",
                self.at,
                service=part.names["notes"],
                title=text,
                actor={"id": who.chat, "kind": "human"},
            )
        )

    def record(self, who: SpeltPerson, title: str, impact: str | None, part: Part | None = None) -> tuple[str, Ids]:
        part = part or self.part
        key = f"INC-{self.world.number()}"
        return key, self._record("incident.opened", key, who, title, part, impact)

    def close(self, key: str, who: SpeltPerson, title: str, part: Part | None = None) -> Ids:
        return self._record("incident.closed", key, who, title, part or self.part, None)

    def _record(self, kind: str, key: str, who: SpeltPerson, title: str, part: Part, impact: str | None) -> Ids:
        return self.send(
            shipping.own(
                f"desk/{self.company}",
                f"{key}/{kind}",
                kind,
                self.at,
                service=part.names["console"],
                subject=key,
                title=title,
                actor={"id": who.email, "kind": "human"},
                labels=None if impact is None else {"impact": impact},
            )
        )

    def maintenance(self, what: str, parts: Iterable[Part], *, over: bool = False) -> Ids:
        names = [part.names["statuspage"] for part in parts]
        status = "completed" if over else "in_progress"
        text = "The work is done." if over else "We work on it as announced."
        self.posting = self.posting or self.world.number()
        return self.send(
            watching.statuspage(
                self.company, self.posting, what, status, "maintenance", self.began, self.at, names, text
            )
        )
