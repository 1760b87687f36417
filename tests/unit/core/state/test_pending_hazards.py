"""Which hazards wait for whom, until when, and what is told of each in the end."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.matching.matcher import MatchedSteps, Matcher
from monitor.core.model.events import DAY, HOUR, MINUTE, Event
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Intervention, Step
from monitor.core.state.hazard_outcomes import ANY_RULE, CLEARED, OutcomeSoFar
from monitor.core.state.pending_hazards import PendingHazards
from tests.support.streams import BY_HUMAN, HUMAN_ACTIONS, START, acted_rule, make_event, new_engine


def matcher(*hours: int) -> Matcher:
    """A rule `r<hours>` for each window."""
    within = [(f"r{n}", Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), n * HOUR)) for n in hours]
    return new_engine([acted_rule(name=name, intervention=act) for name, act in within])._matcher


def at(minutes: float) -> int:
    return START + int(minutes * MINUTE)


def alert(minutes: float, name: str = "a", **fields: Any) -> Event:
    return make_event("alert.fired", minutes, name, **{"severity": "high", "subject": "disk", **fields})


def over(minutes: float, **fields: Any) -> Event:
    return make_event("alert.resolved", minutes, **{"subject": "disk", **fields})


class Waiting:
    """Hazards of one or more rules, by short names."""

    def __init__(self, *hours: int) -> None:
        self.matcher = matcher(*(hours or (4,)))
        self.pending = PendingHazards()

    def matched(self, event: Event) -> MatchedSteps:
        return self.matcher.matched(self.matcher.match(event)[0])

    def add(self, *events: Event) -> None:
        for event in events:
            self.pending.add(event, self.matched(event))

    def endable(self, minutes: float, since: float = -1000, rule: int = 0, service: str = "db") -> list[str]:
        bit = self.matched(alert(0)).bits[rule]
        hazards = self.pending.by_rule.get(bit)
        return [] if hazards is None else [e.id for e in hazards.endable_at(service, at(since), at(minutes))]

    def bit(self, rule: int = 0) -> int:
        return self.matched(alert(0)).bits[rule]


def test_an_action_may_end_what_fired_before_it_and_still_stands() -> None:
    here = Waiting()
    here.add(alert(5, "b"), alert(0, "a"))
    assert here.endable(-1) == []
    assert here.endable(0) == ["a"]
    assert here.endable(5) == ["a", "b"]
    assert here.endable(5, since=0) == ["a", "b"]
    assert here.endable(5, since=1) == ["b"]
    assert here.endable(5, service="api") == []


@pytest.mark.parametrize(("minutes", "endable"), [(9, ["a"]), (10, ["a"]), (10.1, [])])
def test_an_action_at_the_moment_of_the_recovery_still_met_the_alert(minutes: float, endable: list[str]) -> None:
    here = Waiting()
    here.add(alert(0))
    here.pending.clear_alert(over(10))
    assert here.endable(minutes) == endable


def test_what_was_over_before_goes_when_a_later_alert_ends() -> None:
    here = Waiting()
    here.add(alert(0), alert(1, "b", subject="cpu"))
    here.pending.clear_alert(over(10))
    here.pending.clear_alert(over(10, subject="other"))
    assert here.endable(10) == ["a", "b"]
    here.pending.clear_alert(over(11, subject="other"))
    assert here.endable(10) == ["b"]


def test_a_recovery_ends_what_fired_by_then_and_only_its_own_alert() -> None:
    here = Waiting()
    here.add(alert(0), alert(10, "same"), alert(11, "later"), alert(0, "cpu", subject="cpu"))
    here.pending.clear_alert(over(10))
    assert here.endable(12) == ["cpu", "later"]
    here.pending.clear_alert(over(20))
    assert here.endable(20.1) == ["cpu"]


def test_the_ends_are_counted_by_rule_and_service_until_their_windows_end() -> None:
    here = Waiting()
    here.add(alert(0), alert(1, "b"), alert(2, "c", service="api"))
    here.pending.clear_alert(over(10))
    hazards = here.pending.by_rule[here.bit()]
    assert {service: alerts.count for service, alerts in hazards.cleared.items()} == {"db": 2}
    hazards.act(["db"], at(15))
    hazards.act(["db"], at(12))
    assert hazards.cleared["db"].acted_at == at(15)
    for _, _, _, hazard in here.pending.expire(at(240.5)):
        here.pending.evict(hazard)
    assert {service: alerts.count for service, alerts in hazards.cleared.items()} == {"db": 1}
    for _, _, _, hazard in here.pending.expire(at(1000)):
        here.pending.evict(hazard)
    assert not hazards.is_in_use
    assert len(here.pending) == 0


def test_a_rule_is_in_use_while_something_stands_or_is_over() -> None:
    here = Waiting()
    here.add(alert(0))
    hazards = here.pending.by_rule[here.bit()]
    assert hazards.is_in_use
    here.pending.clear_alert(over(10))
    here.pending.clear_alert(over(11, subject="other"))
    assert (hazards.standing, hazards.is_in_use) == ({}, True)


@pytest.mark.parametrize(("minutes", "expired"), [(240, []), (240.1, ["a"]), (300, ["a"]), (301, ["a", "b"])])
def test_windows_end_in_order(minutes: float, expired: list[str]) -> None:
    here = Waiting()
    here.add(alert(60, "b"), alert(0))
    assert [name for _, _, name, _ in here.pending.expire(at(minutes))] == expired


def test_hazards_of_several_windows_expire_in_one_order() -> None:
    here = Waiting(1, 4)
    here.add(alert(0), alert(2, "b"))
    found = here.pending.expire(at(1000))
    assert [(end, source, name) for end, source, name, _ in found] == [
        (at(240), "test", "a"), (at(242), "test", "b"),
    ]  # fmt: skip
    assert here.pending.expire(at(1000)) == []


def test_a_hazard_that_came_late_takes_its_place() -> None:
    here = Waiting()
    here.add(alert(0, "a"), alert(10, "c"), alert(5, "b"), alert(5, "b2"))
    assert [name for _, _, name, _ in here.pending.expire(at(1000))] == ["a", "b", "b2", "c"]


def test_what_a_candidate_took_waits_under_other_rules_only() -> None:
    here = Waiting(1, 4)
    here.add(alert(0), alert(1, "b"))
    here.pending.take("r1", here.bit(0), alert(0))
    assert (here.endable(5, rule=0), here.endable(5, rule=1)) == (["b"], ["a", "b"])
    assert here.pending.outcomes.is_taken("r1", alert(0))
    assert not here.pending.outcomes.is_taken("r4", alert(0))
    assert not here.pending.outcomes.is_taken("r1", alert(1, "b"))
    for _, _, _, hazard in here.pending.expire(at(1000)):
        here.pending.evict(hazard)
    assert not any(hazards.is_in_use for hazards in here.pending.by_rule.values())


def test_a_hazard_may_be_withdrawn() -> None:
    here = Waiting()
    here.add(alert(0), alert(1, "b"))
    here.pending.discard(alert(0), here.matched(alert(0)))
    here.pending.discard(alert(7, "never"), here.matched(alert(0)))
    assert here.endable(5) == ["b"]
    assert len(here.pending) == 1
    here.pending.clear_alert(over(3))
    assert here.pending.by_rule[here.bit()].cleared["db"].count == 1


def test_when_an_alert_was_over_is_written_where_recoveries_are_kept_for_less() -> None:
    for hours, written in ((24, False), (25, True)):
        here = Waiting(hours)
        here.add(alert(0))
        here.pending.clear_alert(over(10))
        outcome = here.pending.outcomes.cell((ANY_RULE, "test", "a"))
        assert (outcome is not None and outcome.cleared_at == at(10)) is written


def test_a_restored_hazard_is_as_it_was() -> None:
    here = Waiting(25, 48)
    event = alert(0)
    here.pending.outcomes.restore((ANY_RULE, "test", "a"), OutcomeSoFar(cleared_at=at(10)))
    here.pending.outcomes.restore(("r25", "test", "a"), OutcomeSoFar(taken=True))
    here.pending.restore(event, here.matched(event))
    assert (here.endable(5, rule=0), here.endable(5, rule=1), here.endable(11, rule=1)) == ([], ["a"], [])
    here.pending.clear_alert(over(30))
    assert here.pending.by_rule[here.bit(1)].cleared["db"].count == 1


@pytest.mark.parametrize(
    ("reason", "waits"),
    [
        (NotOpened.CLEARED_BEFORE_ACTION, False),
        (NotOpened.NO_INTERVENTION, True),
        (NotOpened.UNRELATED_INTERVENTION, True),
    ],
)
def test_what_was_cleared_before_somebody_acted_waits_no_longer(reason: NotOpened, waits: bool) -> None:
    here = Waiting()
    here.pending.outcomes.restore(("r4", "test", "a"), OutcomeSoFar(reason=reason))
    here.pending.restore(alert(0), here.matched(alert(0)))
    assert bool(here.endable(5)) is waits


def test_before_events_are_cut_it_is_noted_who_acted_too_late() -> None:
    here = Waiting()
    here.add(alert(0), alert(0, "cpu", subject="cpu"), alert(0, "n", service="api"))
    here.pending.clear_alert(over(10))
    here.pending.clear_alert(over(20, subject="cpu"))
    here.pending.by_rule[here.bit()].act(["db"], at(15))
    here.pending.note_missed()
    outcome = here.pending.outcomes.cell(("r4", "test", "a"))
    assert outcome is not None
    assert (outcome.reason, outcome.detail) == (NotOpened.CLEARED_BEFORE_ACTION, CLEARED)
    assert here.pending.outcomes.cell(("r4", "test", "cpu")) is None


def test_an_action_at_the_very_end_was_not_too_late() -> None:
    here = Waiting()
    here.add(alert(0))
    here.pending.clear_alert(over(10))
    here.pending.by_rule[here.bit()].act(["db"], at(10))
    here.pending.note_missed()
    assert here.pending.outcomes.cell(("r4", "test", "a")) is None


def test_dropped_hazards_are_told_with_the_rules_that_nobody_took_them_for() -> None:
    here = Waiting(1, 4)
    here.add(alert(1, "b"), alert(0), alert(2, "c"))
    here.pending.take("r1", here.bit(0), alert(0))
    here.pending.outcomes.record("r4", alert(0), NotOpened.UNRELATED_INTERVENTION, "x")
    dropped = here.pending.drop({("test", "a"), ("test", "b"), ("test", "never")})
    assert [(event.id, rules) for event, rules in dropped] == [("a", ("r4",)), ("b", ("r1", "r4"))]
    assert here.endable(5, rule=1) == ["c"]
    assert len(here.pending) == 1
    assert here.pending.outcomes.cell(("r4", "test", "a")) is None


def test_when_the_rules_change_the_outcomes_stay() -> None:
    here = Waiting()
    here.add(alert(0))
    here.pending.outcomes.record("r4", alert(0), NotOpened.UNRELATED_INTERVENTION, "x")
    here.pending.clear()
    assert (len(here.pending), here.pending.by_rule) == (0, {})
    assert here.pending.outcomes.cell(("r4", "test", "a")) is not None
    assert here.pending.expire(at(0) + 100 * DAY) == []
