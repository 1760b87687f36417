"""What becomes of a hazard under each rule, until it is told: what came closest stays."""

from __future__ import annotations

from monitor.core.model.events import Event
from monitor.core.model.reasons import NotOpened
from monitor.core.state.hazard_outcomes import HazardOutcomes, OutcomeSoFar
from tests.support.streams import make_event


def alert(minutes: float, name: str = "a") -> Event:
    return make_event("alert.fired", minutes, name)


def test_the_reason_that_came_closest_stays() -> None:
    outcomes, event = HazardOutcomes(), alert(0)
    told = [
        (NotOpened.NO_INTERVENTION, "drill"),
        (NotOpened.UNRELATED_INTERVENTION, "first"),
        (NotOpened.CLEARED_BEFORE_ACTION, "cleared"),
        (NotOpened.UNRELATED_INTERVENTION, "second"),
        (NotOpened.ABSENCE_VIOLATED, "seen"),
        (NotOpened.CONDITION_NOT_MET, "not seen"),
    ]
    seen = []
    for reason, detail in told:
        outcomes.record("r", event, reason, detail)
        outcome = outcomes.cell(("r", "test", "a"))
        assert outcome is not None
        seen.append(outcome.detail)
    assert seen == ["drill", "first", "first", "second", "seen", "seen"]


def test_outcomes_are_told_once_and_written() -> None:
    outcomes, event = HazardOutcomes(), alert(0)
    outcomes.record("r", event, NotOpened.UNRELATED_INTERVENTION, "x")
    outcomes.record("s", event, NotOpened.UNRELATED_INTERVENTION, "y")
    assert outcomes.dirty == {("r", "test", "a"), ("s", "test", "a")}
    outcomes.dirty.clear()
    outcomes.drop("s", event)
    outcomes.drop("t", event)
    assert outcomes.dirty == {("s", "test", "a")}
    assert [*outcomes.pop(event)] == ["r"]
    assert outcomes.dirty == {("r", "test", "a"), ("s", "test", "a")}
    assert outcomes.pop(event) == {}
    assert outcomes.cell(("r", "test", "a")) is None


def test_outcomes_of_what_waits_no_longer_are_dropped() -> None:
    outcomes = HazardOutcomes()
    for name in ("r", "s"):
        outcomes.restore((name, "test", "a"), OutcomeSoFar(taken=True))
    outcomes.restore(("r", "test", "b"), OutcomeSoFar())
    outcomes.drop_stale([("r", "test", "a")])
    assert outcomes.is_taken("r", alert(0))
    assert outcomes.dirty == {("s", "test", "a"), ("r", "test", "b")}
