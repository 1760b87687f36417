"""Conditions compiled to plain functions: one generated expression each, so that asking costs little.

The expression is built from the condition's structure alone; every name, text and number in it is bound as a constant,
never written into the source. Regular expressions come in as a callable that takes linear time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from monitor.core.conditions import (
    EVENT_FIELDS,
    SEVERITY_RANK,
    All,
    AnyOf,
    Compare,
    Condition,
    Facts,
    MakeRegex,
    Not,
    Predicate,
    Scalar,
    fields_of,
)
from monitor.core.events import Event
from monitor.core.facts import is_drill
from monitor.core.rule import Where

DEEPEST = 40
"""Python's own parser bounds how deeply an expression may be nested."""

_SYMBOLS = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}


def compile_condition(condition: Condition | None, make_regex: MakeRegex) -> Predicate:
    """A plain function for a condition; no condition holds always.

    Raises KeyError for a field that events do not have, ValueError for an operand that cannot be compared or for a
    condition that is nested too deeply.
    """
    if condition is None:
        return lambda event, facts: True
    builder = _Builder(make_regex)
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


class Asked(NamedTuple):
    """A step in a kind's function: its condition, where it may be, and the bits it sets.

    `bit` is set where the environment fits, `elsewhere_bit` (0: none) where it only would in production.
    """

    condition: Condition | None
    environment: Where
    bit: int
    elsewhere_bit: int


MaskOf = Callable[[Event, Facts], int]


def compile_masks(steps: Sequence[Asked], production: frozenset[str], make_regex: MakeRegex) -> MaskOf:
    """One function for all steps that want a kind: which of them an event plays, as bits.

    Fields are read once and shared by all steps; `production` empty means that every environment counts.
    """
    builder = _Builder(make_regex, hoist=True)
    counts = f"(env is None or env in {builder.constant(production)})" if production else "True"
    body = []
    for step in steps:
        test = "True" if step.condition is None else builder.expression(step.condition, 0)
        if step.environment == "any":
            body.append(f"if {test}: m |= {step.bit}")
        elif step.environment == "elsewhere":
            body.append(f"if env is not None and not counts and {test}: m |= {step.bit}")
        elif step.elsewhere_bit:
            body.append(f"if {test}: m |= {step.bit} if counts else {step.elsewhere_bit}")
        else:
            body.append(f"if counts and {test}: m |= {step.bit}")
    prologue = [f"{name} = {source}" for name, source in builder.hoisted.items()]
    lines = ["env = e.environment", f"counts = {counts}", "m = 0", *prologue, *body, "return m"]
    source = "def mask(e, f):\n" + "".join(f"    {line}\n" for line in lines)
    exec(source, builder.constants)  # noqa: S102 -- structure only, as above
    found: MaskOf = builder.constants["mask"]
    return found


def _cost(condition: Condition) -> int:
    """Derived facts are asked last: they cost more than a field."""
    return int(any(field.startswith("derived.") for field in fields_of(condition)))


class _Builder:
    def __init__(self, make_regex: MakeRegex, hoist: bool = False) -> None:
        self.make_regex = make_regex
        self.hoist = hoist
        self.hoisted: dict[str, str] = {}
        self.constants: dict[str, Any] = {
            "__builtins__": {},
            "isinstance": isinstance,
            "str": str,
            "number": number_of,
            "contains": _contains,
            "unasked": object(),
            "drill": is_drill,
        }
        self.variables = 0

    def constant(self, value: object) -> str:
        name = f"c{len(self.constants)}"
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
        parts = [self.expression(part, depth + 1) for part in sorted(condition.parts, key=_cost)]
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
        self.hoisted[f"fact_{name}"] = "unasked"
        return f"(fact_{name} if fact_{name} is not unasked else (fact_{name} := {source}))"

    def _shared(self, name: str, source: str) -> str:
        """A field that several steps ask for is read once, where the function has room for a local name."""
        if not self.hoist:
            return source
        self.hoisted[f"field_{name}"] = source
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
            test = f"{self.constant(self.make_regex(texts[0]))}({name})"
        elif operator == "contains":
            test = f"contains({name}, {self.constant(texts)})"
        else:
            method = "startswith" if operator == "prefix" else "endswith"
            test = f"{name}.{method}({self.constant(texts)})"
        return f"(isinstance({name} := {field}, str) and {test})"

    def number(self, name: str, field: str, operator: str, operand: Scalar) -> str:
        limit = number_of(operand)
        if limit is None:
            raise ValueError(f"{operator} needs a number, a duration or a severity, not {operand!r}")
        test: Callable[[float], bool] = {
            "above": limit.__lt__,
            "at_least": limit.__le__,
            "below": limit.__gt__,
            "at_most": limit.__ge__,
        }[operator]
        if name == "severity":
            return f"({field} in {self.constant(frozenset(s for s, rank in SEVERITY_RANK.items() if test(rank)))})"
        value = self.variable()
        return f"(({value} := number({field})) is not None and {value} {_SYMBOLS[operator]} {self.constant(limit)})"
