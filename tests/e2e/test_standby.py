"""Two processes on one database: one works, the other stands by and takes over, and no zombie writes."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from monitor.ops.clock import SystemClock
from tests.e2e.conftest import MakeService
from tests.support.postgres import postgres_server, postgres_url
from tests.support.replaying import decided
from tests.support.service import Service
from tests.support.waiting import until

__all__ = ["postgres_server", "postgres_url"]

pytestmark = pytest.mark.faults

BATCH = 400
TAKEOVER_SECONDS = 60.0
"""Patience, for a busy machine: that it takes ttl + standby at most is held in virtual time (`test_lease.py`)."""
BACKENDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))
Pair = Callable[[], tuple[Service, Service]]


@pytest.fixture(params=BACKENDS)
def pair(request: pytest.FixtureRequest, make_service: MakeService) -> Pair:
    """Two services on one database; the first works."""

    def make() -> tuple[Service, Service]:
        database = ("--database", request.getfixturevalue("postgres_url")) if request.param == "postgresql" else ()
        active, standby = make_service(*database).start(), make_service(*database).start()
        until(lambda: (_owns(active), _owns(standby)) == (1, 0), "the first one works")
        return active, standby

    return make


def _owns(service: Service) -> float:
    return service.metric("nearmiss_parts_owned")


def _send(service: Service, lines: list[bytes]) -> None:
    for start in range(0, len(lines), BATCH):
        body = b"\n".join(lines[start : start + BATCH])
        assert service.post("/ingest/events", body, content_type="application/x-ndjson").status_code == 202


def _same_as_one_engine(service: Service, lines: list[bytes]) -> None:
    expected = decided(lines)
    states = {each: line["state"] for each, line in expected.items()}

    def agreed() -> bool:
        found = {item["id"]: item["state"] for item in service.near_misses()}
        return {each: found.get(each) for each in states} == states

    until(agreed, "the drafts of the service are those of one engine")
    found = {item["id"]: item for item in service.near_misses()}
    assert {each: {name: found[each][name] for name in line} for each, line in expected.items()} == expected


def test_who_stands_by_takes_over_when_the_other_is_killed(
    pair: Pair, lines: list[bytes], record_property: Callable[[str, object], None]
) -> None:
    active, standby = pair()
    half = len(lines) // 2
    # Who stands by takes deliveries and shows drafts like the other: only one engine works.
    _send(standby, lines[:half])
    until(lambda: active.metric("nearmiss_events_processed_total") > 0, "the first one works")
    clock = SystemClock()
    killed_at = clock.monotonic()
    active.kill()
    until(lambda: _owns(standby) == 1, "the other takes over", within=TAKEOVER_SECONDS)
    record_property("takeover_seconds", round(clock.monotonic() - killed_at, 1))
    _send(standby, lines[half:])
    _same_as_one_engine(standby, lines)
    active.start()
    until(lambda: (_owns(active), _owns(standby)) == (0, 1), "the first one stands by")
    assert standby.stop() == 0
    # Released in order: nobody has to wait for a lease.
    until(lambda: _owns(active) == 1, "the first one takes over again", within=TAKEOVER_SECONDS)
    _same_as_one_engine(active, lines)
    assert active.stop() == 0


@pytest.mark.postgresql
def test_a_zombie_writes_nothing(make_service: MakeService, postgres_url: str, lines: list[bytes]) -> None:
    """A process that hangs for longer than its lease finds itself replaced, and stands by."""
    active = make_service("--database", postgres_url).start()
    standby = make_service("--database", postgres_url).start()
    half = len(lines) // 2
    _send(active, lines[:half])
    assert active.process is not None
    active.process.send_signal(signal.SIGSTOP)
    until(lambda: _owns(standby) == 1, "the other takes over", within=TAKEOVER_SECONDS)
    _send(standby, lines[half:])
    active.process.send_signal(signal.SIGCONT)
    until(lambda: active.metric("nearmiss_fenced_total") == 1, "the first one was fenced")
    until(lambda: (_owns(active), _owns(standby)) == (0, 1), "the first one stands by")
    assert active.is_ready()
    _same_as_one_engine(standby, lines)
    assert (active.stop(), standby.stop()) == (0, 0)
