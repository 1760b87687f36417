"""Makes event streams to measure with: a seeded organisation of many services and what its tools would have sent.

The same shape gives the same bytes. Knows nothing of rules; its stories are what people and tools do every day.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from random import Random

import msgspec

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Actor, Event, Instant, Kind, Severity
from monitor.decode.canonical import encode

STARTS_AT = Instant(1_767_571_200 * SECOND)
"""2026-01-05T00:00:00Z, a Monday."""

_LATEST_ARRIVAL = 50 * SECOND
"""How far behind the newest an event that is out of order may come: within the usual lateness of 60 s."""


class StreamShape(msgspec.Struct, frozen=True):
    """What a stream is like. `rate` is in events a second of event time; shares are of all events."""

    events: int
    services: int = 2000
    user_facing: int = 200
    rate: float = 2.0
    candidates: float = 0.02
    disorder: float = 0.05
    bytes_each: int = 500
    seed: int = 1


class _Planned(msgspec.Struct, frozen=True):
    """An event that will happen `after` the start of its story (microseconds)."""

    after: int
    event: Event


_Story = Callable[["_World", str], list[_Planned]]

_ROBOT = Actor(id="deploy-bot", kind="automation")
_FACING_IN_TEAM = 2
_ON_PLATFORM = 0.1
_FILLER = (
    "Observed by the collector on the node that the workload was scheduled to; the series was evaluated over the usual "
    "window and compared with its threshold. Follow the runbook and look at the dashboard before you act. "
) * 4


class _World:
    """The organisation: names, who depends on whom, and a running number for identities."""

    def __init__(self, shape: StreamShape) -> None:
        self.random = Random(shape.seed)  # noqa: S311 - repeatable, not secret
        self.names = [f"service-{number:04d}" for number in range(shape.services)]
        self._stride = max(1, shape.services // max(1, shape.user_facing))
        self.user_facing = self.names[:: self._stride]
        self._number = 0

    def catalogue(self) -> Catalogue:
        """Teams of some twenty services, a few of them user-facing, that lean on each other and on a small platform."""
        random = Random(len(self.names))  # noqa: S311 - repeatable, not secret
        facing = set(self.user_facing)
        size = _FACING_IN_TEAM * self._stride
        platform = [name for name in self.names[-max(1, len(self.names) // 200) :] if name not in facing]
        below: dict[str, set[str]] = {name: set() for name in self.names}
        for place, name in enumerate(self.names):
            above = self.names[place // size * size : place]
            if name in facing or name in platform or not above:
                continue
            for parent in random.sample(above, min(random.choice((1, 1, 2)), len(above))):
                below[parent].add(name)
            if platform and random.random() < _ON_PLATFORM:
                below[name].add(random.choice(platform))
        services = {name: Service(name, tuple(sorted(below[name])), user_facing=name in facing) for name in self.names}
        return Catalogue(services=services, production=frozenset({"production"}))

    def event(self, kind: Kind, service: str, source: str, **fields: object) -> Event:
        self._number += 1
        labels = {
            "cluster": f"cluster-{hash_of(service) % 12}",
            "region": f"region-{hash_of(service) % 4}",
            "namespace": service,
            "team": f"team-{hash_of(service) % 60}",
            **fields.pop("labels", {}),  # type: ignore[dict-item]  # labels are the only mapping among the fields
        }
        fields.setdefault("environment", "production")
        identity = f"{self._number:08x}-{self.random.getrandbits(32):08x}"
        # The stories below name the other fields of an event, each of its own type.
        return Event(identity, source, STARTS_AT, kind, service, labels=labels, **fields)  # type: ignore[arg-type]

    def person(self) -> Actor:
        return Actor(id=f"engineer-{self.random.randrange(300)}", kind="human", on_call=self.random.random() < 0.8)

    def minutes(self, low: float, high: float) -> int:
        return int(self.random.uniform(low, high) * MINUTE)


def hash_of(name: str) -> int:
    """A small number that is the same in every process, which `hash` is not."""
    return sum(place * ord(letter) for place, letter in enumerate(name, 1))


def _alert(world: _World, kind: Kind, service: str, subject: str, severity: Severity, **fields: object) -> Event:
    name = subject.partition("/")[0]
    fields["labels"] = {"alertname": name, "runbook_url": f"https://runbooks.example/{name}"}
    title = f"{name} on {service}"
    return world.event(kind, service, "alertmanager/main", subject=subject, severity=severity, title=title, **fields)


def _noise_alert(world: _World, service: str) -> list[_Planned]:
    name = world.random.choice(("HighMemory", "PodRestarted", "LatencyElevated", "QueueGrowing", "CpuThrottling"))
    severity: Severity = world.random.choice(("info", "warning", "warning"))
    subject = f"{name}/{service}-{world.random.randrange(8)}"
    environment = "production" if world.random.random() < 0.7 else "staging"
    fired = _alert(world, "alert.fired", service, subject, severity, environment=environment)
    resolved = _alert(world, "alert.resolved", service, subject, severity, environment=environment)
    return [_Planned(0, fired), _Planned(world.minutes(2, 20), resolved)]


def _deploy(world: _World, service: str) -> list[_Planned]:
    version = f"{world.random.getrandbits(28):07x}"
    about = {"subject": f"{service}/deployment", "actor": _ROBOT, "labels": {"version": version}}
    started = world.event("change.started", service, "argocd/main", title=f"sync of {service} began", **about)
    deployed = world.event("change.deployed", service, "argocd/main", title=f"{service} {version} deployed", **about)
    return [_Planned(0, started), _Planned(world.minutes(1, 6), deployed)]


def _scaling(world: _World, service: str) -> list[_Planned]:
    actor = Actor(id="autoscaler", kind="automation")
    count = world.random.randrange(2, 20)
    title = f"{service} scaled to {count} replicas"
    return [_Planned(0, world.event("change.scaled", service, "kubernetes/main", title=title, actor=actor))]


def _note(world: _World, service: str) -> list[_Planned]:
    title = world.random.choice(("looks fine again", "can someone review my change?", "the dashboard is slow today"))
    return [_Planned(0, world.event("note.added", service, "chat/ops", title=title, actor=world.person()))]


def _caught(world: _World, service: str) -> list[_Planned]:
    """A critical alert, someone takes it, rolls back, and it recovers."""
    subject = f"ErrorsRising/{service}"
    person = world.person()
    rolled_back = world.event(
        "change.rolled_back",
        service,
        "argocd/main",
        subject=f"{service}/deployment",
        title=f"{service} rolled back",
        actor=person,
    )
    acted = world.minutes(4, 25)
    return [
        _Planned(0, _alert(world, "alert.fired", service, subject, "critical")),
        _Planned(world.minutes(1, 4), _alert(world, "alert.acknowledged", service, subject, "critical", actor=person)),
        _Planned(acted, rolled_back),
        _Planned(acted + world.minutes(2, 10), _alert(world, "alert.resolved", service, subject, "critical")),
    ]


def _aborted(world: _World, service: str) -> list[_Planned]:
    """A person deploys, sees something odd before any alert does, and takes it back."""
    person = world.person()
    about = {"subject": f"{service}/deployment", "actor": person}
    version = {"version": f"{world.random.getrandbits(28):07x}"}
    deployed = world.event(
        "change.deployed", service, "argocd/main", title=f"{service} deployed by hand", labels=version, **about
    )
    back = world.event("change.rolled_back", service, "argocd/main", title=f"{service} rolled back", **about)
    return [_Planned(0, deployed), _Planned(world.minutes(3, 12), back)]


def _nearly_full(world: _World, service: str) -> list[_Planned]:
    """A measured limit is nearly reached; someone makes room."""
    subject = f"DiskFilling/{service}-data"
    measured = {"value": world.random.uniform(90, 99), "limit": 100.0, "unit": "percent", "bound": "max"}
    acted = world.minutes(10, 60)
    scaled = world.event(
        "change.scaled", service, "terraform/main", subject=subject, title="volume enlarged", actor=world.person()
    )
    return [
        _Planned(0, _alert(world, "alert.fired", service, subject, "high", **measured)),
        _Planned(acted, scaled),
        _Planned(acted + world.minutes(2, 10), _alert(world, "alert.resolved", service, subject, "high")),
    ]


def _renewed_late(world: _World, service: str) -> list[_Planned]:
    """A certificate is about to end; someone renews it."""
    subject = f"certificate/{service}"
    ends = world.minutes(60, 2000)
    warned = _alert(world, "alert.fired", service, subject, "warning", expires_at=Instant(ends))
    rotated = world.event(
        "change.rotated",
        service,
        "cert-manager/main",
        subject=subject,
        title=f"certificate of {service} renewed",
        actor=world.person(),
        previous_expires_at=Instant(ends),
        expires_at=Instant(90 * DAY),
    )
    return [_Planned(0, warned), _Planned(world.minutes(10, 50), rotated)]


def _hit(world: _World, service: str) -> list[_Planned]:
    """As `_caught`, but users noticed."""
    top = world.random.choice(world.user_facing)
    labels = {"evidence": "status_page"}
    started = world.event("impact.started", service, "statuspage/main", title=f"{top} is degraded", labels=labels)
    ended = world.event("impact.ended", service, "statuspage/main", title=f"{top} has recovered", labels=labels)
    return [*_caught(world, service), _Planned(3 * MINUTE, started), _Planned(HOUR, ended)]


_EVERYDAY: tuple[tuple[_Story, float, int], ...] = (
    (_noise_alert, 0.55, 2),
    (_deploy, 0.28, 2),
    (_scaling, 0.1, 1),
    (_note, 0.07, 1),
)
_CANDIDATES: tuple[tuple[_Story, float, int], ...] = (
    (_caught, 0.4, 4),
    (_aborted, 0.2, 2),
    (_nearly_full, 0.2, 3),
    (_renewed_late, 0.1, 2),
    (_hit, 0.1, 6),
)
"""A story, its share of the events of its group, and how many events it has."""

_FEEDS = 0.3
"""The share of all events that say that a feed looked and saw no impact."""


def make_catalogue(shape: StreamShape) -> Catalogue:
    """The organisation that the stream is about."""
    return _World(shape).catalogue()


def catalogue_mapping(shape: StreamShape) -> dict[str, object]:
    """The same in the short form that a catalogue file holds."""
    found = make_catalogue(shape)
    return {
        "user_facing": [service.name for service in found.services.values() if service.user_facing],
        "production": sorted(found.production),
        "depends_on": {name: list(service.depends_on) for name, service in found.services.items()},
    }


def generate(shape: StreamShape) -> Iterator[bytes]:
    """The stream, one line of JSON without its line end at a time, in order of arrival."""
    random = Random(shape.seed + 1)  # noqa: S311 - repeatable, not secret
    waiting: list[tuple[int, int, Event]] = []
    highest = 0
    for number, event in enumerate(_in_event_time(shape)):
        late = random.randrange(SECOND, _LATEST_ARRIVAL) if random.random() < shape.disorder else 0
        heapq.heappush(waiting, (event.time + late, number, event))
        highest = max(highest, event.time)
        while waiting and waiting[0][0] <= highest:
            yield _line(heapq.heappop(waiting)[2], shape.bytes_each)
    while waiting:
        yield _line(heapq.heappop(waiting)[2], shape.bytes_each)


def _in_event_time(shape: StreamShape) -> Iterator[Event]:
    world = _World(shape)
    random = world.random
    stories, weights, rate = _plan(shape)
    agenda: list[tuple[int, int, Event | None]] = [(STARTS_AT, 0, None)]
    every = len(world.user_facing) / (shape.rate * _FEEDS) * SECOND
    for place, name in enumerate(world.user_facing):
        first = STARTS_AT + int(every * place / len(world.user_facing))
        heapq.heappush(agenda, (first, -1 - place, _clear(world, name)))
    made = number = 0
    while made < shape.events:
        at, key, event = heapq.heappop(agenda)
        if event is None:
            story = random.choices(stories, weights)[0]
            for planned in story(world, random.choice(world.names)):
                number += 1
                heapq.heappush(agenda, (at + planned.after, number, _placed(planned.event, at)))
            number += 1
            heapq.heappush(agenda, (at + int(random.expovariate(rate) * SECOND) + 1, number, None))
            continue
        made += 1
        yield msgspec.structs.replace(event, time=Instant(at))
        if key < 0:
            heapq.heappush(agenda, (at + int(every), key, _clear(world, world.user_facing[-1 - key])))


def _plan(shape: StreamShape) -> tuple[list[_Story], list[float], float]:
    """The stories, how often each begins relative to the others, and beginnings a second."""
    stories: list[_Story] = []
    weights = []
    everyday = 1.0 - _FEEDS - shape.candidates
    for group, share in ((_EVERYDAY, everyday), (_CANDIDATES, shape.candidates)):
        for story, part, size in group:
            stories.append(story)
            weights.append(share * part / size)
    return stories, weights, shape.rate * sum(weights)


def _placed(event: Event, at: int) -> Event:
    """Deadlines were planned relative to the start of the story."""
    if event.expires_at is None:
        return event
    previous = event.previous_expires_at
    return msgspec.structs.replace(
        event,
        expires_at=Instant(event.expires_at + at),
        previous_expires_at=None if previous is None else Instant(previous + at),
    )


def _clear(world: _World, service: str) -> Event:
    return world.event("impact.clear", service, "blackbox/main", title="probe green", labels={"evidence": "synthetic"})


def _line(event: Event, length: int) -> bytes:
    line = encode(event)
    missing = length - len(line) - len(b',"description":""')
    if missing <= 0:
        return line
    return encode(msgspec.structs.replace(event, labels={**event.labels, "description": _FILLER[:missing]}))
