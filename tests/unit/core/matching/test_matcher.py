"""Which steps an event matches: the same answer whether a field's values are looked up in an index or one by one."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import WORTH_AN_INDEX, Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import All, Compare, Condition
from monitor.core.model.events import DAY, HOUR, Event
from monitor.core.model.rule import Clause, Impact, Intervention, Point, Step
from monitor.packs.language.regex import make_regex
from tests.support.streams import BY_HUMAN, HUMAN_ACTIONS, acted_rule, make_event, shop


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


@pytest.mark.parametrize(("environment", "matches"), [(None, True), ("live", True), ("blue", True), ("staging", False)])
def test_where_nothing_is_listed_staging_and_the_like_do_not_count(environment: str | None, matches: bool) -> None:
    alert = Step(frozenset({"alert.fired"}), environment="production")
    rules = Matcher([acted_rule(name="0", hazard=alert)], Catalogue(), LastValues(), make_regex)
    assert matched(rules, make_event("alert.fired", 0, environment=environment)) == (["0"] if matches else [])


def test_a_kind_that_no_step_wants_matches_nothing() -> None:
    rules = matcher(team("blue"))
    assert "note.added" not in rules.kinds
    assert rules.match(make_event("note.added", 0, labels={"team": "blue"}))[0] == 0


def test_a_hazard_of_production_elsewhere_is_noted_and_one_of_anywhere_is_a_hazard() -> None:
    """So that a reason can be given: it was not in production."""
    here, anywhere = Step(frozenset({"alert.fired"})), Step(frozenset({"alert.fired"}), environment="any")
    rules = [acted_rule(name="here", hazard=here), acted_rule(name="anywhere", hazard=anywhere)]
    by = Matcher(rules, shop(), LastValues(), make_regex)
    bits = {name: by.rules[name].hazard for name in ("here", "anywhere")}
    mask = by.match(make_event("alert.fired", 0, environment="staging"))[0]
    assert mask & bits["here"].non_production_bit
    assert not mask & bits["here"].bit
    assert mask & bits["anywhere"].bit
    assert bits["anywhere"].non_production_bit == 0
    assert by.rules["here"].intervention.non_production_bit == 0


def test_how_long_ago_a_step_may_be_asked_for() -> None:
    """A further step until the episode is judged: its window, and the hold after it."""
    seen = Clause("seen", Step(frozenset({"note.added"})), Point("hazard", -HOUR), Point("safe", 2 * HOUR))
    act = Intervention(Step(HUMAN_ACTIONS, BY_HUMAN), 3 * DAY)
    rule = acted_rule(intervention=act, clauses=(seen,), impact=Impact(hold=5 * HOUR))
    compiled = Matcher([rule], shop(), LastValues(), make_regex).rules["acted"]
    (step,) = compiled.clauses
    assert compiled.hazard.look_back == compiled.hazard.look_before == 3 * DAY
    assert compiled.intervention.look_back == 3 * DAY
    due = Step(frozenset({"alert.fired"}), Compare("expires_at", "present", (True,)))
    long = acted_rule(hazard=due, intervention=msgspec.structs.replace(act, within=60 * DAY))
    of_long = Matcher([long], shop(), LastValues(), make_regex).rules["acted"]
    assert (of_long.hazard.look_back, of_long.intervention.look_back) == (60 * DAY, 14 * DAY)
    assert (step.look_back, step.look_before) == (3 * DAY + HOUR + 2 * HOUR + 5 * HOUR, HOUR)
