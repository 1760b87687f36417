"""What a story is told with: events get identities, sources and actors here, and the ledger of who told what.

Knows the event format and the tools by name; decides nothing about what happens.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from monitor.core.model.events import HOUR, MINUTE, Actor, Event, EventId, Instant, Kind, Severity
from monitor.lab.year.organisation import Organisation

ALERTS, PAGES, DEPLOYS = "alertmanager/main", "pagerduty/acme", "argocd/main"
CODE, FLAGS, CLUSTER = "github/acme", "flags/main", "kubernetes/main"
CHAT, TICKETS, INCIDENTS = "chat/ops", "tickets/desk", "incidents/main"
TERRAFORM, CLOUD, CERTIFICATES = "terraform/main", "cloud/main", "cert-manager/main"
STATUS, BATCH, SHELL, GUARD = "statuspage/main", "batch/main", "audit/shell", "admission/main"

BOT = Actor(id="deploy-bot", kind="automation")
SCALER = Actor(id="autoscaler", kind="automation")
KUBELET = Actor(id="kubelet", kind="automation")
ROLLOUTS = Actor(id="rollouts", kind="automation")
ORCHESTRATOR = Actor(id="orchestrator", kind="automation")
CRON = Actor(id="cron", kind="automation")
CERTBOT = Actor(id="cert-manager", kind="automation")


class Planted(msgspec.Struct, frozen=True):
    """A near miss that really was one: its pattern, and the events that a good draft cites."""

    name: str
    pattern: str
    family: str
    service: str
    at: Instant
    hazard: tuple[EventId, ...]
    intervention: tuple[EventId, ...]


class Harm(msgspec.Struct, frozen=True):
    """An incident that really hit users, and every event that was told about it."""

    name: str
    service: str
    at: Instant
    events: tuple[EventId, ...]
    known_late: bool


class World:
    """What lasts from story to story: the organisation, running numbers, and the version that runs where."""

    def __init__(self, organisation: Organisation, seed: int) -> None:
        self.organisation = organisation
        self.random = Random(f"world {seed}")  # noqa: S311 - repeatable, not secret
        self.stories: list[str] = []
        self.planted: list[Planted] = []
        self.harms: list[Harm] = []
        self.outages: dict[str, list[tuple[int, int]]] = {}
        self._versions: dict[str, int] = {}

    def number(self, story: str) -> int:
        """The next number of an event; the story that told it is remembered under it."""
        self.stories.append(story)
        return len(self.stories) - 1

    def story_of(self, event: EventId) -> str:
        """Which story told the event; empty for reports of feeds, which no story tells."""
        place = _number_of(event.id)
        return self.stories[place] if place is not None and place < len(self.stories) else ""

    def version(self, service: str, *, newer: bool = False) -> str:
        """What runs; with `newer` what is released next."""
        known = self._versions.setdefault(service, self.random.randrange(20, 400))
        if newer:
            self._versions[service] = known = known + 1
        return f"v{known}"


def identity(number: int) -> str:
    """An id that tells nothing; different numbers never give the same."""
    return f"{number * 2_654_435_761 % 2**40:010x}"


_INVERSE = pow(2_654_435_761, -1, 2**40)


def _number_of(identity_text: str) -> int | None:
    try:
        return int(identity_text, 16) * _INVERSE % 2**40
    except ValueError:
        return None


class Scene:
    """One story at one place: tells events at moments counted from its start (microseconds)."""

    def __init__(self, world: World, story: str, service: str, at: Instant, random: Random) -> None:
        self.world = world
        self.story = story
        self.service = service
        self.at = at
        self.random = random
        self.events: list[Event] = []

    # -- who and where -----------------------------------------------------------------------------------------

    def person(self, *, on_call: bool | None = True) -> Actor:
        """Somebody of the team that owns the service."""
        return Actor(id=f"engineer-{self.random.randrange(240)}", kind="human", on_call=on_call)

    def who_acts(self, alert: Event, taker: Actor, after: int) -> Actor:
        """Mostly whoever took the page; sometimes a colleague of theirs, who joined before."""
        if self.random.random() < 0.75:
            return taker
        colleague = self.person(on_call=self.random.choice((True, None)))
        self.tell(after, "responder.joined", PAGES, subject=alert.subject, actor=colleague)
        return colleague

    def minutes(self, low: float, high: float) -> int:
        return int(self.random.uniform(low, high) * MINUTE)

    def hours(self, low: float, high: float) -> int:
        return int(self.random.uniform(low, high) * HOUR)

    def neighbour(self) -> str:
        """A service one hop away, or the service itself where it stands alone."""
        near = sorted(self.world.organisation.catalogue.neighbours(self.service) - {self.service})
        return self.random.choice(near) if near else self.service

    def below(self) -> str:
        """Something that the service leans on, or itself."""
        known = self.world.organisation.catalogue.services[self.service].depends_on
        return self.random.choice(known) if known else self.service

    # -- telling -----------------------------------------------------------------------------------------------

    def tell(self, after: int, kind: Kind, source: str, **fields: Any) -> Event:
        """One event. Fields are those of an event; environment and service are filled in."""
        service = fields.pop("service", self.service)
        labels = dict(fields.pop("labels", {}))
        owner = self.world.organisation.catalogue.services.get(service)
        if owner is not None and owner.owner is not None:
            labels.setdefault("team", owner.owner)
        fields.setdefault("environment", "production")
        if source == CODE:
            source = f"{CODE}/{service}"
        number = self.world.number(self.story)
        event = Event(
            id=identity(number),
            source=source,
            time=Instant(self.at + after),
            kind=kind,
            service=service,
            labels=labels,
            **fields,
        )
        self.events.append(event)
        return event

    def fires(self, after: int, name: str, severity: Severity, **fields: Any) -> Event:
        """An alert. Most have a runbook; the subject is the fingerprint that all of its life shares."""
        service = fields.get("service", self.service)
        fields.setdefault("subject", f"{name}/{service}")
        fields.setdefault("title", f"{name} on {service}")
        labels = {"alertname": name, "runbook_url": f"https://runbooks.example/{name}", **fields.pop("labels", {})}
        if not labels["runbook_url"]:
            del labels["runbook_url"]
        source = fields.pop("source", ALERTS)
        return self.tell(after, "alert.fired", source, severity=severity, labels=labels, **fields)

    def clears(self, after: int, alert: Event, **fields: Any) -> Event:
        return self._about(after, "alert.resolved", alert, alert.source, **fields)

    def acks(self, after: int, alert: Event, person: Actor) -> Event:
        """A person takes it. The page carries the fingerprint of the alert."""
        return self._about(after, "alert.acknowledged", alert, PAGES, actor=person)

    def about_alert(self, after: int, kind: Kind, alert: Event, **fields: Any) -> Event:
        return self._about(after, kind, alert, PAGES, **fields)

    def _about(self, after: int, kind: Kind, alert: Event, source: str, **fields: Any) -> Event:
        fields.setdefault("severity", alert.severity)
        return self.tell(
            after,
            kind,
            source,
            service=alert.service,
            environment=alert.environment,
            subject=alert.subject,
            title=alert.title,
            labels=alert.labels,
            **fields,
        )

    def deploys(self, after: int, actor: Actor = BOT, **fields: Any) -> Event:
        """A new version goes out: merged before, begun, done."""
        service = fields.get("service", self.service)
        before = self.world.version(service)
        version = self.world.version(service, newer=True)
        return self._version(after, "change.deployed", version, actor, **{"previous": before, **fields})

    def _version(self, after: int, kind: Kind, version: str, actor: Actor, **fields: Any) -> Event:
        service = fields.get("service", self.service)
        labels = {"version": version, "previous_version": fields.pop("previous"), **fields.pop("labels", {})}
        fields.setdefault("title", f"{service} {version}")
        fields.setdefault("subject", f"{service}/deployment")
        return self.tell(after, kind, DEPLOYS, actor=actor, labels=labels, **fields)

    def takes_back(self, after: int, deployed: Event, actor: Actor, *, said: bool = True) -> Event:
        """The version before comes back: as a rollback where the tool says so, else as a deployment of the old one."""
        old, new = deployed.labels["previous_version"], deployed.labels["version"]
        kind: Kind = "change.rolled_back" if said else "change.deployed"
        return self._version(after, kind, old, actor, previous=new, service=deployed.service)

    def note(self, after: int, text: str, **fields: Any) -> Event:
        fields.setdefault("actor", self.person(on_call=None))
        source = fields.pop("source", CHAT)
        return self.tell(after, "note.added", source, title=text, **fields)

    def hit(self, face: str, start: int, end: int) -> None:
        """Users of the face fare badly from `start` to `end`: no feed says that they are well."""
        self.world.outages.setdefault(face, []).append((self.at + start, self.at + end))

    # -- what really happened ----------------------------------------------------------------------------------

    def planted(self, pattern: str, family: str, hazard: list[Event], intervention: list[Event]) -> None:
        """Remember this story as a near miss."""
        at = min(event.time for event in (*hazard, *intervention))
        self.world.planted.append(
            Planted(
                name=self.story,
                pattern=pattern,
                family=family,
                service=self.service,
                at=at,
                hazard=tuple(event.event_id for event in hazard),
                intervention=tuple(event.event_id for event in intervention),
            )
        )

    def harmed(self, *, known_late: bool = False) -> None:
        """Remember everything told so far as an incident that hit users."""
        ids = tuple(event.event_id for event in self.events)
        self.world.harms.append(Harm(self.story, self.service, self.at, ids, known_late))


Story = Callable[[Scene], None]
