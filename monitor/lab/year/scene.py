"""One story while it is told: a cursor in time, and the verbs by which tools and people speak.

Each verb writes the body that a tool would send and gives the identities of the events that our decoders read in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Event, Instant
from monitor.decode.registry import decode
from monitor.lab.year.bodies import Body, shipping, watching
from monitor.lab.year.faults import FAULTS, Alarm, labels_of, measured
from monitor.lab.year.organisation import Part
from monitor.lab.year.spelling import Person
from monitor.lab.year.world import Ids, World


class Paging(msgspec.Struct):
    """An incident of the paging tool that is open, and who took it."""

    data: dict[str, Any]
    alarm: Alarm
    taken_by: Person | None = None


class Scene:
    def __init__(self, world: World, story: str, part: Part, at: Instant, random: Random) -> None:
        self.world = world
        self.organisation = world.organisation
        self.habits = world.organisation.habits
        self.company = self.habits.company
        self.story = story
        self.part = part
        self.began = at
        self.at = at
        self.random = random
        self.events: list[Event] = []
        self.alarms: list[Alarm] = []

    # -- time and people ---------------------------------------------------------------------------------------

    def later(self, least: float, most: float) -> Instant:
        """Go on by some minutes; gives the time that it is then."""
        self.at = Instant(self.at + int(self.random.uniform(least, most) * 60) * SECOND)
        return self.at

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def somebody(self, part: Part | None = None) -> Person:
        """Who happens to act: mostly of the team, with no regard to who was paged."""
        team = self.organisation.by_team.get((part or self.part).team, ())
        return self.random.choice(team if team and self.chance(0.75) else self.organisation.people)

    def on_call(self, part: Part | None = None) -> Person:
        team = self.organisation.by_team[(part or self.part).team]
        return team[self.at // (7 * DAY) % len(team)]

    def neighbour(self) -> Part:
        """Something that the service leans on or that leans on it; itself where it stands alone."""
        near = sorted(self.organisation.catalogue.neighbours(self.part.name) - {self.part.name})
        return self.organisation.parts[self.random.choice(near)] if near else self.part

    # -- sending -----------------------------------------------------------------------------------------------

    def send(self, body: Body) -> Ids:
        """What our decoders read in the body, as of now."""
        outcome = decode(body.source, body.bytes, body.headers, self.at)
        self.world.refused.extend((body, refusal) for refusal in outcome.refusals)
        self.events.extend(outcome.events)
        return tuple(event.event_id for event in outcome.events)

    def _id(self, prefix: str) -> str:
        return f"{prefix}-{self.world.number():x}"

    # -- alerts and paging -------------------------------------------------------------------------------------

    def alert(self, fault_name: str, part: Part | None = None, environment: str | None = None) -> tuple[Alarm, Ids]:
        part, fault = part or self.part, FAULTS[fault_name]
        value = measured(fault, self.random)
        shown = f"{value:g}"
        labels = labels_of(part, fault, self.habits, environment or self.habits.environment, self.random.randrange(6))
        title = fault.says.format(value=shown, name=part.names["alertmanager"])
        annotations = {"summary": title, "value": shown}
        expression = (
            f"{part.namespace}_{fault.name.lower()}%20{'%3E' if fault.sign == '>' else '%3C'}%20{fault.limit:g}"
        )
        alarm = Alarm(part, fault, labels, annotations, expression, watching.fingerprint(labels), self.at, title)
        self.alarms.append(alarm)
        return alarm, self.send(watching.alertmanager(self.company, labels, annotations, expression, self.at))

    def end(self, alarm: Alarm, paging: Paging | None = None) -> Ids:
        """The alert recovers; a share of recoveries is told by nobody."""
        alarm.ended = True
        self.world.recoveries += 1
        if self.random.random() < self.world.unsaid:
            self.world.recoveries_unsaid += 1
            return ()
        ids = self.send(
            watching.alertmanager(self.company, alarm.labels, alarm.annotations, alarm.expression, alarm.began, self.at)
        )
        if paging is not None:
            self.later(0.2, 1)
            paging.data["status"] = "resolved"
            person = paging.taken_by if paging.taken_by is not None and self.chance(0.4) else None
            self._paging(paging, "incident.resolved", person)
        return ids

    def page(self, alarm: Alarm) -> tuple[Paging, Ids]:
        urgency = "high" if alarm.fault.grade == "grave" or self.chance(0.4) else "low"
        data = watching.incident(
            self.company,
            self.world.number(),
            alarm.key,
            alarm.title,
            alarm.part.names["pagerduty"],
            "triggered",
            urgency,
            self.at,
        )
        paging = Paging(data, alarm)
        return paging, self._paging(paging, "incident.triggered", None)

    def take(self, paging: Paging, who: Person | None = None) -> Ids:
        paging.taken_by = who or self.on_call(paging.alarm.part)
        paging.data["status"] = "acknowledged"
        return self._paging(paging, "incident.acknowledged", paging.taken_by)

    def escalate(self, paging: Paging) -> Ids:
        return self._paging(paging, "incident.escalated", None)

    def call_in(self, paging: Paging, who: Person) -> Ids:
        """Somebody is asked to come, and comes."""
        asked = watching.responder(self.company, paging.data, who, "pending")
        ids = self.send(
            watching.pagerduty(
                self.company, self._id("01E"), "incident.responder.added", self.at, asked, paging.taken_by
            )
        )
        self.later(2, 12)
        came = watching.responder(self.company, paging.data, who, "accepted")
        return ids + self.send(
            watching.pagerduty(self.company, self._id("01E"), "incident.responder.replied", self.at, came, who)
        )

    def note_on(self, paging: Paging, who: Person, text: str) -> Ids:
        data = watching.note(paging.data, self._id("N"), text)
        return self.send(watching.pagerduty(self.company, self._id("01E"), "incident.annotated", self.at, data, who))

    def tell_stakeholders(self, paging: Paging, text: str) -> Ids:
        data = watching.status_update(paging.data, self._id("S"), text)
        kind = "incident.status_update_published"
        return self.send(watching.pagerduty(self.company, self._id("01E"), kind, self.at, data, paging.taken_by))

    def edit_paging(self, who: Person) -> Ids:
        data = watching.setting(self.company, self.part.names["pagerduty"])
        return self.send(watching.pagerduty(self.company, self._id("01E"), "service.updated", self.at, data, who))

    def _paging(self, paging: Paging, event_type: str, who: Person | None) -> Ids:
        return self.send(watching.pagerduty(self.company, self._id("01E"), event_type, self.at, dict(paging.data), who))

    # -- shipping ----------------------------------------------------------------------------------------------

    def merge(self, title: str, who: Person, *, undoes: str | None = None, part: Part | None = None) -> Ids:
        part = part or self.part
        number = self.world.number()
        branch = f"revert-{number - 3}-{who.login}/change" if undoes else f"{who.login}/change-{number}"
        text = f"This reverts commit {undoes}." if undoes else "Please see the ticket."
        body = shipping.merged(
            self.company,
            part.names["github"],
            number,
            f'Revert "{title}"' if undoes else title,
            self.world.new_version(),
            self.at,
            who,
            self.somebody(part),
            branch,
            text,
        )
        return self.send(body)

    def deploy(
        self, who: Person, part: Part | None = None, *, version: str | None = None, environment: str | None = None
    ) -> Ids:
        """A version goes out: the tool's word for it, and what the cluster says of the new pods."""
        part = part or self.part
        environment = environment or self.habits.environment
        running = self.world.running(part)
        sha = version or self.world.new_version()
        if environment == self.habits.environment:
            running.append(sha)
            del running[:-4]
        self._ship(who, part, sha, environment, "in_progress")
        self.later(1, 4)
        ids = self._ship(who, part, sha, environment, "success")
        if environment == self.habits.environment:
            self._rolls(part)
        return ids

    def fail_to_deploy(self, who: Person, environment: str) -> Ids:
        sha = self.world.new_version()
        self._ship(who, self.part, sha, environment, "in_progress")
        self.later(2, 8)
        return self._ship(who, self.part, sha, environment, "failure")

    def put_back(self, who: Person, part: Part | None = None) -> Ids:
        """The version that ran before the present one goes out again."""
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

    def _ship(self, who: Person, part: Part, sha: str, environment: str, state: str) -> Ids:
        if self.habits.shipping == "cdevents":
            return self._ship_cdevents(part, sha, environment, state)
        pressed = shipping.account(who.login)
        is_bot = self.habits.shipping == "github-bot"
        body = shipping.deployment_status(
            self.company,
            part.names["github"],
            self.world.number(),
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

    def stop_pipeline(self, who: Person, why: str, part: Part | None = None) -> Ids:
        """A roll-out is stopped on its way."""
        part = part or self.part
        if self.habits.shipping == "cdevents":
            name = part.names["pipeline"]
            content = {"pipelineName": name, "outcome": "cancel", "errors": why}
            return self.send(
                shipping.cdevent(self.company, "pipelinerun.finished", self._id("cd"), self.at, name, content)
            )
        return self.console("change.held", why, who, part, subject=f"release/{part.names['console']}")

    def _rolls(self, part: Part) -> None:
        """The cluster replaces the pods: nobody's act but the deployment's."""
        workload = part.names["kubernetes"]
        pods = f"{self.random.getrandbits(36):010x}".translate(_LETTERS)
        for way, count in (("up", part.replicas), ("down", 0)):
            message = f"Scaled {way} replica set {workload}-{pods[:9]} to {count}"
            self.cluster(part, "Deployment", workload, "ScalingReplicaSet", message, component="deployment-controller")

    # -- the cluster, the console, flags -----------------------------------------------------------------------

    def cluster(
        self, part: Part, kind: str, name: str, reason: str, message: str, *, component: str = "kubelet", count: int = 1
    ) -> Ids:
        warning = reason in ("BackOff", "Unhealthy", "FailedScheduling", "NodeNotReady", "FailedMount", "OOMKilling")
        uid = f"{self.random.getrandbits(96):024x}"
        return self.send(
            shipping.kubernetes(
                uid,
                part.namespace,
                kind,
                name,
                reason,
                message,
                self.at,
                warning=warning,
                component=component,
                count=count,
            )
        )

    def pod_of(self, part: Part) -> str:
        made = f"{self.random.getrandbits(56):014x}".translate(_LETTERS)
        return f"{part.names['kubernetes']}-{made[:9]}-{made[9:14]}"

    def console(self, kind: str, title: str, who: Person | None, part: Part | None = None, **fields: Any) -> Ids:
        """Somebody works through the organisation's own console, which tells who it was where it knows."""
        part = part or self.part
        actor = {"id": who.email, "kind": "human"} if who is not None and self.habits.console_tells_who else None
        said = {"service": part.names["console"], "environment": self.habits.environment, "title": title}
        if who is None:
            actor = {"id": "night-shift", "kind": "automation"}
        source = f"console/{self.company}"
        return self.send(shipping.own(source, self._id("c"), kind, self.at, **{**said, "actor": actor, **fields}))

    def by_hand(self, title: str, who: Person, part: Part | None = None) -> Ids:
        """A script that somebody starts posts what it did to the paging tool's list of changes."""
        part = part or self.part
        link = f"https://runner.{self.company}.example/jobs/{self.world.number()}"
        name, told = part.names["pagerduty"], who.email if self.chance(0.6) else None
        return self.send(watching.change_notice(self.company, self.at, title, name, told, link))

    def restart(self, who: Person, part: Part | None = None) -> Ids:
        """Through the console, by a script, or in the cluster, which does not tell who it was."""
        part = part or self.part
        way = self.random.random()
        if way < 0.6:
            return self.console("change.restarted", f"restart {part.name}", who, part)
        if way < 0.75:
            return self.by_hand(f"restarted {part.name}", who, part)
        ids: Ids = ()
        for _ in range(part.replicas):
            pod = self.pod_of(part)
            ids += self.cluster(part, "Pod", pod, "Killing", "Stopping container main")
            self.later(0.2, 0.8)
        return ids

    def flag(self, who: Person | None, name: str, value: str, part: Part | None = None) -> Ids:
        part = part or self.part
        actor = {"id": who.email, "kind": "human"} if who is not None else {"id": "ramp", "kind": "automation"}
        return self.send(
            shipping.own(
                f"flags/{self.company}",
                self._id("f"),
                "change.flag_set",
                self.at,
                service=part.names["console"],
                environment=self.habits.environment,
                subject=name,
                title=f"{name} is {value}",
                actor=actor,
                labels={"flag": name, "value": value},
            )
        )

    # -- people write ------------------------------------------------------------------------------------------

    def note(self, who: Person, text: str, part: Part | None = None) -> Ids:
        part = part or self.part
        if self.chance(0.35):
            number = self.world.number()
            return self.send(
                shipping.comment(self.company, part.names["github"], number, text[:60], text, self.at, who)
            )
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

    def record(self, who: Person, title: str, impact: str | None, part: Part | None = None) -> tuple[str, Ids]:
        part = part or self.part
        key = f"INC-{self.world.number()}"
        return key, self._record("incident.opened", key, who, title, part, impact)

    def close(self, key: str, who: Person, title: str, part: Part | None = None) -> Ids:
        return self._record("incident.closed", key, who, title, part or self.part, None)

    def _record(self, kind: str, key: str, who: Person, title: str, part: Part, impact: str | None) -> Ids:
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
        number = self.world.number()
        return self.send(
            watching.statuspage(self.company, number, what, status, "maintenance", self.began, self.at, names, text)
        )

    def hours(self, count: float) -> Instant:
        self.at = Instant(self.at + int(count * HOUR) // SECOND * SECOND)
        return self.at


_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")


def _artifact(part: Part, sha: str) -> str:
    return f"pkg:oci/{part.names['pipeline']}@sha256:{sha}"


def minutes(count: float) -> int:
    return int(count * MINUTE)
