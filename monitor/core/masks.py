"""All steps that want one kind of event, compiled to one function: which of them an event plays, as bits of a mask.

A tree of questions: what several steps ask is asked once, and where the answer is no none of them is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from monitor.core.conditions import All, Condition, Facts, MakeRegex, fields_of
from monitor.core.events import Event
from monitor.core.folding import FACT_NEEDS, fold
from monitor.core.predicates import Builder, cost_of
from monitor.core.rule import Where

MaskOf = Callable[[Event, Facts], int]
PLAIN_WITHOUT = ("value", "limit", "bound", "unit", "expires_at", "previous_expires_at")
"""What most events lack, and many steps ask for."""
DEEPEST_TREE = 12
"""Python's parser bounds how deeply blocks may be nested."""


class Asked(NamedTuple):
    """A step in a kind's function: its condition, where it may be, and the bits it sets.

    `bit` is set where the environment fits, `elsewhere_bit` (0: none) where it only would in production.
    """

    condition: Condition | None
    environment: Where
    bit: int
    elsewhere_bit: int


class _Item(NamedTuple):
    """Questions that must all be answered with yes, the cheapest first, for a bit to be set."""

    questions: tuple[str, ...]
    bit: int


def compile_masks(kind: str, steps: Sequence[Asked], production: frozenset[str], make_regex: MakeRegex) -> MaskOf:
    """One function for all steps that want a kind; `production` empty means that every environment counts.

    Most events carry no numbers and none of the labels that some step asks for: those are asked what is left then.
    Raises what `compile_condition` raises.
    """
    constants: dict[str, Any] = {}
    labels = _labels(steps)
    plain: dict[str, object] = {
        "kind": kind,
        **dict.fromkeys(PLAIN_WITHOUT),
        **{f"labels.{name}": None for name in labels},
    }
    plain |= {fact: None for fact, field in FACT_NEEDS.items() if field in PLAIN_WITHOUT}
    if "drill" in labels:
        plain["derived.drill"] = False
    lines = ["def mask(e, f):", "    m = 0"]
    conditions = [f"e.{field} is None" for field in PLAIN_WITHOUT]
    if labels:
        constants["without"] = labels.isdisjoint
        conditions.append("without(e.labels)")
    lines.append(f"    if {' and '.join(conditions)}:")
    lines += _ask(_folded(steps, plain), production, Builder(make_regex, hoist=True, constants=constants), 2)
    lines.append("        return m")
    lines += _ask(_folded(steps, {"kind": kind}), production, Builder(make_regex, hoist=True, constants=constants), 1)
    lines.append("    return m\n")
    exec("\n".join(lines), constants)  # noqa: S102 -- structure only, never a rule's text
    found: MaskOf = constants["mask"]
    return found


def _labels(steps: Sequence[Asked]) -> frozenset[str]:
    """The labels that some step asks for."""
    fields = {field for step in steps if step.condition is not None for field in fields_of(step.condition)}
    asked = {field.removeprefix("labels.") for field in fields if field.startswith("labels.")}
    return frozenset(asked | ({"drill"} if "derived.drill" in fields else set()))


def _folded(steps: Sequence[Asked], known: Mapping[str, object]) -> list[tuple[Asked, list[Condition]]]:
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
    steps: list[tuple[Asked, list[Condition]]], production: frozenset[str], builder: Builder, depth: int
) -> list[str]:
    """Statements that ask for all steps, here and elsewhere."""
    here, elsewhere = [], []
    for step, parts in steps:
        questions = tuple(builder.expression(part, 0) for part in sorted(parts, key=cost_of))
        if step.environment != "elsewhere":
            here.append(_Item(questions, step.bit))
        if step.environment != "production":
            elsewhere.append(_Item(questions, step.bit))
        elif step.elsewhere_bit:
            elsewhere.append(_Item(questions, step.elsewhere_bit))
    indent = _indent(depth)
    body = _tree(here, depth)
    if production:
        body = [
            f"{indent}env = e.environment",
            f"{indent}if env is None or env in {builder.constant(production)}:",
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


def _without(question: str, item: _Item) -> _Item:
    return _Item(tuple(other for other in item.questions if other != question), item.bit)


def _indent(depth: int) -> str:
    return "    " * depth
