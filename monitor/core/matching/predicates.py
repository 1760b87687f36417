"""Conditions compiled to plain functions: one generated expression each, so that asking costs little.

The expression is built from the condition's structure alone; every name, text and number in it is bound as a constant,
never written into the source. Regular expressions come in as a callable that takes linear time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache
from operator import ge, gt, le, lt
from typing import Any

from monitor.core.matching.facts import is_drill
from monitor.core.model.conditions import (
    EVENT_FIELDS,
    SEVERITY_RANK,
    TIME_FIELDS,
    All,
    AnyOf,
    Compare,
    Condition,
    MakeRegex,
    Not,
    Predicate,
    Scalar,
)

DEEPEST = 40
"""Python's own parser bounds how deeply an expression may be nested."""

_NUMBERS = TIME_FIELDS | {"value", "limit"}
"""Fields that hold numbers as they are."""
_PLAIN = frozenset({"equals", "one_of", "present"})
COMPARISONS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "above": (">", gt),
    "at_least": (">=", ge),
    "below": ("<", lt),
    "at_most": ("<=", le),
}
"""Operators that compare numbers: as they are written in an expression, and as a function."""
TEXTS_REMEMBERED = 1024
"""For each pattern: names of alerts and subjects repeat, and a match costs as much as thirty look-ups."""
SHORT_TEXT = 200
"""Characters; what is longer is not remembered, so that it fills no memory."""


def compile_condition(condition: Condition | None, make_regex: MakeRegex) -> Predicate:
    """A plain function for a condition; no condition holds always.

    Raises KeyError for a field that events do not have, ValueError for an operand that cannot be compared or for a
    condition that is nested too deeply.
    """
    if condition is None:
        return lambda event, facts: True
    builder = Builder(make_regex)
    source = f"lambda e, f: {builder.expression(condition, 0)}"
    predicate: Predicate = eval(source, builder.constants)  # noqa: S307 -- structure only, see above
    return predicate


def number_of(value: object) -> float | None:
    """Numbers as they are, severities by rank (info 1 … critical 4), texts that spell a number; else None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        if value in SEVERITY_RANK:
            return SEVERITY_RANK[value]
        try:
            number = float(value)
        except ValueError:
            return None
        return None if math.isnan(number) else number
    return None


def _contains(text: str, parts: tuple[str, ...]) -> bool:
    return any(part in text for part in parts)


_BUILTINS: dict[str, Any] = {
    "__builtins__": {},
    "isinstance": isinstance,
    "str": str,
    "number": number_of,
    "contains": _contains,
    "unasked": object(),
    "drill": is_drill,
}


def cost_of(condition: Condition) -> int:
    """In which order to ask: fields, then labels, then texts and numbers that have to be looked into, then facts."""
    if isinstance(condition, Compare):
        if condition.field.startswith("derived."):
            return 3
        if condition.field.startswith("labels."):
            return 1 if condition.operator in _PLAIN else 2
        return 0 if condition.operator in _PLAIN or condition.field == "severity" else 2
    parts = (condition.part,) if isinstance(condition, Not) else condition.parts
    return max(map(cost_of, parts), default=0)


class Builder:
    """Writes expressions. With `hoist` into a function, where what several ask is worked out once (`prologue`)."""

    def __init__(self, make_regex: MakeRegex, hoist: bool = False) -> None:
        """`constants` has the values that the expressions name."""
        self.make_regex = make_regex
        self.hoist = hoist
        self.constants: dict[str, Any] = dict(_BUILTINS)
        self._hoisted: dict[str, str] = {}
        self._patterns: dict[str, dict[str, None]] = {}
        self.variables = 0
        self._names: dict[object, str] = {}

    def prologue(self) -> list[tuple[str, str]]:
        """The local names that the expressions use, and what each begins with."""
        for name, patterns in self._patterns.items():
            self.constants[name] = self._any_of(tuple(patterns))
        return list(self._hoisted.items())

    def _any_of(self, patterns: tuple[str, ...]) -> Callable[[str], bool]:
        """Whether one of several patterns is found, in one go: mostly none is."""
        try:
            return self.make_regex("|".join(f"(?:{pattern})" for pattern in patterns))
        except ValueError:
            # Together they are longer than a pattern may be.
            return lambda text: True

    def constant(self, value: object) -> str:
        """A name for a value; the same values have one name, so that the same questions read alike."""
        parts = tuple(sorted(map(repr, value))) if isinstance(value, frozenset) else (repr(value),)
        key = (type(value), parts) if isinstance(value, frozenset | str | float | tuple) else id(value)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"c{len(self.constants)}"
            self.constants[name] = value
        return name

    def variable(self) -> str:
        self.variables += 1
        return f"v{self.variables}"

    def expression(self, condition: Condition, depth: int) -> str:
        if depth > DEEPEST:
            raise ValueError(f"a condition is nested more than {DEEPEST} deep")
        if isinstance(condition, Compare):
            return self.comparison(condition)
        if isinstance(condition, Not):
            return f"(not {self.expression(condition.part, depth + 1)})"
        parts = [self.expression(part, depth + 1) for part in sorted(condition.parts, key=cost_of)]
        if not parts:
            return "True" if isinstance(condition, All) else "False"
        joint = " or " if isinstance(condition, AnyOf) else " and "
        return f"({joint.join(parts)})"

    def field(self, name: str) -> str:
        if name.startswith("labels."):
            labels = self._shared("labels", "e.labels")
            return f"{labels}.get({self.constant(name.removeprefix('labels.'))})"
        if name.startswith("derived."):
            return self._derived(name.removeprefix("derived."))
        if name not in EVENT_FIELDS:
            raise KeyError(name)
        if name.startswith("actor."):
            part = name.removeprefix("actor.")
            return self._shared(f"actor_{part}", f"(e.actor.{part} if e.actor is not None else None)")
        return self._shared(name, f"e.{name}")

    def _derived(self, name: str) -> str:
        """A derived fact, worked out at most once and only where it is needed."""
        if name == "drill":
            return "drill(e)"
        source = f"f.get({self.constant(name)})"
        if not self.hoist:
            return source
        self._hoisted[f"fact_{name}"] = "unasked"
        return f"(fact_{name} if fact_{name} is not unasked else (fact_{name} := {source}))"

    def _shared(self, name: str, source: str) -> str:
        """A field that several steps ask for is read once, where the function has pending for a local name."""
        if not self.hoist:
            return source
        self._hoisted[f"field_{name}"] = source
        return f"field_{name}"

    def comparison(self, compare: Compare) -> str:
        field, operator, operands = self.field(compare.field), compare.operator, compare.operands
        if operator == "present":
            return f"({field} is not None)" if operands[0] else f"({field} is None)"
        if operator in ("same_as", "differs_from"):
            left, right = self.variable(), self.variable()
            symbol = "==" if operator == "same_as" else "!="
            other = self.field(str(operands[0]))
            return f"(({left} := {field}) is not None and ({right} := {other}) is not None and {left} {symbol} {right})"
        if operator in ("equals", "one_of"):
            return f"({field} in {self.constant(frozenset(operands))})"
        if operator in ("matches", "prefix", "suffix", "contains"):
            return self.text(field, operator, operands)
        return self.number(compare.field, field, operator, operands[0])

    def text(self, field: str, operator: str, operands: tuple[Scalar, ...]) -> str:
        name = self.variable()
        texts = tuple(str(operand) for operand in operands)
        if operator == "matches":
            test = f"{self._chance(field, name, texts[0])}{self.constant(self.make_regex(texts[0]))}({name})"
        elif operator == "contains":
            test = f"contains({name}, {self.constant(texts)})"
        else:
            method = "startswith" if operator == "prefix" else "endswith"
            test = f"{name}.{method}({self.constant(texts)})"
        return f"(isinstance({name} := {field}, str) and {test})"

    def _chance(self, field: str, text: str, pattern: str) -> str:
        """Whether the text has a chance to match: one look for all patterns that are asked of the field."""
        if not self.hoist:
            return ""
        known = f"chance_{self.constant(field)}"
        self._hoisted[known] = "unasked"
        self._patterns.setdefault(f"any_{known}", {})[pattern] = None
        return f"({known} if {known} is not unasked else ({known} := any_{known}({text}))) and "

    def number(self, name: str, field: str, operator: str, operand: Scalar) -> str:
        if name == "severity":
            return f"({field} in {self.constant(severities_that(operator, operand))})"
        limit = _limit(operator, operand)
        value = self.variable()
        read = field if name in _NUMBERS else f"number({field})"
        symbol, _ = COMPARISONS[operator]
        return f"(({value} := {read}) is not None and {value} {symbol} {self.constant(limit)})"


def severities_that(operator: str, operand: Scalar) -> frozenset[str]:
    """Those whose rank compares so with the operand. Raises ValueError for an operand that is no number."""
    limit = _limit(operator, operand)
    _, test = COMPARISONS[operator]
    return frozenset(name for name, rank in SEVERITY_RANK.items() if test(rank, limit))


def _limit(operator: str, operand: Scalar) -> float:
    limit = number_of(operand)
    if limit is None:
        raise ValueError(f"{operator} needs a number, a duration or a severity, not {operand!r}")
    return limit


def remembering(make_regex: MakeRegex) -> MakeRegex:
    """The same patterns and answers, with the answers for short texts cached. Raises what `make_regex` raises."""

    @cache
    def make(pattern: str) -> Callable[[str], bool]:
        search = make_regex(pattern)
        known = lru_cache(maxsize=TEXTS_REMEMBERED)(search)

        def found(text: str) -> bool:
            return known(text) if len(text) <= SHORT_TEXT else search(text)

        return found

    return make
