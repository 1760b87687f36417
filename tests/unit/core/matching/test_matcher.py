"""Which steps an event matches: the same answer whether a field's values are looked up in an index or one by one."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import WORTH_AN_INDEX, Matcher
from monitor.core.model.conditions import All, Compare, Condition
from monitor.core.model.events import Event
from monitor.core.model.rule import Step
from monitor.packs.language.regex import make_regex
from tests.support.streams import acted_rule, make_event, shop


def matcher(*conditions: Condition) -> Matcher:
    """A rule for each condition on the hazard, named by its place."""
    alerts = [Step(frozenset({"alert.fired"}), condition) for condition in conditions]
    rules = [acted_rule(name=f"{place}", hazard=step) for place, step in enumerate(alerts)]
    return Matcher(rules, shop(), LastValues(), make_regex)


def matched(by: Matcher, event: Event) -> list[str]:
    return [step.rule.name for step in by.matched(by.match(event)[0]).hazards]


def team(*names: str) -> Compare:
    return Compare("labels.team", "one_of", names)


@pytest.mark.parametrize("others", [WORTH_AN_INDEX - 2, WORTH_AN_INDEX, 3 * WORTH_AN_INDEX])
def test_each_rule_gets_the_events_of_its_own_teams_and_no_others(others: int) -> None:
    rules = matcher(team("blue", "green"), team("green"), *(team(f"team {n}") for n in range(others)))
    for name, wanted in (("blue", ["0"]), ("green", ["0", "1"]), ("team 0", ["2"]), ("red", [])):
        assert matched(rules, make_event("alert.fired", 0, labels={"team": name})) == wanted
    assert matched(rules, make_event("alert.fired", 0)) == []


def test_what_is_found_by_its_team_must_meet_the_rest_of_the_condition() -> None:
    high = Compare("severity", "equals", ("high",))
    rules = matcher(*(All((high, team(f"team {n}"))) for n in range(WORTH_AN_INDEX)), high)
    labels = {"team": "team 3"}
    assert matched(rules, make_event("alert.fired", 0, labels=labels, severity="high")) == ["3", "8"]
    assert matched(rules, make_event("alert.fired", 0, labels=labels, severity="low")) == []


def test_another_catalogue_decides_which_environments_count() -> None:
    alert = Step(frozenset({"alert.fired"}), environment="production")
    rules = Matcher([acted_rule(name="0", hazard=alert)], shop(), LastValues(), make_regex)
    event = make_event("alert.fired", 0, environment="live")
    elsewhere = msgspec.structs.replace(shop(), production=frozenset({"live"}))
    other = rules.seeing(LastValues(), elsewhere)
    assert [matched(by, event) for by in (rules, other, other.seeing(LastValues(), shop()))] == [[], ["0"], []]


def test_a_kind_that_no_step_wants_matches_nothing() -> None:
    rules = matcher(team("blue"))
    assert "note.added" not in rules.kinds
    assert rules.match(make_event("note.added", 0, labels={"team": "blue"}))[0] == 0
