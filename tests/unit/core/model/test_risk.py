"""The risk: its index grows with both answers, and the facts propose what stood between."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import pytest

from monitor.core.model.near_miss import Cited, Margin
from monitor.core.model.risk import Barrier, Outcome, Risk, propose_barrier
from tests.support.records import OFF_ROTATION, ON_CALL, ROBOT, draft, event


def test_the_index_grows_with_what_could_have_happened_and_with_how_little_stood_between() -> None:
    for barrier in Barrier:
        indices = [Risk(outcome, barrier).index for outcome in Outcome]
        assert all(worse > better for worse, better in pairwise(indices))
    for outcome in (Outcome.LASTING_HARM, Outcome.OUTAGE, Outcome.DEGRADED):
        indices = [Risk(outcome, barrier).index for barrier in Barrier]
        assert all(less < more for less, more in pairwise(indices))
    assert {Risk(*both).index for both in product(Outcome, Barrier)} <= set(range(1, 2501))


def test_what_would_have_cost_only_work_comes_after_what_nobody_assessed() -> None:
    assert {Risk(Outcome.INTERNAL, barrier).place for barrier in Barrier} == {-1}
    assert Risk(Outcome.DEGRADED, Barrier.AUTOMATION).place > 0


def act(**fields: Any) -> Cited:
    return Cited("intervention", event("c1", "change.ran", 22, **fields))


FIRED = Cited("hazard", event("a1", "alert.fired", 0))
NOTED = Cited("hazard", event("n1", "note.added", 0))


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ((FIRED, act(actor=ROBOT)), Barrier.AUTOMATION),
        ((FIRED, act(actor=ROBOT), act(actor=ON_CALL)), Barrier.ON_CALL),
        ((FIRED, act(actor=OFF_ROTATION)), Barrier.BY_ACCIDENT),
        ((FIRED, act(actor=type(ON_CALL)(kind="human"))), Barrier.ON_CALL),
        ((NOTED, act(actor=type(ON_CALL)(kind="human"))), Barrier.BY_ACCIDENT),
        ((FIRED, act(actor=OFF_ROTATION), act(actor=ON_CALL)), Barrier.ON_CALL),
        ((FIRED, act(actor=OFF_ROTATION), act(actor=type(ON_CALL)(kind="human"))), Barrier.BY_ACCIDENT),
        ((NOTED, FIRED, act(actor=type(ON_CALL)(kind="human"))), Barrier.ON_CALL),
        ((FIRED, act(actor=ROBOT), act()), Barrier.AUTOMATION),
        ((FIRED,), Barrier.LUCK),
        ((FIRED, act()), None),
    ],
)
def test_who_acted_proposes_the_barrier(evidence: tuple[Cited, ...], expected: Barrier | None) -> None:
    proposal = propose_barrier(draft(evidence=evidence))
    assert (proposal and proposal.barrier) == expected


def test_where_nothing_was_left_it_was_luck() -> None:
    late = Margin("deadline", -4.0, "d", "expired 4 d before")
    proposal = propose_barrier(draft(evidence=(FIRED, act(actor=ON_CALL)), margin=late))
    assert proposal is not None
    assert proposal.barrier is Barrier.LUCK


@pytest.mark.parametrize(
    ("measure", "left", "is_luck"),
    [("deadline", 0.0, True), ("headroom", -1.0, True), ("headroom", 0.5, False), ("elapsed", -1.0, False)],
)
def test_only_of_a_deadline_or_a_headroom_nothing_can_be_left(measure: str, left: float, is_luck: bool) -> None:
    margin = Margin(measure, left, "x", "so much was left")
    proposal = propose_barrier(draft(evidence=(FIRED, act(actor=ON_CALL)), margin=margin))
    assert proposal is not None
    assert (proposal.barrier is Barrier.LUCK) is is_luck
