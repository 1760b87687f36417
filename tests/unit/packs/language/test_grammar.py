"""The rule language: what a rule becomes, and that every mistake is told with its place, all at once."""

from __future__ import annotations

import re

import pytest

from monitor.core.model.conditions import All, Compare, Not
from monitor.core.model.events import DAY, HOUR, MINUTE
from monitor.core.model.rule import Impact, MarginSpec, Pair, Point
from tests.unit.packs.written import GOOD, read, spoilt


def test_a_rule_becomes_a_value() -> None:
    rule, problems = read(GOOD)
    assert problems == []
    assert rule is not None
    assert rule.hazard.kinds == {"alert.fired"}
    assert rule.hazard.where == All(
        (Compare("severity", "at_least", ("high",)), Not(Compare("labels.drill", "present", (True,))))
    )
    assert rule.intervention.within == 30 * MINUTE
    assert rule.intervention.reach == "related"
    assert rule.intervention.pairs == (Pair("subject", "subject"), Pair("labels.cluster", "labels.k8s_cluster"))
    seen, often, page = rule.clauses
    assert (seen.name, seen.at_least, seen.at_most) == ("seen", 0, None)
    assert (often.at_least, often.since, often.until) == (3, Point("intervention", -14 * DAY), Point("intervention"))
    assert (page.at_most, page.since, page.until) == (0, Point("hazard", -30 * MINUTE), Point("hazard"))
    assert (rule.settle, rule.margin) == (5 * MINUTE, MarginSpec("elapsed"))
    assert rule.impact == Impact(2 * HOUR, "expires_at", frozenset({"synthetic", "slo"}))
    assert rule.correlate == ("service", "subject")
    assert (rule.mode, rule.kind, rule.generic) == ("live", "near_miss", False)


def test_the_version_is_of_the_meaning() -> None:
    rule, _ = read(GOOD)
    assert rule is not None
    same = GOOD.replace("  kind: [change.restarted, change.scaled]", "  kind: [change.scaled, change.restarted] # both")
    same = same.replace("rule: page-and-fix", "description: in other words\nrule: page-and-fix")
    same = same[: same.index("examples:")]
    other, _ = read(same)
    assert other is not None
    assert other.version == rule.version
    longer, _ = read(GOOD.replace("within: 30m", "within: 31m"))
    assert longer is not None
    assert longer.version != rule.version


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("rule: page-and-fix", "rule: Page and fix", "1:7: error: 'Page and fix' cannot be a name"),
        ("rule: page-and-fix\n", "", "1:1: error: a rule has no 'rule'"),
        ("family: margin", "familly: margin", "3:1: error: a rule has no key 'familly'"),
        ("family: margin", "family: margins", "3:9: error: family is 'margins'"),
        ("kind: alert.fired\n", "kind: alert.fire\n", "5:9: error: kind is 'alert.fire'"),
        ("kind: alert.fired\n", "kind: []\n", "5:9: error: kind is an empty list"),
        ("severity: {at_least: high}", "severity: {at_least: bad}", "7:26: error: at_least of severity is 'bad'"),
        ("severity: {at_least: high}", "severty: high", "7:5: error: no event has a field 'severty'"),
        ("severity: {at_least: high}", "severity: {min: high}", "7:16: error: there is no operator 'min'"),
        ("severity: {at_least: high}", "severity: [high, urgent]", "7:22: error: severity is never 'urgent'"),
        ("severity: {at_least: high}", "title: {matches: '(a'}", "7:22: error: not a regular expression"),
        ("severity: {at_least: high}", "title: {matches: '(?=a)'}", "7:22: error: not a regular expression"),
        (
            "severity: {at_least: high}",
            "expires_at: 2026-01-01T00:00:00Z",
            "error: expires_at is compared for equality",
        ),
        (
            "severity: {at_least: high}",
            "derived.time_left: {below: soon}",
            "error: below of derived.time_left is 'soon'",
        ),
        ("severity: {at_least: high}", "value: ninety", "7:12: error: value is compared with 'ninety'"),
        ("severity: {at_least: high}", "actor.on_call: yes", "error: actor.on_call is compared with 'yes'"),
        ("severity: {at_least: high}", "actor.on_call: {above: 1}", "error: above cannot order actor.on_call"),
        ("severity: {at_least: high}", "value: {prefix: 9}", "error: prefix is for texts and value is a number"),
        ("severity: {at_least: high}", "service: {same_as: subjct}", "error: no event has a field 'subjct'"),
        ("severity: {at_least: high}", "any: {severity: high}", "7:10: error: any is a mapping"),
        ("severity: {at_least: high}", "service: []", "7:14: error: service has an empty list"),
        ("severity: {at_least: high}", "service: {equals: x}", "error: there is no operator 'equals'"),
        ("within: 30m", "within: 30 minutes", "12:11: error: within is '30 minutes'"),
        ("within: 30m", "within: 30d", "12:11: error: within is 30d"),
        ("within: 30m", "within: 0m", "12:11: error: within is 0s"),
        ("  within: 30m\n", "", "10:3: error: the intervention has no 'within'"),
        ("services: related", "services: relatd", "13:13: error: services is 'relatd'"),
        ("same: [subject, {", "same: [subjct, {", "14:10: error: no event has a field 'subjct'"),
        ("same: [subject]", "same: {actor.id: intervention.actr.id}", "error: no event has a field 'actr.id'"),
        (
            "same: [subject, {",
            "same: [{actor.id: intervention.actor.id}, {",
            "error: no event has a field 'intervention",
        ),
        ("same: [subject, {", "same: [derived.actor, {", "error: derived.actor cannot be compared between events"),
        ("settle: 5m", "correlate: [derived.actor]", "error: derived.actor cannot be compared between events"),
        ("optional: true", "optional: maybe", "error: optional is 'maybe'"),
        ("optional: true", "optional: true, at_least: 2", "error: an optional step has no at_least"),
        ("at_least: 3", "at_least: three", "error: at_least is 'three'"),
        ("at_least: 3", "at_least: 3, at_most: 2", "error: at_most 2 is below at_least 3"),
        ("since: intervention - 14d", "since: last_action", "error: since is 'last_action'"),
        ("since: intervention - 14d", "since: the beginning", "error: since is 'the beginning'"),
        ("since: intervention - 14d", "since: intervention + 1h", "error: since is not before until"),
        ("since: intervention - 14d", "since: intervention - week", "error: 'week' is no duration"),
        (
            "since: intervention - 14d",
            "since: intervention - 20d",
            "error: since lies 20d from intervention; expected at most",
        ),
        ("at_least: 3", "at_least: 257", "error: at_least is '257'; expected a whole number from 0 to 256"),
        ("settle: 5m", "settle: 8d", "error: settle is 8d; expected at most 7d"),
        ("settle: 5m", f"correlate: {['x'] * 201}", "error: correlate has 201 items; expected at most 200"),
        (
            "severity: {at_least: high}",
            f"service: {['x'] * 1001}",
            "error: service has 1001 values; expected at most 1000",
        ),
        ("severity: {at_least: high}", f"service: {{prefix: {['x'] * 1001}}}", "error: service has 1001 values"),
        ("severity: {at_least: high}", f"any: {[{'service': 'x'}] * 501}", "error: a condition of 502 comparisons"),
        ("severity: {at_least: high}", f"title: {{matches: {'x' * 1001}}}", "longer than 1000 characters"),
        ("  page: {", "  seen: {", "error: 'seen' is the name of a step as well"),
        ("  page: {", "  page: {at_least: 1, ", "error: absence 'page' has no key 'at_least'"),
        ("hold: 2h", "hold: 30d", "error: hold is 30d"),
        ("through: expires_at", "through: expiry", "error: through is 'expiry'"),
        ("margin: elapsed", "margin: {measure: elapsed}", "error: margin is a mapping"),
        ("{intervention.kind_words}", "{intervention.kindwords}", "2:8: error: the title has no placeholder"),
        ("{elapsed}", "{elapsed:>5}", "error: {elapsed…} has a format of its own"),
        ("{elapsed}", "{elapsed", "error: the title's braces do not match"),
        ("settle: 5m", "settle: -5m", "error: settle is '-5m'"),
        ("settle: 5m", "generic: perhaps", "error: generic is 'perhaps'"),
        ("settle: 5m", "correlate: []", "error: correlate is empty"),
        ("settle: 5m", "correlate: [service, service]", "error: correlate names 'service' twice"),
        ("settle: 5m", "correlate: [labels.]", "error: no event has a field 'labels.'"),
        ("settle: 5m", "mode: loud", "error: mode is 'loud'"),
    ],
)
def test_each_mistake_is_told_where_it_stands(old: str, new: str, told: str) -> None:
    problems = spoilt(old, new)
    assert any(told in str(problem) for problem in problems), [str(problem) for problem in problems]
    assert all(problem.line > 0 and problem.column > 0 for problem in problems)
    assert all(problem.expected and problem.hint for problem in problems)


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("severity: {at_least: high}", "severty: high", "severity"),
        ("severity: {at_least: high}", "time_left: {below: 7d}", "derived.time_left"),
        ("severity: {at_least: high}", "cluster: a", "labels.cluster"),
        ("severity: {at_least: high}", "actor: human", "derived.actor"),
        ("severity: {at_least: high}", "derived.flipped: true", "derived.flipped_back"),
        ("severity: {at_least: high}", "severity: {'>=': high}", "'at_least'"),
        ("severity: {at_least: high}", "service: {equals: x}", "writing the value itself"),
        ("severity: {at_least: high}", "value: {atleast: 9}", "'at_least'"),
        ("kind: alert.fired\n", "kind: alert.fire\n", "'alert.fired'"),
        ("family: margin", "familly: margin", "'family'"),
        ("{intervention.kind_words}", "{intervention.kindwords}", "{intervention.kind_words}"),
        ("through: expires_at", "through: expires", "'expires_at'"),
        ("severity: {at_least: high}", "severity: {at_least: warn}", "`{at_least: warning}`"),
        ("{intervention.kind_words}", "{hazard.lag}", "{hazard.labels.lag}"),
        ("{intervention.kind_words}", "{intervention.a b}", "{intervention.title}"),
    ],
)
def test_what_may_have_been_meant_is_offered(old: str, new: str, hint: str) -> None:
    assert any(hint in problem.hint for problem in spoilt(old, new)), [str(p) for p in spoilt(old, new)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rule: page-and-fix", "rule: Page and fix"),
        ("rule: page-and-fix", "rule: -1"),
        ("family: margin", "family: edge"),
        ("kind: alert.fired\n", "kind: []\n"),
        ("severity: {at_least: high}", "severity: {}"),
        ("severity: {at_least: high}", "severity: {is: high}"),
        ("severity: {at_least: high}", "value: ninety"),
        ("severity: {at_least: high}", "value: {prefix: 9}"),
        ("severity: {at_least: high}", "actor.on_call: no"),
        ("severity: {at_least: high}", "expires_at: 2026-01-01T00:00:00Z"),
        ("severity: {at_least: high}", "any: {severity: high}"),
        ("within: 30m", "within: 2 hours"),
        ("within: 30m", "within: 30d"),
        ("within: 30m", "within: 0m"),
        ("optional: true", "optional: maybe"),
        ("at_least: 3", "at_least: three"),
        ("at_least: 3", "at_least: 257"),
        ("since: intervention - 14d", "since: intervention + 1h"),
        ("since: intervention - 14d", "since: intervention - 20d"),
        ("since: intervention - 14d", "since: intervention - week"),
        ("settle: 5m", "settle: 8d"),
        ("settle: 5m", "settle: -5m"),
        ("settle: 5m", "mode: loud"),
        ("margin: elapsed", "margin: {measure: elapsed}"),
        ("hold: 2h", "hold: 30d"),
        ("hold: 2h", "hold: 3 days"),
    ],
)
def test_the_line_that_is_offered_is_right(old: str, new: str) -> None:
    (problem,) = [problem for problem in spoilt(old, new) if problem.is_error]
    offered = re.search("`([^`]+)`", problem.hint)
    assert offered, problem.hint
    key = new.partition(":")[0]
    assert offered[1].startswith(f"{key}: "), problem.hint
    _, problems = read(GOOD.replace(old, offered[1] + ("\n" if new.endswith("\n") else "")))
    assert [str(problem) for problem in problems if problem.is_error] == []


def test_all_mistakes_come_at_once_in_the_order_of_the_text() -> None:
    text = GOOD.replace("family: margin", "family: edge").replace("severity: {at_least", "severity: {atleast")
    text = text.replace("within: 30m", "within: soon").replace("hold: 2h", "hold: long").replace("{margin}", "{room}")
    rule, problems = read(text)
    assert rule is None
    assert [problem.line for problem in problems] == [2, 3, 7, 12, 21]


@pytest.mark.parametrize(
    "text", ["[]", "7", "a text", "rule:", "rule: x\nhazard: 3\nintervention: []\nsteps: x\nask: {}"]
)
def test_what_is_no_rule_at_all_is_told_too(text: str) -> None:
    rule, problems = read(text)
    assert rule is None
    assert problems


def test_versions_and_labels_are_compared_as_they_were_written() -> None:
    rule, problems = read(GOOD.replace("severity: {at_least: high}", "labels.version: [1.10, 2]"))
    assert problems == []
    assert rule is not None
    assert isinstance(rule.hazard.where, All)
    assert rule.hazard.where.parts[0] == Compare("labels.version", "one_of", ("1.10", "2"))


def test_a_time_left_is_compared_with_a_duration() -> None:
    rule, problems = read(GOOD.replace("severity: {at_least: high}", "derived.time_left: {above: -1h30m, below: 7d}"))
    assert problems == []
    assert rule is not None
    assert isinstance(rule.hazard.where, All)
    assert rule.hazard.where.parts[0] == All(
        (
            Compare("derived.time_left", "above", (-90.0 * MINUTE,)),
            Compare("derived.time_left", "below", (7.0 * DAY,)),
        )
    )
