"""What is remembered by service and kind: in time order, so many of each, for so long."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from monitor.core.model.events import MINUTE, Event
from monitor.core.model.retention_policy import RETENTION
from monitor.core.state.costs import SERIES, event_bytes, labels_bytes
from monitor.core.state.event_series import Ttl
from monitor.core.state.memory import Memory
from tests.support.streams import START, make_event

MOST, FEW = RETENTION.most_per_kind, RETENTION.most_beyond_ttl
"""256 and 12."""


def at(minutes: float) -> int:
    return START + int(minutes * MINUTE)


def note(minutes: float, name: str | None = None, **fields: object) -> Event:
    return make_event("note.added", minutes, name or f"n{minutes:g}", **fields)


def remembering(minutes: Iterable[float], mask: int = 0) -> Memory:
    memory = Memory()
    for minute in minutes:
        memory.add(note(minute), mask)
    return memory


def ids(events: Iterable[Event]) -> list[str]:
    return [event.id for event in events]


def kept(memory: Memory, start: float = -10_000, end: float = 10_000, service: str = "db") -> list[str]:
    return ids(memory.between([service], ["note.added"], at(start), at(end)))


def test_events_stand_in_time_order_whatever_the_order_in_which_they_come() -> None:
    assert kept(remembering([3, 1, 2])) == ["n1", "n2", "n3"]
    memory = remembering([])
    for name in ("b", "a", "c"):
        memory.add(note(1, name), 0)
    assert kept(memory) == ["a", "b", "c"]


def test_a_second_copy_changes_nothing() -> None:
    memory = remembering([1, 2])
    assert not memory.add(note(1), 0).is_new
    assert not memory.add(note(2), 0).is_new
    assert memory.add(note(2, source="other"), 0).is_new
    assert kept(memory) == ["n1", "n2", "n2"]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (2, 3, ["n2", "n3"]),
        (1.5, 2.5, ["n2"]),
        (4, 9, ["n4"]),
        (4.1, 9, []),
        (0, 1, ["n1"]),
        (0, 0.9, []),
    ],
)
def test_both_ends_of_a_span_belong_to_it(start: float, end: float, found: list[str]) -> None:
    memory = remembering([1, 2, 3, 4], mask=1)
    assert kept(memory, start, end) == found
    assert ids(memory.matching("db", ("note.added",), 1, at(start), at(end))) == found


def test_services_and_kinds_are_apart() -> None:
    memory = remembering([1])
    memory.add(note(2, service="api"), 0)
    memory.add(note(3, service=None), 0)
    memory.add(make_event("alert.fired", 4), 0)
    assert ids(memory.between(["api", "who", "db"], ["note.added", "alert.fired"], at(0), at(9))) == [
        "n2", "n1", "alert.fired@4",
    ]  # fmt: skip
    assert memory.services() == ["", "api", "db"]
    assert memory.services_with("note.added") == {"", "api", "db"}
    assert memory.services_with("alert.fired", "alert.resolved") == {"db"}


def test_only_what_matches_a_step_is_found_for_it_in_time_order_over_all_kinds() -> None:
    memory = Memory()
    for minute, mask in ((1, 0b01), (2, 0b10), (5, 0b11)):
        memory.add(note(minute), mask)
    memory.add(make_event("alert.fired", 3, "fired"), 0b10)
    kinds = ("note.added", "alert.fired")
    assert ids(memory.matching("db", kinds, 0b01, at(0), at(9))) == ["n1", "n5"]
    assert ids(memory.matching("db", kinds, 0b10, at(0), at(9))) == ["n2", "fired", "n5"]
    assert memory.matching("who", kinds, 0b10, at(0), at(9)) == []


def test_the_newest_of_a_kind_can_be_asked_for_and_the_one_too_many_is_told() -> None:
    memory = remembering(range(MOST), mask=4)
    assert memory.add(note(MOST), 4).evicted == (note(0), 4)
    assert kept(memory)[0] == "n1"
    assert len(kept(memory)) == MOST
    assert ids(memory.matching("db", ("note.added",), 4, at(0), at(9999)))[0] == "n1"
    assert not memory.add(note(0.5), 4).is_new
    assert memory.add(note(1.5), 4).evicted == (note(1), 4)
    assert len([event for event, _ in memory.entries("db", "note.added")]) == MOST


def test_one_within_the_bound_evicts_nothing() -> None:
    memory = remembering(range(MOST - 1))
    assert memory.add(note(MOST), 0).evicted is None


def test_twice_as_many_lie_there_at_most() -> None:
    memory = remembering(range(2 * MOST))
    assert memory.has(note(0))
    memory.add(note(2 * MOST), 0)
    assert not memory.has(note(MOST))
    assert memory.has(note(MOST + 1))


def test_derived_facts_are_kept_beside_their_event() -> None:
    memory = Memory()
    memory.add(note(1), 1, {"trend": "worse"})
    memory.add(note(2), 2)
    memory.add(note(3), 3, {"trend": "same"})
    assert [memory.known(note(n)) for n in (1, 2, 3)] == [(1, {"trend": "worse"}), (2, {}), (3, {"trend": "same"})]
    memory.set_facts(note(2), {"trend": "better"})
    memory.set_facts(note(9), {"trend": "better"})
    memory.revise(note(1), 7, {"trend": "same"})
    assert [memory.known(note(n)) for n in (1, 2)] == [(7, {"trend": "same"}), (2, {"trend": "better"})]


def test_what_is_equal_is_found_and_what_says_something_else_is_not() -> None:
    memory = remembering([1])
    assert memory.equal(note(1)) == note(1)
    assert memory.equal(note(1, title="other")) is None
    assert memory.equal(note(2)) is None
    assert memory.equal(note(1, service="api")) is None


# -- for how long --------------------------------------------------------------------------------------------


def evicted(minutes: Iterable[float], ttl: Ttl, now: float, mask: int = 0) -> list[str]:
    memory = remembering(minutes, mask)
    memory.evict(at(now), lambda service, kind, mask: ttl)
    return kept(memory)


def ttl(every: float, few: float | None = None, now: float | None = None) -> Ttl:
    few = every if few is None else few
    return Ttl(int(every * MINUTE), int(few * MINUTE), int((few if now is None else now) * MINUTE))


def test_every_event_is_kept_for_its_time_and_not_a_moment_longer() -> None:
    assert evicted([0, 1, 2], ttl(10), 10) == ["n0", "n1", "n2"]
    assert evicted([0, 1, 2], ttl(10), 10.1) == ["n1", "n2"]
    assert evicted([0], ttl(10), 10.1) == []


def test_beyond_it_the_newest_twelve_are_kept_for_as_long_as_they_may_be_asked_for() -> None:
    assert evicted(range(20), ttl(10, 60), 40) == [f"n{n}" for n in range(8, 20)]
    assert evicted(range(20), ttl(30, 60), 40) == [f"n{n}" for n in range(20)]
    assert evicted(range(20), ttl(25, 60), 40) == [f"n{n}" for n in range(3, 20)]
    assert evicted(range(20), ttl(10, 20), 40) == []
    assert evicted(range(20), ttl(10, 20, now=60), 40) == [f"n{n}" for n in range(8, 20)]
    assert evicted(range(20), ttl(10, 25), 40) == ["n15", "n16", "n17", "n18", "n19"]


def test_a_service_of_which_nothing_is_left_is_forgotten() -> None:
    memory = remembering([0])
    memory.add(note(30, service="api"), 0)
    memory.evict(at(20), lambda *_: ttl(10))
    assert memory.services() == ["api"]
    assert memory.services_with("note.added") == {"api"}


def test_each_mask_has_its_own_time() -> None:
    memory = Memory()
    for minute in range(4):
        memory.add(note(minute), minute % 2)
    memory.evict(at(20), lambda service, kind, mask: ttl(100 if mask else 5))
    assert kept(memory) == ["n1", "n3"]


def test_nothing_is_looked_at_before_it_is_due() -> None:
    """When the next may be evicted is known after each look, and again when one comes."""
    asked: list[float] = []

    def look(memory: Memory, now: float, wanted: Ttl) -> list[str]:
        def ttl_of(service: str, kind: str, mask: int) -> Ttl:
            asked.append(now)
            return wanted

        memory.evict(at(now), ttl_of)
        return kept(memory)

    memory = remembering([0, 5])
    assert look(memory, 1, ttl(10)) == ["n0", "n5"]
    assert look(memory, 10, ttl(10)) == ["n0", "n5"]
    assert look(memory, 11, ttl(10)) == ["n5"]
    assert look(memory, 15, ttl(10)) == ["n5"]
    assert asked == [1, 11]
    memory.add(note(2), 0)
    assert look(memory, 13, ttl(10)) == ["n5"]
    assert look(memory, 16, ttl(10)) == []


def test_of_a_crowd_one_is_evicted_as_soon_as_another_grows_old() -> None:
    memory = remembering(range(14))
    wanted = ttl(10, 100)
    for now, first in ((10, 0), (22, 0), (23, 1), (24, 2), (40, 2), (113, 13), (114, None)):
        memory.evict(at(now), lambda *_: wanted)
        assert kept(memory)[:1] == ([] if first is None else [f"n{first}"])
    memory = remembering(range(14))
    memory.evict(at(23), lambda *_: wanted)
    memory.add(note(14), 0)
    memory.evict(at(24), lambda *_: wanted)
    assert kept(memory)[0] == "n2"


def test_a_time_that_grows_shorter_is_heeded_at_once() -> None:
    memory = remembering([0, 5])
    memory.evict(at(6), lambda *_: ttl(10, 10, now=100))
    memory.evict(at(50), lambda *_: ttl(10, 10, now=100))
    assert kept(memory) == ["n0", "n5"]
    memory.evict(at(51), lambda *_: ttl(10))
    assert kept(memory) == []


def test_the_facts_of_what_went_go_with_it() -> None:
    memory = Memory()
    for minute in range(3):
        memory.add(note(minute), 0, {"trend": str(minute)})
    memory.evict(at(11), lambda *_: ttl(10))
    series = memory._by_service["db"]["note.added"]
    assert [facts["trend"] for facts in series.derived.values()] == ["1", "2"]
    memory.drop_before("db", "note.added", at(2))
    assert [facts["trend"] for facts in series.derived.values()] == ["2"]


def test_what_is_older_than_a_moment_can_be_dropped() -> None:
    memory = remembering([0, 1, 2])
    assert ids(memory.drop_before("db", "note.added", at(1))) == ["n0"]
    assert kept(memory) == ["n1", "n2"]
    assert ids(memory.drop_before("db", "note.added", at(5))) == ["n1", "n2"]
    assert memory.services() == []
    assert memory.services_with("note.added") == set()


# -- rules change, and a restart ------------------------------------------------------------------------------


def test_masks_are_worked_out_anew() -> None:
    memory = remembering([1, 2], mask=1)
    memory.set_facts(note(2), {"trend": "worse"})
    shown = list(memory.remask(lambda event, facts: (8, {**(facts or {}), "repeats": 1.0})))
    assert [(each.event.id, each.mask, each.before, each.is_news) for each in shown] == [
        ("n1", 8, 1, True), ("n2", 8, 1, True),
    ]  # fmt: skip
    assert memory.known(note(2)) == (8, {"trend": "worse", "repeats": 1.0})
    again = list(memory.remask(lambda event, facts: (8, facts)))
    assert [each.is_news for each in again] == [False, False]


def test_more_than_is_kept_may_be_restored_before_anything_is_evicted() -> None:
    memory = Memory()
    for minute in reversed(range(2 * MOST + 3)):
        assert memory.restore(note(minute), None)
    assert not memory.restore(note(1), None)
    assert memory.has(note(0))
    assert kept(memory)[0] == f"n{MOST + 3}"


# -- bytes ---------------------------------------------------------------------------------------------------


def test_equal_labels_are_counted_once() -> None:
    memory, labels = Memory(), {"cell": "a"}
    one, two, three = note(1, labels=labels), note(2, labels=labels), note(3, labels={"cell": "b"})
    for event in (one, two, three):
        memory.add(event, 0)
    ((service, kind, size),) = memory.sizes()
    assert (service, kind) == ("db", "note.added")
    assert size == SERIES + sum(map(event_bytes, (one, two, three))) - labels_bytes(labels)
    memory.drop_before("db", "note.added", at(2))
    assert next(memory.sizes())[2] == SERIES + event_bytes(two) + event_bytes(three)


def test_where_users_are_hurt_is_said_by_records_of_incidents_alone() -> None:
    memory = Memory()
    for service, kind, said in (
        ("db", "incident.opened", "users"),
        ("api", "incident.opened", "none"),
        ("mail", "note.added", "users"),
        ("shop", "incident.opened", "none"),
        ("shop", "incident.updated", "users"),
    ):
        memory.add(make_event(kind, 1, f"{service}-{kind}", service=service, labels={"impact": said}), 0)
    assert memory.services_hurt() == {"db", "shop"}
    assert memory.services_hurt("db") == {"db"}
    assert memory.services_hurt("api") == set()
