"""All steps that want one kind of event, compiled to functions: which of them an event matches, as bits of a mask.

A tree of questions: what several steps ask is asked once, and where the answer is no none of them is looked at. What an
event lacks need not be asked at all, so that events that carry the same fields and labels soon have their own function.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

from monitor.core.matching.folding import FACT_NEEDS, PRESENT, fold
from monitor.core.matching.predicates import Builder, cost_of
from monitor.core.model.conditions import All, Condition, Facts, MakeRegex, fields_of
from monitor.core.model.events import Event
from monitor.core.model.rule import Where
from monitor.core.model.words import is_elsewhere

MaskOf = Callable[[Event, Facts], int]
OFTEN_ABSENT = ("value", "limit", "unit", "expires_at", "previous_expires_at")
"""What most events lack, and many steps ask for."""
WORTH_A_FUNCTION = 200
"""Events that carry the same are asked by the function for all until there were so many: to compile costs as much."""
MOST_FUNCTIONS = 128
"""For one kind, so that a sender of labels at random fills no memory; what comes then goes through the one for all."""
DEEPEST_TREE = 12
"""Python's parser bounds how deeply blocks may be nested."""


class _Carried(NamedTuple):
    """What an event is asked by: which it has of the labels that some step asks for, and which of OFTEN_ABSENT."""

    labels: frozenset[str]
    severity: str | None
    bound: str | None
    fields: tuple[str, ...]


_NO_LABELS = frozenset[str]()
_NO_FIELDS: tuple[str, ...] = ()


class MaskedStep(NamedTuple):
    """A step in a kind's function: its condition, where it may be, and the bits it sets.

    `bit` is set where the environment fits, `non_production_bit` (0: none) where it only would in production.
    """

    condition: Condition | None
    environment: Where
    bit: int
    non_production_bit: int


class _Item(NamedTuple):
    """Questions that must all be answered with yes, the cheapest first, for a bit to be set."""

    questions: tuple[str, ...]
    bit: int


def compile_masks(kind: str, steps: Sequence[MaskedStep], production: frozenset[str], make_regex: MakeRegex) -> MaskOf:
    """What all steps that want a kind say of an event.

    Without `production` every environment counts but those that are called staging and the like.

    Which function answers makes no difference to the mask, so that it does not matter how many events came before; it
    may make one to which facts are asked for on the way. Raises what `compile_condition` raises.
    """
    labels = _labels(steps)
    for_all = _function(steps, {"kind": kind}, production, make_regex)
    functions: dict[_Carried, MaskOf] = {}
    seen: dict[_Carried, int] = {}
    has_none, those_of = labels.isdisjoint, labels.intersection

    def first_asked(carried: _Carried) -> MaskOf:
        times = seen.get(carried, 0) + 1
        if times < WORTH_A_FUNCTION or len(functions) >= MOST_FUNCTIONS:
            if len(seen) >= MOST_FUNCTIONS:
                seen.clear()  # what comes often is soon counted again
            seen[carried] = times
            return for_all
        function = _function(steps, _known(kind, labels, carried), production, make_regex)
        functions[carried] = function
        return function

    def mask(event: Event, facts: Facts) -> int:
        names = _NO_LABELS if has_none(event.labels) else those_of(event.labels)
        if (
            event.value is None
            and event.limit is None
            and event.unit is None
            and event.expires_at is None
            and event.previous_expires_at is None
        ):
            fields = _NO_FIELDS
        else:
            fields = tuple([field for field in OFTEN_ABSENT if getattr(event, field) is not None])
        # A plain tuple finds what is there under a _Carried.
        carried = (names, event.severity, event.bound, fields)
        function: MaskOf | None = functions.get(carried)  # type: ignore[call-overload]  # equal to a _Carried
        return (function or first_asked(_Carried(*carried)))(event, facts)

    return mask


def _known(kind: str, labels: frozenset[str], carried: _Carried) -> dict[str, object]:
    """What is sure of an event that carries so much."""
    known: dict[str, object] = {"kind": kind, "severity": carried.severity, "bound": carried.bound}
    known |= {field: PRESENT if field in carried.fields else None for field in OFTEN_ABSENT}
    known |= {fact: None for fact, field in FACT_NEEDS.items() if known.get(field, ...) is None}
    known |= {f"labels.{name}": PRESENT if name in carried.labels else None for name in labels}
    if "drill" in labels - carried.labels:
        known["derived.drill"] = False
    return known


def _function(
    steps: Sequence[MaskedStep], known: Mapping[str, object], production: frozenset[str], make_regex: MakeRegex
) -> MaskOf:
    """One function for the steps that have a chance where so much is known."""
    builder = Builder(make_regex, hoist=True)
    lines = ["def mask(e, f):", "    m = 0", *_ask(_folded(steps, known), production, builder, 1), "    return m\n"]
    exec("\n".join(lines), builder.constants)  # noqa: S102 -- structure only, never a rule's text
    found: MaskOf = builder.constants["mask"]
    return found


def _labels(steps: Sequence[MaskedStep]) -> frozenset[str]:
    """The labels that some step asks for."""
    fields = {field for step in steps if step.condition is not None for field in fields_of(step.condition)}
    asked = {field.removeprefix("labels.") for field in fields if field.startswith("labels.")}
    return frozenset(asked | ({"drill"} if "derived.drill" in fields else set()))


def _folded(steps: Sequence[MaskedStep], known: Mapping[str, object]) -> list[tuple[MaskedStep, list[Condition]]]:
    """The steps that have a chance, and for each what must hold all together."""
    found = []
    for step in steps:
        left = fold(step.condition, known)
        if left is True:
            found.append((step, list[Condition]()))
        elif left is not False:
            found.append((step, _parts(left)))
    return found


def _ask(
    steps: list[tuple[MaskedStep, list[Condition]]], production: frozenset[str], builder: Builder, depth: int
) -> list[str]:
    """Statements that ask for all steps, here and elsewhere."""
    here, elsewhere = [], []
    for step, parts in steps:
        questions = tuple(builder.expression(part, 0) for part in sorted(parts, key=cost_of))
        if step.environment != "elsewhere":
            here.append(_Item(questions, step.bit))
        if step.environment != "production":
            elsewhere.append(_Item(questions, step.bit))
        elif step.non_production_bit:
            elsewhere.append(_Item(questions, step.non_production_bit))
    indent = _indent(depth)
    counts = f"env in {builder.constant(production)}" if production else f"not {builder.constant(is_elsewhere)}(env)"
    body = [
        f"{indent}env = e.environment",
        f"{indent}if env is None or {counts}:",
        *(_tree(here, depth + 1) or [f"{indent}    pass"]),
    ]
    if elsewhere:
        body += [f"{indent}else:", *_tree(elsewhere, depth + 1)]
    return [*(f"{indent}{name} = {source}" for name, source in builder.prologue()), *body]


def _parts(condition: Condition) -> list[Condition]:
    """What must hold all together."""
    if isinstance(condition, All):
        return [part for whole in condition.parts for part in _parts(whole)]
    return [condition]


def _tree(items: Sequence[_Item], depth: int) -> list[str]:
    """Statements that set the bits: the question that most of them share first."""
    lines: list[str] = []
    if bits := reduce(or_, (item.bit for item in items if not item.questions), 0):
        lines.append(f"{_indent(depth)}m |= {bits}")
    rest = [item for item in items if item.questions]
    while rest:
        asked = Counter(question for item in rest for question in dict.fromkeys(item.questions))
        question, times = max(asked.items(), key=lambda each: each[1], default=("", 0))
        if times < 2 or depth > DEEPEST_TREE:
            break
        lines.append(f"{_indent(depth)}if {question}:")
        inside = [item for item in rest if question in item.questions]
        lines += _tree(
            [_Item(tuple(q for q in item.questions if q != question), item.bit) for item in inside], depth + 1
        )
        rest = [item for item in rest if question not in item.questions]
    for item in rest:
        lines.append(f"{_indent(depth)}if {' and '.join(item.questions)}: m |= {item.bit}")
    return lines


def _indent(depth: int) -> str:
    return "    " * depth
