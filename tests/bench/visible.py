"""From the moment a window closes to the draft in the API: the clock closes windows one after the other.

A window closes when the lateness has passed after its end; the time from then to the first answer of the API that shows
the draft is taken, of a service on SQLite and of engines that share a topic.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import msgspec

from monitor.core.model.events import HOUR, MINUTE, SECOND, Actor, Event, Instant
from monitor.decode.canonical import encode
from monitor.decode.times import read_time
from monitor.ops.clock import SystemClock
from tests.bench import servers
from tests.bench.live import create, new_database
from tests.support.service import Service

LATENESS = SECOND
AFTER_SAFE = HOUR + 10 * MINUTE
"""How long after the flag was set back the window of the rule ends."""
_LEAD = 8 * SECOND
_LOOK_EVERY = 0.01
_WITHIN = 30.0


class VisibleFigures(msgspec.Struct, frozen=True):
    """Seconds from the close of a window to the draft in the API."""

    drafts: int
    p50: float
    p99: float
    longest: float


def on_sqlite(drafts: int, directory: Path) -> VisibleFigures:
    """One service with everything in it."""
    return _measure(drafts, Service(directory, environment={**_SETTINGS, "NEARMISS_DATABASE": _sqlite(directory)}))


def on_shared_topic(drafts: int, directory: Path) -> VisibleFigures:
    """One process with all roles, whose engines share a topic of four partitions, on PostgreSQL."""
    with servers.postgres() as database, servers.broker(directory) as broker:
        url = new_database(database, "visible")
        asyncio.run(create(broker.bootstrap, "shared", 4))
        environment = {
            **_SETTINGS,
            "NEARMISS_DATABASE": url,
            "NEARMISS_KAFKA__BOOTSTRAP": broker.bootstrap,
            "NEARMISS_KAFKA__CANONICAL": "shared",
        }
        return _measure(drafts, Service(directory, environment=environment))


_SETTINGS = {"NEARMISS_LATENESS": "1s"}


def _sqlite(directory: Path) -> str:
    return f"sqlite:///{directory}/nearmiss.db"


def _measure(drafts: int, service: Service) -> VisibleFigures:
    clock = SystemClock()
    try:
        service.start()
        starts = clock.now() + _LEAD
        closes = [Instant(starts + number * SECOND // 10) for number in range(drafts)]
        lines = [encode(event) for number, at in enumerate(closes) for event in _story(number, Instant(at - LATENESS))]
        service.post("/ingest/events", b"\n".join(lines), content_type="application/x-ndjson")
        latencies = sorted(_wait(service, clock, number) for number in range(drafts))
        if service.stop() != 0:
            raise RuntimeError(f"the service did not stop in order: {service.log()[-4000:]}")
    finally:
        service.close()
    return VisibleFigures(drafts, latencies[drafts // 2], latencies[min(drafts - 1, int(drafts * 0.99))], latencies[-1])


def _story(number: int, ends: Instant) -> list[Event]:
    """A flag that was set and set back, so that its window ends then."""
    back = Instant(ends - AFTER_SAFE)
    return [
        Event(
            id=f"{number}-{value}",
            source="flags",
            time=at,
            kind="change.flag_set",
            service=f"service-{number}",
            environment="production",
            subject=f"flag-{number}",
            actor=Actor("engineer", "human"),
            labels={"flag": f"flag-{number}", "enabled": value},
        )
        for value, at in (("true", Instant(back - 5 * MINUTE)), ("false", back))
    ]


def _wait(service: Service, clock: SystemClock, number: int) -> float:
    """Seconds from the close of its window to when the draft was seen."""
    deadline = clock.monotonic() + _WITHIN
    pause = threading.Event()
    while clock.monotonic() < deadline:
        items = service.get(f"/api/v1/near-misses?service=service-{number}&limit=1").json()["items"]
        if items:
            opened, _ = read_time(items[0]["opened_at"], "opened_at")
            return (clock.now() - (opened + LATENESS)) / SECOND
        pause.wait(_LOOK_EVERY)
    raise RuntimeError(f"draft {number} was not opened within {_WITHIN:g} s: {service.log()[-2000:]}")
