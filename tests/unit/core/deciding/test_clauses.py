"""A rule's further steps: when each has to be, when its count fails, and what a draft says of one that held."""

from __future__ import annotations

import pytest

from monitor.core.deciding.clauses import clause_unmet, key_of, point, say_met
from monitor.core.model.events import MINUTE
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Clause, Point, Step
from monitor.core.state.candidates import Candidate, CappedEvidence
from tests.support.streams import START, acted_rule, make_event, new_engine


def candidate(hazards: list[float], actions: list[float]) -> Candidate:
    found = Candidate("i", "acted", "1", "k", "db", 0, CappedEvidence(), CappedEvidence())
    for minutes in hazards:
        found.hazards.add(make_event("alert.fired", minutes))
    for minutes in actions:
        found.interventions.add(make_event("change.scaled", minutes))
    return found


@pytest.mark.parametrize(
    ("anchor", "actions", "minutes"),
    [
        ("hazard", [20], 10),
        ("last_hazard", [20], 20),
        ("last_hazard", [15], 12),
        ("last_hazard", [5], 10),
        ("intervention", [20, 40], 20),
        ("last_intervention", [20, 40], 40),
        ("last_intervention", [20], 20),
        ("safe", [20], 50),
    ],
)
@pytest.mark.parametrize("offset", [-3, 0, 7])
def test_the_moment_that_a_window_is_measured_from(
    anchor: str, actions: list[float], minutes: float, offset: int
) -> None:
    """Hazards at minutes 10, 12, 20 and 30; the first action is the one that is asked about; safe at minute 50."""
    action = make_event("change.scaled", actions[0])
    at = point(
        Point(anchor, offset * MINUTE),  # type: ignore[arg-type]
        candidate([10, 12, 20, 30], actions),
        action,
        START + 50 * MINUTE,
    )
    assert at == START + (minutes + offset) * MINUTE


def test_an_action_that_is_no_candidates_yet_counts_as_its_last() -> None:
    action = make_event("change.scaled", 60)
    assert point(Point("last_intervention"), candidate([10], [20, 40]), action, 0) == action.time


@pytest.mark.parametrize(
    ("at_least", "at_most", "count", "reason"),
    [
        (2, None, 1, NotOpened.CONDITION_NOT_MET),
        (2, None, 2, None),
        (0, None, 99, None),
        (0, 2, 2, None),
        (0, 2, 3, NotOpened.ABSENCE_VIOLATED),
        (0, 0, 0, None),
        (0, 0, 1, NotOpened.ABSENCE_VIOLATED),
    ],
)
def test_when_a_count_fails(at_least: int, at_most: int | None, count: int, reason: NotOpened | None) -> None:
    step = Step(frozenset({"note.added"}))
    clause = Clause("told", step, Point("hazard"), Point("safe"), at_least=at_least, at_most=at_most)
    unmet = clause_unmet(clause, count)
    assert (unmet and unmet[0]) == reason
    if unmet is not None:
        bound = (
            f"at least {at_least} required" if reason is NotOpened.CONDITION_NOT_MET else f"at most {at_most} allowed"
        )
        assert unmet[1] == f"step told: {count} seen, {bound}"


def test_a_hazard_without_a_value_to_correlate_by_is_alone() -> None:
    (compiled,) = new_engine([acted_rule(correlate=("service", "subject"))])._matcher.rules.values()
    assert key_of(compiled, make_event("alert.fired", 0, "a", subject="full")) == "db\x1ffull"
    assert key_of(compiled, make_event("alert.fired", 0, "a")) == "test\x1fa"


@pytest.mark.parametrize(
    ("at_least", "at_most", "count", "words"),
    [
        (0, 0, 0, "no “told”, as required"),
        (0, None, 0, "0 × “told”, not required"),
        (2, None, 3, "3 × “told”, at least 2 required"),
        (2, 4, 3, "3 × “told”, at least 2 required, at most 4 allowed"),
        (0, 4, 3, "3 × “told”, at most 4 allowed"),
    ],
)
def test_what_was_seen_stands_beside_what_the_rule_asks(
    at_least: int, at_most: int | None, count: int, words: str
) -> None:
    step = Step(frozenset({"note.added"}))
    clause = Clause("told", step, Point("hazard"), Point("safe"), at_least=at_least, at_most=at_most)
    assert say_met(clause, count) == words


def test_a_name_is_said_without_its_hyphens() -> None:
    step = Step(frozenset({"note.added"}))
    assert say_met(Clause("told_on-call", step, Point("hazard"), Point("safe")), 1) == (
        "1 × “told on call”, at least 1 required"
    )
