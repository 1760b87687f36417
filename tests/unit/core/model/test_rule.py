"""What is wrong with a rule as a whole, and how far its steps look."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.model.conditions import Compare
from monitor.core.model.events import DAY, HOUR
from monitor.core.model.rule import Clause, Impact, Intervention, Limit, Pair, Point, Rule, Spent, Step, facts_asked
from tests.support.streams import acted_rule

NOTE = Step(frozenset({"note.added"}))
ALERT = Step(frozenset({"alert.fired"}))
DUE = Step(frozenset({"alert.fired"}), Compare("expires_at", "present", (True,)))


HAZARD, SAFE = Point("hazard"), Point("safe")


def step(name: str = "told", since: Point = HAZARD, until: Point = SAFE, **fields: object) -> Clause:
    return msgspec.structs.replace(Clause(name, NOTE, since, until), **fields)


def itself(**fields: object) -> Intervention:
    return msgspec.structs.replace(Intervention(ALERT, 0, "same", itself=True), **fields)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"impact": Impact(hold=0), "settle": 0},
        {"impact": Impact(hold=7 * DAY), "settle": 7 * DAY},
        {"intervention": Intervention(NOTE, 1)},
        {"intervention": Intervention(NOTE, 14 * DAY)},
        {"hazard": DUE, "intervention": Intervention(NOTE, 90 * DAY)},
        {"intervention": itself()},
        {"clauses": (step(at_least=2, at_most=2),)},
        {"clauses": (step(at_least=256, at_most=256),)},
        {"clauses": (step(since=Point("hazard", -14 * DAY), until=Point("safe", 14 * DAY)),)},
        {"clauses": (step(), step("then", Point("step", 0, "told")))},
    ],
)
def test_a_rule_that_is_right(changes: dict[str, object]) -> None:
    assert acted_rule(**changes).problems() == []


KINDS = "a hazard and an intervention each need at least one kind"
HOLDS = "hold and settle must be between zero and 7 days"
WINDOW = "the intervention's window must be above zero and at most 14 days (90 to a deadline)"
ITSELF = "with itself: true there is no window, no relations and no other service"
OF_HAZARD = "with itself: true the kind must be one of the hazard"
COUNTS = "a step's at_most is below its at_least"
MANY = "a step counts at most 256 events"
FAR = "a step's window reaches at most 14 days from its anchor"
BEFORE = "step then is measured from a step that does not stand before it"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"hazard": Step(frozenset())}, KINDS),
        ({"intervention": Intervention(Step(frozenset()), HOUR)}, KINDS),
        ({"impact": Impact(hold=-1)}, HOLDS),
        ({"impact": Impact(hold=7 * DAY + 1)}, HOLDS),
        ({"settle": -1}, HOLDS),
        ({"settle": 7 * DAY + 1}, HOLDS),
        ({"intervention": Intervention(NOTE, 0)}, WINDOW),
        ({"intervention": Intervention(NOTE, 14 * DAY + 1)}, WINDOW),
        ({"hazard": DUE, "intervention": Intervention(NOTE, 90 * DAY + 1)}, WINDOW),
        ({"intervention": itself(within=1)}, ITSELF),
        ({"intervention": itself(pairs=(Pair("subject", "subject"),))}, ITSELF),
        ({"intervention": itself(limits=(Limit("expires_at"),))}, ITSELF),
        ({"intervention": itself(spent=(Spent("above", 0.5),))}, ITSELF),
        ({"intervention": itself(reach="related")}, ITSELF),
        ({"intervention": itself(step=NOTE)}, OF_HAZARD),
        ({"clauses": (step(at_least=2, at_most=1),)}, COUNTS),
        ({"clauses": (step("fine"), step(at_least=2, at_most=1))}, COUNTS),
        ({"clauses": (step(at_least=257),)}, MANY),
        ({"clauses": (step(at_least=0, at_most=257),)}, MANY),
        ({"clauses": (step(since=Point("hazard", -14 * DAY - 1)),)}, FAR),
        ({"clauses": (step("fine"), step(until=Point("safe", 14 * DAY + 1)))}, FAR),
        ({"clauses": (step("then", Point("step", 0, "told")), step())}, BEFORE),
        ({"clauses": (step("then", until=Point("step", 0, "then")),)}, BEFORE),
        ({"clauses": (step(at_least=0, at_most=0), step("then", Point("step", 0, "told")))}, BEFORE),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match="rule acted: ") as raised:
        acted_rule(**changes)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("since", "until", "last"),
    [
        (Point("hazard"), Point("safe"), True),
        (Point("safe"), Point("intervention"), False),
        (Point("hazard"), Point("intervention"), False),
        (Point("step", 0, "a"), Point("intervention"), True),
        (Point("hazard"), Point("step", 0, "a"), True),
    ],
)
def test_which_step_is_judged_when_all_was_seen(since: Point, until: Point, last: bool) -> None:
    assert step("b", since, until).is_judged_last is last


def test_how_far_a_step_looks_from_the_hazard_and_past_the_end() -> None:
    first = step("first", Point("hazard", -HOUR), Point("safe", 2 * HOUR))
    second = step("second", Point("step", -3 * HOUR, "first"), Point("step", 5 * HOUR, "first"))
    inward = step("inward", Point("hazard", HOUR), Point("safe", -HOUR))
    rule = acted_rule(clauses=(first, second, inward))
    assert [rule.span(clause) for clause in rule.clauses] == [(HOUR, 2 * HOUR), (4 * HOUR, 7 * HOUR), (0, 0)]


def test_a_hazard_with_a_deadline_may_wait_for_ninety_days() -> None:
    assert (acted_rule().has_deadline, acted_rule().longest_window) == (False, 14 * DAY)
    assert (acted_rule(hazard=DUE).has_deadline, acted_rule(hazard=DUE).longest_window) == (True, 90 * DAY)


def test_what_a_rule_is_where_it_says_nothing() -> None:
    rule = Rule("r", "t", "oops", ALERT, Intervention(NOTE, HOUR), "1")
    assert (rule.kind, rule.mode, rule.generic, rule.correlate) == ("near_miss", "live", False, ("service", "subject"))
    assert (rule.settle, rule.impact.hold, rule.margin.measure) == (10 * 60 * 1_000_000, 2 * HOUR, "elapsed")
    assert (rule.intervention.reach, rule.intervention.itself, rule.hazard.environment) == (
        "siblings",
        False,
        "production",
    )
    clause = step()
    assert (clause.reach, clause.at_least, clause.at_most, clause.every) == ("same", 1, None, False)
    assert (Pair("a", "b").equal, Limit("a").before) == (True, True)


def test_which_derived_facts_rules_ask_for() -> None:
    told = Step(frozenset({"note.added"}), Compare("derived.repeats", "at_least", (1.0,)))
    rules = [
        acted_rule(hazard=told),
        acted_rule(clauses=(step(step=Step(frozenset({"note.added"}), Compare("derived.drill", "equals", (True,)))),)),
    ]
    assert facts_asked(rules) == {"repeats", "drill"}


def test_a_step_between_two_others_looks_as_far_as_the_farther_of_them() -> None:
    near = step("near", Point("hazard", -HOUR), Point("safe", HOUR))
    far = step("far", Point("hazard", -3 * HOUR), Point("safe", 5 * HOUR))
    for since, until in (("near", "far"), ("far", "near")):
        between = step("between", Point("step", 0, since), Point("step", 0, until))
        rule = acted_rule(clauses=(near, far, between))
        assert rule.span(between) == (3 * HOUR, 5 * HOUR)
