"""Basics of every verb: a cursor in time, people, and sending a payload."""

from __future__ import annotations

from random import Random

from monitor.core.model.events import DAY, HOUR, SECOND, Event, Instant
from monitor.decode.registry import decode
from monitor.lab.year.alert_rules import Alarm
from monitor.lab.year.bodies import SentBody, shipping
from monitor.lab.year.organisation import Part
from monitor.lab.year.spelling import SpeltPerson
from monitor.lab.year.world import Ids, World


class Telling:
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
        self.posting = 0
        """The number of the story's own post about maintenance, once there is one."""

    # -- time and people ---------------------------------------------------------------------------------------

    def later(self, least: float, most: float) -> Instant:
        """Advance the cursor by some minutes."""
        self.at = Instant(self.at + int(self.random.uniform(least, most) * 60) * SECOND)
        return self.at

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def somebody(self, part: Part | None = None) -> SpeltPerson:
        """Who acts: mostly from the team, independent of who was paged."""
        team = self.organisation.by_team.get((part or self.part).team, ())
        return self.random.choice(team if team and self.chance(0.75) else self.organisation.people)

    def on_call(self, part: Part | None = None) -> SpeltPerson:
        team = self.organisation.by_team[(part or self.part).team]
        return team[self.at // (7 * DAY) % len(team)]

    def neighbour(self) -> Part:
        """A dependency or dependant; the service itself if it has none."""
        near = sorted(self.organisation.catalogue.neighbours(self.part.name) - {self.part.name})
        return self.organisation.parts[self.random.choice(near)] if near else self.part

    def hours(self, count: float) -> Instant:
        self.at = Instant(self.at + int(count * HOUR) // SECOND * SECOND)
        return self.at

    # -- sending -----------------------------------------------------------------------------------------------

    def send(self, body: SentBody) -> Ids:
        """The events that our decoders read from the payload, received now."""
        outcome = decode(body.source, body.bytes, body.headers, self.at)
        self.world.refused.extend((body, refusal) for refusal in outcome.refusals)
        self.events.extend(outcome.events)
        return tuple(event.event_id for event in outcome.events)

    def _id(self, prefix: str) -> str:
        return f"{prefix}-{self.world.number():x}"

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
        made = f"{self.random.getrandbits(56):014x}".translate(LETTERS)
        return f"{part.names['kubernetes']}-{made[:9]}-{made[9:14]}"


LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")
"""Kubernetes suffixes have no vowels."""
