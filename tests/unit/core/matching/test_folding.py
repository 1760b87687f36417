"""What is left of a condition where some fields are known beforehand."""

from __future__ import annotations

import pytest

from monitor.core.matching.folding import PRESENT, fold
from monitor.core.model.conditions import All, AnyOf, Compare, Condition, Not, Operator, Scalar


def ask(field: str, operator: Operator = "equals", *operands: Scalar) -> Compare:
    return Compare(field, operator, operands or ("x",))


A, B, C = ask("a"), ask("b"), ask("c")


@pytest.mark.parametrize(
    ("condition", "known", "left"),
    [
        (None, {}, True),
        (A, {}, A),
        (A, {"b": "x"}, A),
        (A, {"a": "x"}, True),
        (A, {"a": "y"}, False),
        (A, {"a": None}, False),
        (A, {"a": PRESENT}, A),
        (ask("a", "one_of", "x", "y"), {"a": "y"}, True),
        (ask("a", "one_of", "x", "y"), {"a": "z"}, False),
        (ask("a", "prefix", "x"), {"a": "xy"}, ask("a", "prefix", "x")),
        (ask("a", "prefix", "x"), {"a": None}, False),
        (ask("a", "present", True), {"a": "x"}, True),
        (ask("a", "present", True), {"a": PRESENT}, True),
        (ask("a", "present", True), {"a": None}, False),
        (ask("a", "present", False), {"a": "x"}, False),
        (ask("a", "present", False), {"a": None}, True),
        (ask("a", "same_as", "b"), {"b": None}, False),
        (ask("a", "differs_from", "b"), {"b": None}, False),
        (ask("a", "same_as", "b"), {"a": None}, False),
        (ask("a", "same_as", "b"), {"a": "x", "b": "x"}, ask("a", "same_as", "b")),
        (ask("a", "equals", "b"), {"b": None}, ask("a", "equals", "b")),
        (ask("severity", "at_least", "high"), {"severity": "critical"}, True),
        (ask("severity", "at_least", "high"), {"severity": "warning"}, False),
        (ask("value", "at_least", 3.0), {"value": 4.0}, ask("value", "at_least", 3.0)),
        (ask("severity", "matches", "hi"), {"severity": "high"}, ask("severity", "matches", "hi")),
    ],
)
def test_a_comparison(condition: Condition | None, known: dict[str, object], left: Condition | bool) -> None:
    assert fold(condition, known) == left


@pytest.mark.parametrize(
    ("condition", "known", "left"),
    [
        (Not(A), {}, Not(A)),
        (Not(A), {"a": "x"}, False),
        (Not(A), {"a": "y"}, True),
        (All((A, B, C)), {}, All((A, B, C))),
        (All((A, B, C)), {"a": "x"}, All((B, C))),
        (All((A, B)), {"a": "x"}, B),
        (All((A, B)), {"a": "x", "b": "x"}, True),
        (All((A, B)), {"b": "y"}, False),
        (All(()), {}, True),
        (AnyOf((A, B, C)), {"a": "y"}, AnyOf((B, C))),
        (AnyOf((A, B)), {"a": "y"}, B),
        (AnyOf((A, B)), {"b": "x"}, True),
        (AnyOf((A, B)), {"a": "y", "b": "y"}, False),
        (AnyOf(()), {}, False),
        (All((Not(A), AnyOf((B, C)))), {"a": "y", "b": "y"}, C),
    ],
)
def test_a_combination(condition: Condition, known: dict[str, object], left: Condition | bool) -> None:
    assert fold(condition, known) == left
