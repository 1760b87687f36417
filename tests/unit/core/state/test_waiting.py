"""How many bytes may wait for the watermark, and what becomes of what is too much."""

from __future__ import annotations

import pytest

from monitor.core.model.events import MINUTE, SECOND, Event
from monitor.core.state.costs import event_bytes
from monitor.core.state.waiting import LARGE, Waiting
from tests.support.streams import START, make_event

SMALL = event_bytes(make_event("note.added", 1, "n"))


def waiting(limit: int, *pending: Event) -> Waiting:
    return Waiting(limit, lambda service: service == "db", pending, START)


def note(minutes: float = 1, **fields: object) -> Event:
    return make_event("note.added", minutes, "n", **fields)


def large(size: int = 4000) -> Event:
    return note(title="t" * 300, labels={"body": "x" * size})


def how(found: Waiting, event: Event, watermark: int = START) -> str:
    return found.admit(event, watermark)[1]


def test_as_much_as_the_limit_waits_whole() -> None:
    found = waiting(2 * SMALL)
    assert [how(found, note(service="who")) for _ in range(3)] == ["whole", "whole", "refused"]


def test_beyond_it_known_services_have_as_much_again() -> None:
    found = waiting(2 * SMALL)
    assert [how(found, note()) for _ in range(5)] == ["whole"] * 4 + ["refused"]


def test_what_waits_already_is_counted() -> None:
    assert how(waiting(SMALL, note()), note(service="who")) == "refused"
    assert how(waiting(2 * SMALL, note()), note(service="who")) == "whole"
    assert how(waiting(SMALL, note(0), note(-1)), note(service="who")) == "whole"


def test_a_large_one_gives_up_its_labels() -> None:
    found = waiting(3000)
    event, told = found.admit(large(), START)
    assert told == "thinned"
    assert event.labels == {}
    assert event.title == "t" * 200
    assert event.marks == ("labels_evicted",)
    assert how(waiting(10_000), large()) == "whole"
    untitled, _ = waiting(3000).admit(note(labels={"body": "x" * 4000}), START)
    assert untitled.title is None


@pytest.mark.parametrize(("over", "told"), [(0, "whole"), (1, "thinned")])
def test_large_is_more_than_two_kilobytes(over: int, told: str) -> None:
    empty = event_bytes(note(labels={"body": ""}))
    event = note(labels={"body": "x" * (LARGE - empty + over)})
    assert event_bytes(event) == LARGE + over == 2048 + over
    assert how(waiting(LARGE - 1), event) == told


def test_what_the_watermark_passed_waits_no_longer() -> None:
    found = waiting(SMALL)
    assert how(found, note(1, service="who")) == "whole"
    assert how(found, note(2, service="who"), START + MINUTE - 1) == "refused"
    assert how(found, note(2, service="who"), START + MINUTE) == "whole"
    assert how(found, note(3, service="who"), START + MINUTE) == "refused"
    assert how(found, note(2, service="who"), START) == "refused"


@pytest.mark.parametrize(("seconds", "counted"), [(0, False), (0.9, False), (1, True)])
def test_what_lies_in_the_watermarks_own_second_or_before_is_not_counted(seconds: float, counted: bool) -> None:
    found = waiting(SMALL)
    found.admit(note(seconds / 60), START)
    assert found.admit(note(1, service="who"), START)[1] == ("refused" if counted else "whole")
    assert START % SECOND == 0


def test_a_thinned_event_counts_as_what_is_left_of_it() -> None:
    found = waiting(3000)
    event, _ = found.admit(large(), START)
    left = 2 * 3000 - event_bytes(event)
    assert [how(found, note()) for _ in range(left // SMALL + 1)][-2:] == ["whole", "refused"]
