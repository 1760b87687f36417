"""What the engine failed at: how it is named, shown and put aside."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from monitor.core.model.events import EventId
from monitor.core.model.faults import (
    MOST_ASIDE,
    Culprit,
    Fault,
    TooManyFaults,
    fault_of,
    memory_ended,
    shown,
    without_culprits,
)
from tests.support.streams import make_event


def caused(by: BaseException, culprit: Culprit | None = "sweep") -> Fault:
    fault = Fault(culprit)
    fault.__cause__ = by
    return fault


def test_a_culprit_in_a_few_words() -> None:
    assert shown(EventId("pager", "e1")) == "event pager e1"
    assert shown("rule\x1fkey\x1fpager\x1fe1") == "rule key pager e1"
    assert shown(None) == "an unknown place"
    assert str(Fault(None)) == "failed at an unknown place"


def test_why_it_failed_in_one_line() -> None:
    assert caused(ValueError("first\nsecond")).why == "ValueError: first"
    assert caused(ValueError()).why == "ValueError"
    assert caused(ValueError("x" * 300)).why == "ValueError: " + "x" * 200
    assert Fault("sweep").why == "Fault: failed at sweep"
    assert "ValueError: first" in caused(ValueError("first")).traceback
    assert len(caused(ValueError("x" * 9000)).traceback) == 3000


def test_a_fault_of_an_event_names_it() -> None:
    event = make_event("note.added", 0, "e1")
    assert (fault_of(event, "sweep").culprit, fault_of(event).events) == (EventId("test", "e1"), (event,))
    assert (fault_of(None, "sweep").culprit, fault_of(None).culprit, fault_of(None).events) == ("sweep", None, ())


def test_whether_it_was_for_lack_of_memory() -> None:
    assert memory_ended(MemoryError())
    assert memory_ended(caused(MemoryError()))
    assert not memory_ended(caused(ValueError()))
    assert not memory_ended(ValueError())


def test_everything_at_which_it_fails_is_put_aside() -> None:
    def run(aside: Collection[Culprit]) -> list[Culprit]:
        for name in ("a", "b"):
            if name not in aside:
                raise caused(ValueError(name), name)
        return sorted(map(str, aside))

    found, faults = without_culprits(run)
    assert (found, [fault.culprit for fault in faults]) == (["a", "b"], ["a", "b"])


@pytest.mark.parametrize("culprits", [[None], ["a", "a"], [str(n) for n in range(MOST_ASIDE + 1)]])
def test_it_ends_where_nothing_can_be_blamed_any_more(culprits: list[Culprit | None]) -> None:
    waiting = iter(culprits)

    def run(aside: Collection[Culprit]) -> None:
        raise caused(ValueError("why"), next(waiting))

    with pytest.raises(TooManyFaults, match="ValueError: why"):
        without_culprits(run)
    assert list(waiting) == []


def test_twenty_may_be_put_aside() -> None:
    def run(aside: Collection[Culprit]) -> int:
        if len(aside) < 20:
            raise caused(ValueError(), str(len(aside)))
        return len(aside)

    assert without_culprits(run)[0] == 20 == MOST_ASIDE
