"""Forgetting looks only where something may be due, and forgets exactly what it would forget by looking everywhere."""

from __future__ import annotations

from random import Random
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model.events import HOUR, Event, Instant
from monitor.core.state.event_series import Ttl, TtlOf
from monitor.core.state.memory import Memory

SWEEP = 3
KEEPS = {1: (20, 50, 90), 2: (60, 60, 60), 4: (30, 200, 400), 8: (10, 10, 300)}
"""By mask, in hours: how long every event is kept, how long a few, and how long those where a hazard stands."""


def _event(number: int, at: int, service: str) -> Event:
    return Event(str(number), "test", Instant(at * HOUR), "note.added", service)


def _terms(standing: frozenset[str]) -> TtlOf:
    def ttl_of(service: str, _: str, mask: int) -> Ttl:
        every, few, most = (hours * HOUR for hours in KEEPS[mask])
        return Ttl(every, few, most if service in standing else few)

    return ttl_of


def _happenings(random: Random, count: int) -> list[tuple[int, Event, int]]:
    """(when it came, the event, its mask), by when it came: some of them late. In hours."""
    found = []
    for number in range(count):
        came = random.randrange(600)
        event = _event(number, came - random.choice((0, 0, 0, 2, 40)), random.choice(("shop", "stock")))
        found.append((came, event, random.choice(sorted(KEEPS))))
    return sorted(found, key=lambda happening: happening[0])


@patch("monitor.core.state.event_series.MOST_BEYOND_TTL", 3)
@given(st.integers(0, 2**32), st.integers(1, 100))
def test_looking_only_where_something_is_due_forgets_the_same(seed: int, count: int) -> None:
    random = Random(seed)
    careful, lazy = Memory(), Memory()
    happenings = _happenings(random, count)
    for until in range(SWEEP, 1100, SWEEP):
        for came, event, mask in happenings:
            if until - SWEEP <= came < until:
                assert careful.add(event, mask) == lazy.add(event, mask)
        for by_kind in careful._by_service.values():
            for series in by_kind.values():
                series.invalidate()
        watermark, standing = until * HOUR, frozenset(random.sample(("shop", "stock"), random.choice((0, 0, 1))))
        for memory in (careful, lazy):
            memory.evict(watermark, _terms(standing))
        assert _content(careful) == _content(lazy)


def _content(memory: Memory) -> list[tuple[str, list[Event], list[int]]]:
    return [
        (service, series.events, series.masks)
        for service, by_kind in sorted(memory._by_service.items())
        for series in by_kind.values()
    ]
