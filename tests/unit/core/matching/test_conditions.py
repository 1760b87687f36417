"""Conditions by example: each operator at its boundary, and what a condition reads, needs and can be looked up by."""

from __future__ import annotations

import pytest

from monitor.core.matching.predicates import compile_condition, cost_of, number_of, severities_that
from monitor.core.model.conditions import (
    NO_FACTS,
    All,
    AnyOf,
    Compare,
    Condition,
    Not,
    Scalar,
    fields_of,
    index_key,
    needs,
    read,
    say,
    say_value,
)
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND
from monitor.packs.regex import make_regex
from tests.support.streams import PERSON, make_event

EVENT = make_event(
    "alert.fired",
    0,
    service="api",
    subject="disk-full",
    severity="high",
    value=90.0,
    labels={"a": "x", "b": "x", "c": "y", "n": "7"},
)


def holds(condition: Condition) -> bool:
    return compile_condition(condition, make_regex)(EVENT, NO_FACTS)


@pytest.mark.parametrize(
    ("field", "operator", "operands", "expected"),
    [
        ("subject", "prefix", ("disk",), True),
        ("subject", "prefix", ("full",), False),
        ("subject", "suffix", ("full",), True),
        ("subject", "suffix", ("disk",), False),
        ("subject", "contains", ("k-f",), True),
        ("subject", "contains", ("cpu", "isk"), True),
        ("subject", "contains", ("cpu",), False),
        ("subject", "matches", ("^d.*l$",), True),
        ("subject", "matches", ("^full",), False),
        ("subject", "equals", ("disk-full",), True),
        ("subject", "one_of", ("cpu", "disk-full"), True),
        ("subject", "one_of", ("cpu",), False),
        ("subject", "present", (True,), True),
        ("subject", "present", (False,), False),
        ("limit", "present", (False,), True),
        ("limit", "prefix", ("a",), False),
        ("value", "above", (90,), False),
        ("value", "above", (89.9,), True),
        ("value", "at_least", (90,), True),
        ("value", "at_least", (90.1,), False),
        ("value", "below", (90,), False),
        ("value", "below", (90.1,), True),
        ("value", "at_most", (90,), True),
        ("value", "at_most", (89.9,), False),
        ("limit", "above", (0,), False),
        ("labels.n", "at_least", (7,), True),
        ("labels.n", "above", (7,), False),
        ("labels.a", "above", (0,), False),
        ("labels.a", "same_as", ("labels.b",), True),
        ("labels.a", "same_as", ("labels.c",), False),
        ("labels.a", "differs_from", ("labels.c",), True),
        ("labels.a", "differs_from", ("labels.b",), False),
        ("labels.a", "differs_from", ("labels.none",), False),
        ("severity", "at_least", ("high",), True),
        ("severity", "above", ("high",), False),
        ("severity", "below", ("critical",), True),
    ],
)
def test_an_operator_at_its_boundary(field: str, operator: str, operands: tuple[Scalar, ...], expected: bool) -> None:
    assert holds(Compare(field, operator, operands)) is expected  # type: ignore[arg-type]


YES, NO = Compare("service", "equals", ("api",)), Compare("service", "equals", ("db",))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (All((YES, YES)), True),
        (All((YES, NO)), False),
        (AnyOf((NO, YES)), True),
        (AnyOf((NO, NO)), False),
        (Not(NO), True),
        (Not(YES), False),
        (All((YES, Not(AnyOf((NO, NO))))), True),
    ],
)
def test_parts_are_combined(condition: Condition, expected: bool) -> None:
    assert holds(condition) is expected


def test_no_condition_holds_always() -> None:
    assert compile_condition(None, make_regex)(EVENT, NO_FACTS)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (None, None),
        (True, None),
        (False, None),
        (0, 0.0),
        (2, 2.0),
        ("1.5", 1.5),
        ("x", None),
        ("critical", 4.0),
        ("high", 3.0),
        ("info", 1.0),
    ],
)
def test_a_value_as_a_number(value: object, number: float | None) -> None:
    assert number_of(value) == number


def test_severities_are_compared_by_rank() -> None:
    assert severities_that("at_least", "high") == {"high", "critical"}
    assert severities_that("above", "high") == {"critical"}
    assert severities_that("below", 2) == {"info"}
    with pytest.raises(ValueError, match="needs a number, a duration or a severity, not 'loud'"):
        severities_that("above", "loud")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("subject", "a", "'a'"),
        ("labels.x", True, "true"),
        ("labels.x", False, "false"),
        ("value", 2.0, "2"),
        ("derived.time_left", 2 * DAY + 6 * HOUR + 5 * MINUTE, "2d6h"),
        ("derived.time_left", -90 * SECOND, "-1m30s"),
        ("derived.time_left", 0, "0s"),
        ("expires_at", 0, "1970-01-01T00:00:00Z"),
        ("derived.opens_at", 0, "1970-01-01T00:00:00Z"),
    ],
)
def test_a_value_in_words(field: str, value: object, said: str) -> None:
    assert say_value(field, value) == said


@pytest.mark.parametrize(
    ("compare", "said"),
    [
        (Compare("subject", "present", (True,)), "subject is present"),
        (Compare("subject", "present", (False,)), "subject is absent"),
        (Compare("subject", "one_of", ("a", "b")), "subject is one of 'a', 'b'"),
        (Compare("value", "at_least", (3,)), "value at least 3"),
    ],
)
def test_a_comparison_in_words(compare: Compare, said: str) -> None:
    assert say(compare) == said


def test_what_a_condition_reads() -> None:
    same = Compare("labels.a", "same_as", ("labels.b",))
    assert fields_of(All((same, Not(YES)))) == {"labels.a", "labels.b", "service"}
    assert fields_of(YES) == {"service"}
    assert fields_of(None) == frozenset()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, False),
        (YES, True),
        (Compare("subject", "equals", ("a",)), False),
        (Compare("service", "present", (True,)), True),
        (Compare("service", "present", (False,)), False),
        (Not(Compare("service", "present", (False,))), True),
        (Not(Compare("service", "present", (True,))), False),
        (Not(Compare("subject", "present", (False,))), False),
        (Not(YES), False),
        (All((Compare("subject", "equals", ("a",)), YES)), True),
        (AnyOf((Compare("subject", "equals", ("a",)), YES)), False),
        (AnyOf((YES, NO)), True),
        (AnyOf(()), False),
    ],
)
def test_whether_a_condition_needs_a_field(condition: Condition | None, expected: bool) -> None:
    assert needs(condition, frozenset({"service"})) is expected


def test_an_index_is_the_equality_with_the_fewest_values() -> None:
    two = Compare("subject", "one_of", ("a", "b"))
    assert index_key(All((two, YES))) == ("service", ("api",))
    assert index_key(two) == ("subject", ("a", "b"))
    none: list[Condition | None] = [
        None,
        Not(YES),
        AnyOf((YES, YES)),
        Compare("subject", "prefix", ("a",)),
        Compare("derived.actor", "equals", ("human",)),
    ]
    assert [index_key(each) for each in none] == [None] * len(none)


def test_what_is_cheap_is_asked_before_what_is_dear() -> None:
    cheap, dear = YES, Compare("subject", "matches", ("^d",))
    assert cost_of(cheap) < cost_of(dear) <= cost_of(All((cheap, dear)))


def test_a_field_is_read_from_the_event_its_actor_its_labels_or_the_facts() -> None:
    acted = make_event("change.ran", 0, actor=PERSON, subject="a", labels={"x": "1"})
    names = ("subject", "labels.x", "labels.y", "actor.id", "actor.kind", "derived.drill")
    assert [read(name, acted, NO_FACTS) for name in names] == ["a", "1", None, "p1", "human", None]
    assert read("actor.id", EVENT, NO_FACTS) is None
    with pytest.raises(KeyError, match="colour"):
        read("colour", EVENT, NO_FACTS)
