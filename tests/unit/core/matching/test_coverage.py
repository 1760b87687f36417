"""Which rules cannot match what arrived, and what was looked at."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from monitor.core.matching.coverage import Blind, StepArrivals
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.conditions import Compare
from monitor.core.model.events import HOUR, MINUTE, Actor, Event, Instant
from monitor.core.model.rule import Clause, Intervention, Point, Rule, Step


def make_regex(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.search(pattern, text) is not None


def rule(*clauses: Clause, hazard: Step | None = None) -> Rule:
    act = Intervention(Step(frozenset({"change.restarted"}), Compare("derived.actor", "equals", ("human",))), HOUR)
    danger = hazard or Step(frozenset({"alert.fired"}), Compare("severity", "equals", ("critical",)))
    return Rule("one", "one", "margin", danger, act, "v", clauses=clauses)


def clause(kind: str, at_least: int = 1, at_most: int | None = None) -> Clause:
    since, until = Point("hazard"), Point("intervention")
    return Clause("seen", Step(frozenset({kind})), since, until, at_least=at_least, at_most=at_most)


def event(number: int, kind: str, **more: object) -> Event:
    fields = {"id": str(number), "source": "grafana/eu", "time": Instant(number * MINUTE), "kind": kind}
    return Event(**{**fields, "service": "shop", **more})  # type: ignore[arg-type]


FIRED = event(1, "alert.fired", severity="critical")
WARNED = event(1, "alert.fired", severity="warning")
RESTARTED = event(2, "change.restarted", actor=Actor("ann", "human"))
BY_A_PROGRAM = event(2, "change.restarted", actor=Actor("bot", "automation"))


def blind(rules: list[Rule], *events: Event, catalogue: Catalogue | None = None) -> tuple[Blind, ...]:
    arrivals = StepArrivals(Matcher(rules, catalogue or Catalogue(), LastValues(), make_regex))
    arrivals.take(events)
    return arrivals.report().blind


@pytest.mark.parametrize(
    ("events", "step", "of_kind"),
    [
        ((), "hazard", 0),
        ((WARNED, RESTARTED), "hazard", 1),
        ((FIRED, BY_A_PROGRAM), "intervention", 1),
        ((FIRED,), "intervention", 0),
    ],
)
def test_the_first_step_that_nothing_satisfied_is_named(events: tuple[Event, ...], step: str, of_kind: int) -> None:
    (found,) = blind([rule()], *events)
    assert (found.rule, found.step, found.of_kind) == ("one", step, of_kind)


def test_what_satisfied_every_needed_step_can_match() -> None:
    assert blind([rule()], FIRED, RESTARTED) == ()
    assert blind([rule(clause("note.added"))], FIRED, RESTARTED)[0].step == "seen"
    assert blind([rule(clause("note.added", at_least=0))], FIRED, RESTARTED) == ()
    assert blind([rule(clause("note.added", at_least=0, at_most=0))], FIRED, RESTARTED) == ()


def test_another_environment_does_not_satisfy_a_step_of_production() -> None:
    shop = Catalogue({"shop": Service("shop", user_facing=True)}, frozenset({"production"}))
    staged = event(1, "alert.fired", severity="critical", environment="staging")
    assert blind([rule()], staged, RESTARTED, catalogue=shop)[0].step == "hazard"
    assert blind([rule()], event(1, "alert.fired", severity="critical", environment="prod"), RESTARTED,
                 catalogue=shop) == ()  # fmt: skip


def test_a_step_that_rests_on_earlier_drafts_is_not_judged_by_events() -> None:
    again = Step(frozenset({"alert.fired"}), Compare("derived.repeats", "at_least", (1,)))
    assert blind([rule(hazard=again)], WARNED, RESTARTED) == ()


def test_sources_kinds_and_times_are_counted() -> None:
    arrivals = StepArrivals(Matcher([rule()], Catalogue(), LastValues(), make_regex))
    arrivals.take([FIRED, RESTARTED, event(3, "note.added", source="slack")])
    found = arrivals.report()
    assert (found.events, found.rules) == (3, 1)
    assert list(found.sources.items()) == [("grafana", 2), ("slack", 1)]
    assert found.kinds == {"alert.fired": 1, "change.restarted": 1, "note.added": 1}
    assert (found.first, found.last) == (FIRED.time, Instant(3 * MINUTE))


def test_of_several_kinds_those_that_came_are_counted_together() -> None:
    hazard = Step(frozenset({"alert.fired", "note.added", "incident.opened"}), Compare("severity", "equals", ("high",)))
    (found,) = blind([rule(hazard=hazard)], WARNED, event(3, "note.added"), event(4, "note.added"))
    assert (found.step, found.of_kind) == ("hazard", 3)
