"""What is put aside of a batch, and when nothing can be blamed."""

from __future__ import annotations

from monitor.core.model.events import Instant
from monitor.core.model.faults import Fault
from monitor.pipeline.quarantine import MOST_ASIDE, Quarantine
from monitor.ports import Batch
from tests.support.streams import make_event

NOW = Instant(0)
EVENTS = tuple(make_event("note.added", minute, f"n{minute}") for minute in range(3))


def fault(place: int | None, cause: Exception) -> Fault:
    made = Fault(None) if place is None else Fault(EVENTS[place].event_id, (EVENTS[place],))
    made.__cause__ = cause
    return made


def test_the_routes_and_the_bodies_of_the_others_stay_with_them() -> None:
    quarantine = Quarantine()
    assert quarantine.blame(fault(1, KeyError("x")), EVENTS, NOW)
    batch = quarantine.without(Batch(EVENTS, {"p": 3}, True, routes=((0,), (1,), (2,)), bodies=(b"0", b"1", b"2")))
    assert batch.events == (EVENTS[0], EVENTS[2])
    assert (batch.routes, batch.bodies) == (((0,), (2,)), (b"0", b"2"))
    assert (batch.positions, batch.at_head) == ({"p": 3}, True)


def test_where_memory_ends_an_event_is_blamed_only_when_it_ends_at_that_one_alone() -> None:
    quarantine = Quarantine()
    assert quarantine.blame(fault(0, MemoryError()), EVENTS, NOW)
    assert quarantine.is_careful, "the engine goes back, which frees what it held, and takes one by one"
    assert list(quarantine.aside) == []
    assert quarantine.blame(fault(1, MemoryError()), EVENTS[1:2], NOW)
    assert list(quarantine.aside) == [EVENTS[1].event_id]
    assert quarantine.is_careful


def test_where_memory_ends_at_the_next_event_too_none_is_blamed_and_nothing_is_kept() -> None:
    quarantine = Quarantine()
    assert quarantine.blame(MemoryError(), EVENTS, NOW)
    assert quarantine.blame(MemoryError(), EVENTS[:1], NOW)
    assert not quarantine.blame(MemoryError(), EVENTS[1:2], NOW)
    assert (list(quarantine.aside), quarantine.take_rejects()) == ([], [])
    assert quarantine.blame(MemoryError(), EVENTS[:1], NOW)
    quarantine.is_kept(quarantine.take_rejects())
    assert quarantine.blame(MemoryError(), EVENTS[1:2], NOW), "something was committed in between"
    assert list(quarantine.aside) == [EVENTS[0].event_id, EVENTS[1].event_id]


def test_where_memory_ends_before_any_event_none_is_blamed() -> None:
    quarantine = Quarantine()
    assert quarantine.blame(MemoryError(), (), NOW)
    assert not quarantine.blame(MemoryError(), (), NOW)


def test_what_fails_without_a_culprit_is_taken_one_by_one_before_it_is_given_up() -> None:
    quarantine = Quarantine()
    assert quarantine.blame(fault(None, KeyError("x")), EVENTS, NOW)
    assert bool(quarantine.is_careful)
    assert quarantine.take_rejects() == []
    assert not quarantine.blame(fault(None, KeyError("x")), (), NOW), "no event was given: it is none's fault"
    assert quarantine.blame(fault(None, KeyError("x")), EVENTS[:1], NOW)
    assert quarantine.is_careful is False
    assert list(quarantine.aside) == [EVENTS[0].event_id]


def test_what_fails_although_it_is_aside_is_looked_for_elsewhere() -> None:
    quarantine = Quarantine()
    assert quarantine.blame(fault(0, KeyError("x")), EVENTS, NOW)
    assert quarantine.blame(fault(0, KeyError("x")), EVENTS, NOW)
    assert quarantine.is_careful


def test_what_was_put_aside_is_bounded_and_waits_until_it_is_committed() -> None:
    quarantine = Quarantine()
    for minute in range(MOST_ASIDE + 5):
        event = make_event("note.added", minute, f"n{minute}")
        assert quarantine.blame(Fault(event.event_id, (event,)), (event,), NOW)
    assert len(quarantine.aside) == MOST_ASIDE
    waiting = quarantine.take_rejects()
    assert len(waiting) == MOST_ASIDE + 5
    quarantine.is_kept(waiting[:5])
    assert quarantine.take_rejects() == waiting[5:]
