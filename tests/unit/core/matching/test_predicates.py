"""Conditions by example: each operator at its boundary, how parts are combined, and what is asked first."""

from __future__ import annotations

from collections.abc import Callable

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
)
from monitor.packs.language.regex import make_regex
from tests.support.streams import make_event

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


def test_what_is_cheap_is_asked_before_what_is_dear() -> None:
    cheap, dear = YES, Compare("subject", "matches", ("^d",))
    assert cost_of(cheap) < cost_of(dear) <= cost_of(All((cheap, dear)))


def test_of_labels_equality_is_cheaper_than_a_look_into_the_text() -> None:
    equal, pattern = Compare("labels.team", "equals", ("blue",)), Compare("labels.team", "matches", ("^b",))
    fact = Compare("derived.actor", "equals", ("human",))
    assert cost_of(YES) < cost_of(equal) < cost_of(pattern) < cost_of(fact)


@pytest.mark.parametrize("wrap", [lambda part: All((part,)), lambda part: AnyOf((part,)), Not])
def test_a_condition_is_nested_forty_deep_at_most(wrap: Callable[[Condition], Condition]) -> None:
    condition: Condition = YES
    for _ in range(40):
        condition = wrap(condition)
    holds(condition)
    with pytest.raises(ValueError, match="nested more than 40 deep"):
        holds(wrap(condition))
