"""What a rule may ask of one event, as values: comparisons of fields, and their combinations.

A field that an event does not have never satisfies a comparison, and a missing field never equals another one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, Protocol

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, SEVERITIES, Event, to_text


class Facts(Protocol):
    """Derived facts of one event (`matching.facts`) by name, without `derived.`; None: not known."""

    def get(self, name: str, /) -> object: ...


class _NoFacts:
    def get(self, name: str, /) -> object:
        return None


NO_FACTS = _NoFacts()
"""For fields of the event itself."""

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
DURATION_FIELDS: frozenset[str] = frozenset({"derived.time_left", "derived.previous_time_left"})
"""Fields that hold microseconds and are written as durations."""
TIME_FIELDS: frozenset[str] = frozenset(
    {"time", "expires_at", "previous_expires_at", "began_at", "covers_from", "received_at"}
)
SEVERITY_RANK: dict[str, float] = {name: float(len(SEVERITIES) - place) for place, name in enumerate(SEVERITIES)}

Getter = Callable[[Event, Facts], object]


@lru_cache(maxsize=1024)
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


def say_value(field: str, value: object) -> str:
    """A field's value as people write it: texts in quotes, durations as `2d6h`, times in RFC 3339."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, int | float):
        return repr(value)
    if field in DURATION_FIELDS:
        return _say_duration(int(value))
    if field in TIME_FIELDS or field == "derived.opens_at":
        return str(to_text(int(value)))
    return f"{value:g}"


def _say_duration(duration: int) -> str:
    """The two largest units, rounded down; a minus where the time is over."""
    rest, parts = abs(duration), []
    for unit, letter in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")):
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count}{letter}")
    return ("-" if duration < 0 else "") + ("".join(parts[:2]) or "0s")


def say(compare: Compare) -> str:
    """A comparison in words, for explanations and errors."""
    operands = ", ".join(say_value(compare.field, operand) for operand in compare.operands)
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


def needs(condition: Condition | None, fields: frozenset[str]) -> bool:
    """Whether whatever satisfies the condition has one of these fields."""
    if condition is None:
        return False
    if isinstance(condition, Compare):
        if condition.operator == "present":
            return condition.field in fields and condition.operands == (True,)
        return not fields.isdisjoint(fields_of(condition))
    if isinstance(condition, Not):
        part = condition.part
        if not isinstance(part, Compare) or part.operator != "present":
            return False
        return part.operands == (False,) and part.field in fields
    if isinstance(condition, All):
        return any(needs(part, fields) for part in condition.parts)
    return bool(condition.parts) and all(needs(part, fields) for part in condition.parts)


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
