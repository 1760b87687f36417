"""What a written condition does to an event, from the text to the answer."""

from __future__ import annotations

import pytest

from monitor.core.matching.predicates import compile_condition
from monitor.core.model.conditions import say_value
from monitor.core.model.events import DAY, HOUR, MINUTE, Actor, Event, Instant
from monitor.located.nodes import parse_located
from monitor.located.problems import Problems
from monitor.packs.language.conditions import OPERATORS, read_where
from monitor.packs.language.regex import BadPattern, make_regex

EVENT = Event(
    id="a",
    source="pagerduty/acme",
    time=Instant(10 * DAY),
    kind="alert.fired",
    service="api",
    severity="high",
    title="Disk of node-7 at 97 percent",
    actor=Actor("bot", "automation", False),
    labels={"cluster": "live", "k8s_cluster": "live", "workspace": "test", "depth": "12", "version": "1.10"},
    value=97.0,
    limit=100.0,
    expires_at=Instant(10 * DAY + HOUR),
)
FACTS: dict[str, object] = {"share": 0.97, "time_left": HOUR, "off_hours": True, "actor": "automation"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("service: api", True),
        ("service: [web, api]", True),
        ("service: web", False),
        ("environment: production", False),
        ("severity: {at_least: warning}", True),
        ("severity: {above: high}", False),
        ("severity: {at_most: high, at_least: high}", True),
        ("value: 97", True),
        ("value: {above: 96.5, below: 98}", True),
        ("labels.depth: {at_least: 12}", True),
        ("labels.version: 1.10", True),
        ("labels.version: '1.1'", False),
        ("labels.missing: {present: false}", True),
        ("labels.cluster: {present: true}", True),
        ("labels.cluster: {same_as: labels.k8s_cluster}", True),
        ("labels.cluster: {differs_from: labels.workspace}", True),
        ("labels.cluster: {differs_from: labels.missing}", False),
        ("labels.missing: {same_as: labels.gone}", False),
        ("source: {prefix: pagerduty/}", True),
        ("source: {suffix: [acme, other]}", True),
        ("title: {contains: node-}", True),
        ("title: {matches: 'node-[0-9]+ at 9[5-9]'}", True),
        ("title: {matches: '^node'}", False),
        ("actor.on_call: false", True),
        ("derived.off_hours: true", True),
        ("derived.off_rotation: true", False),
        ("derived.share: {at_least: 0.95}", True),
        ("derived.time_left: {below: 2h}", True),
        ("derived.time_left: {below: 30m}", False),
        ("expires_at: {below: 1970-01-12T00:00:00Z}", True),
        ("not: {service: web}", True),
        ("any: [{service: web}, {derived.actor: automation}]", True),
        ("any: [{service: web}, {all: [{value: 97}, {limit: 99}]}]", False),
        ("{service: api, severity: low_is_no_severity}", None),
        ("{service: api, value: 98}", False),
    ],
)
def test_a_condition_from_text_to_answer(text: str, holds: bool | None) -> None:
    problems = Problems()
    node = parse_located(text.encode(), "c.yaml", problems)
    assert node is not None
    condition = read_where(node, problems)
    assert bool(problems.errors) is (holds is None)
    if holds is not None:
        assert condition is not None
        assert compile_condition(condition, make_regex)(EVENT, FACTS) is holds


def test_every_operator_is_tried_above() -> None:
    marks = [mark for mark in test_a_condition_from_text_to_answer.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    texts = " ".join(text for text, _ in marks[0].args[1])
    assert {operator for operator in OPERATORS if f"{operator}:" not in texts} == set()


def test_patterns_take_linear_time() -> None:
    found = make_regex("(a+)+$")
    assert not found("a" * 50_000 + "b")


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a{2,1}", "x" * 1_001])
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        make_regex(pattern)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("severity", "high", "'high'"),
        ("derived.rollback", True, "true"),
        ("value", 0.5, "0.5"),
        ("derived.time_left", 2 * DAY + 6 * HOUR + 1, "2d6h"),
        ("derived.time_left", -90 * MINUTE, "-1h30m"),
        ("derived.previous_time_left", 0, "0s"),
        ("expires_at", 0, "1970-01-01T00:00:00Z"),
        ("derived.opens_at", 0, "1970-01-01T00:00:00Z"),
    ],
)
def test_a_value_is_said_as_people_write_it(field: str, value: object, said: str) -> None:
    assert say_value(field, value) == said
