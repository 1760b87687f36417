"""Why a condition holds or does not: what was asked, what was found, part by part."""

from __future__ import annotations

from monitor.core.matching.explain import Why, explain_condition
from monitor.core.model.conditions import NO_FACTS, All, AnyOf, Compare, Condition, Not
from monitor.packs.language.regex import make_regex
from tests.support.streams import make_event

ALERT = make_event("alert.fired", 0, severity="high")
HIGH = Compare("severity", "equals", ("high",))
FULL = Compare("title", "contains", ("full",))


def why(condition: Condition | None) -> Why:
    return explain_condition(condition, ALERT, NO_FACTS, make_regex)


def test_without_a_condition_every_event_matches() -> None:
    assert why(None) == Why("no condition", True)


def test_a_comparison_says_what_was_found_and_what_is_missing() -> None:
    assert why(HIGH) == Why("severity equals 'high'", True, "'high'")
    assert why(Compare("severity", "equals", ("low",))) == Why("severity equals 'low'", False, "'high'")
    assert why(Compare("subject", "equals", ("disk",))) == Why("subject equals 'disk'", False, "missing")


def test_a_combination_says_which_part_failed() -> None:
    both = why(All((HIGH, FULL)))
    assert (both.asked, both.held) == ("all of", False)
    assert [part.held for part in both.parts] == [True, False]
    assert (why(AnyOf((HIGH, FULL))).asked, why(AnyOf((HIGH, FULL))).held) == ("any of", True)
    assert why(Not(FULL)).parts == (why(FULL),)
    assert (why(Not(FULL)).asked, why(Not(FULL)).held) == ("not", True)
