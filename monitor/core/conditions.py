"""Predicates over one event: their values, their compilation to plain functions, and why one holds or not.

A field that an event does not have never satisfies a comparison, and a missing field never equals another one.
Regular expressions come in as a callable, so that this module needs no library (and so that the one that is used
takes linear time).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from monitor.core.events import SEVERITIES, Event

Facts = Mapping[str, object]
"""Derived facts of one event (`monitor.core.facts`), by name without the `derived.` prefix."""

Predicate = Callable[[Event, Facts], bool]
Scalar = str | float | bool
MakeRegex = Callable[[str], Callable[[str], bool]]

Operator = Literal[
    "equals",
    "one_of",
    "prefix",
    "suffix",
    "contains",
    "matches",
    "above",
    "at_least",
    "below",
    "at_most",
    "present",
    "same_as",
    "differs_from",
]


class Compare(msgspec.Struct, frozen=True, tag="compare"):
    """One field against operands. `same_as` and `differs_from` name another field and need both to be there."""

    field: str
    operator: Operator
    operands: tuple[Scalar, ...]


class All(msgspec.Struct, frozen=True, tag="all"):
    parts: tuple[Condition, ...]


class AnyOf(msgspec.Struct, frozen=True, tag="any"):
    parts: tuple[Condition, ...]


class Not(msgspec.Struct, frozen=True, tag="not"):
    part: Condition


Condition = Compare | All | AnyOf | Not

EVENT_FIELDS: frozenset[str] = frozenset(
    name for name in Event.__struct_fields__ if name not in ("actor", "labels", "marks")
) | {"actor.id", "actor.kind", "actor.on_call"}
TIME_FIELDS: frozenset[str] = frozenset(
    {"time", "expires_at", "previous_expires_at", "began_at", "covers_from", "received_at"}
)
_SEVERITY_RANK: dict[str, float] = {name: float(len(SEVERITIES) - place) for place, name in enumerate(SEVERITIES)}

Getter = Callable[[Event, Facts], object]


def getter(field: str) -> Getter:
    """How to read a field: an event field, `actor.…`, `labels.…` or `derived.…`. Raises KeyError for another name."""
    if field.startswith("labels."):
        label = field.removeprefix("labels.")
        return lambda event, facts: event.labels.get(label)
    if field.startswith("derived."):
        fact = field.removeprefix("derived.")
        return lambda event, facts: facts.get(fact)
    if field not in EVENT_FIELDS:
        raise KeyError(field)
    if field.startswith("actor."):
        part = field.removeprefix("actor.")
        return lambda event, facts: None if event.actor is None else getattr(event.actor, part)
    return lambda event, facts: getattr(event, field)


def read(field: str, event: Event, facts: Facts) -> object:
    return getter(field)(event, facts)


def compile_condition(condition: Condition | None, make_regex: MakeRegex) -> Predicate:
    """A plain function for a condition; no condition holds always."""
    if condition is None:
        return lambda event, facts: True
    if isinstance(condition, Compare):
        return _compile_compare(condition, make_regex)
    if isinstance(condition, Not):
        inner = compile_condition(condition.part, make_regex)
        return lambda event, facts: not inner(event, facts)
    parts = tuple(compile_condition(part, make_regex) for part in condition.parts)
    if len(parts) == 1:
        return parts[0]
    if isinstance(condition, All):
        return lambda event, facts: all(part(event, facts) for part in parts)
    return lambda event, facts: any(part(event, facts) for part in parts)


def _compile_compare(compare: Compare, make_regex: MakeRegex) -> Predicate:
    get = getter(compare.field)
    operator, operands = compare.operator, compare.operands
    if operator == "present":
        wanted = bool(operands[0])
        return lambda event, facts: (get(event, facts) is not None) is wanted
    if operator in ("same_as", "differs_from"):
        return _compile_two_fields(get, getter(str(operands[0])), operator == "same_as")
    if operator in ("equals", "one_of"):
        allowed = frozenset(operands)
        return lambda event, facts: get(event, facts) in allowed
    if operator == "matches":
        found = make_regex(str(operands[0]))
        return lambda event, facts: isinstance(value := get(event, facts), str) and found(value)
    if operator in ("prefix", "suffix", "contains"):
        return _compile_text(get, operator, tuple(str(operand) for operand in operands))
    return _compile_number(get, operator, operands[0])


def _compile_two_fields(get: Getter, other: Getter, same: bool) -> Predicate:
    def holds(event: Event, facts: Facts) -> bool:
        left, right = get(event, facts), other(event, facts)
        return left is not None and right is not None and (left == right) is same

    return holds


def _compile_text(get: Getter, operator: str, texts: tuple[str, ...]) -> Predicate:
    if operator == "prefix":
        return lambda event, facts: isinstance(value := get(event, facts), str) and value.startswith(texts)
    if operator == "suffix":
        return lambda event, facts: isinstance(value := get(event, facts), str) and value.endswith(texts)
    return lambda event, facts: isinstance(value := get(event, facts), str) and any(t in value for t in texts)


def _compile_number(get: Getter, operator: str, operand: Scalar) -> Predicate:
    limit = _number(operand)
    if limit is None:
        raise ValueError(f"{operator} needs a number, a duration or a severity, not {operand!r}")
    tests: dict[str, Callable[[float], bool]] = {
        "above": lambda number: number > limit,
        "at_least": lambda number: number >= limit,
        "below": lambda number: number < limit,
        "at_most": lambda number: number <= limit,
    }
    test = tests[operator]
    return lambda event, facts: (number := _number(get(event, facts))) is not None and test(number)


def _number(value: object) -> float | None:
    """Numbers as they are, severities by rank (info 1 … critical 4), texts that spell a number; else None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        if value in _SEVERITY_RANK:
            return _SEVERITY_RANK[value]
        try:
            return float(value)
        except ValueError:
            return None
    return None


class Why(msgspec.Struct, frozen=True):
    """One node of an explanation: what was asked, whether it held, what was there, and the parts beneath."""

    asked: str
    held: bool
    found: str = ""
    parts: tuple[Why, ...] = ()


def explain_condition(condition: Condition | None, event: Event, facts: Facts, make_regex: MakeRegex) -> Why:
    """Why a condition holds for an event or does not, part by part."""
    if condition is None:
        return Why("no condition", True)
    held = compile_condition(condition, make_regex)(event, facts)
    if isinstance(condition, Compare):
        found = read(condition.field, event, facts)
        return Why(say(condition), held, "missing" if found is None else f"{found!r}")
    inner = (condition.part,) if isinstance(condition, Not) else condition.parts
    name = {All: "all of", AnyOf: "any of", Not: "not"}[type(condition)]
    return Why(name, held, parts=tuple(explain_condition(part, event, facts, make_regex) for part in inner))


def say(compare: Compare) -> str:
    """A comparison in words, for explanations and errors."""
    operands = ", ".join(repr(operand) if isinstance(operand, str) else f"{operand:g}" for operand in compare.operands)
    if compare.operator == "present":
        return f"{compare.field} is {'present' if compare.operands[0] else 'absent'}"
    if compare.operator == "one_of":
        return f"{compare.field} is one of {operands}"
    return f"{compare.field} {compare.operator.replace('_', ' ')} {operands}"


def fields_of(condition: Condition | None) -> frozenset[str]:
    """Every field that a condition reads."""
    if condition is None:
        return frozenset()
    if isinstance(condition, Compare):
        other = condition.operands if condition.operator in ("same_as", "differs_from") else ()
        return frozenset({condition.field, *map(str, other)})
    inner = (condition.part,) if isinstance(condition, Not) else condition.parts
    return frozenset().union(*(fields_of(part) for part in inner))


def index_key(condition: Condition | None) -> tuple[str, tuple[Scalar, ...]] | None:
    """A field and the values that an event must have there for the condition to have a chance, or None.

    Only equality that every way through the condition needs can be an index; derived facts cannot, since they cost
    more than the look-up saves. The field with the fewest values is chosen.
    """
    if condition is None or isinstance(condition, Not | AnyOf):
        return None
    if isinstance(condition, Compare):
        usable = condition.operator in ("equals", "one_of") and not condition.field.startswith("derived.")
        return (condition.field, condition.operands) if usable else None
    keys = [key for part in condition.parts if (key := index_key(part)) is not None]
    return min(keys, key=lambda key: (len(key[1]), key[0]), default=None)
