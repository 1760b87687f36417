"""All steps that want one kind of event, compiled to one function: which of them an event plays, as bits of a mask.

A tree of questions: what several steps ask is asked once, and where the answer is no none of them is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from monitor.core.conditions import All, Condition, Facts, MakeRegex
from monitor.core.events import Event
from monitor.core.predicates import Builder, cost_of
from monitor.core.rule import Where

MaskOf = Callable[[Event, Facts], int]
DEEPEST_TREE = 15
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


def compile_masks(steps: Sequence[Asked], production: frozenset[str], make_regex: MakeRegex) -> MaskOf:
    """One function for all steps that want a kind; `production` empty means that every environment counts.

    Raises what `compile_condition` raises.
    """
    builder = Builder(make_regex, hoist=True)
    here, elsewhere = [], []
    for step in steps:
        questions = tuple(builder.expression(part, 0) for part in sorted(_parts(step.condition), key=cost_of))
        if step.environment != "elsewhere":
            here.append(_Item(questions, step.bit))
        if step.environment != "production":
            elsewhere.append(_Item(questions, step.bit))
        elif step.elsewhere_bit:
            elsewhere.append(_Item(questions, step.elsewhere_bit))
    lines = ["def mask(e, f):", "    m = 0"]
    body = _tree(here, 1)
    if production:
        lines += ["    env = e.environment"]
        body = [f"    if env is None or env in {builder.constant(production)}:", *_tree(here, 2)]
        body += ["        pass", "    else:", *_tree(elsewhere, 2), "        pass"]
    lines += [f"    {name} = {source}" for name, source in builder.hoisted.items()]
    exec("\n".join([*lines, *body, "    return m\n"]), builder.constants)  # noqa: S102 -- structure only, never a rule's text
    found: MaskOf = builder.constants["mask"]
    return found


def _parts(condition: Condition | None) -> list[Condition]:
    """What must hold all together."""
    if condition is None:
        return []
    if isinstance(condition, All):
        return [part for whole in condition.parts for part in _parts(whole)]
    return [condition]


def _tree(items: Sequence[_Item], depth: int) -> list[str]:
    """Statements that set the bits: the question that most of them share first."""
    lines: list[str] = []
    rest = list(items)
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
        test = f"if {' and '.join(item.questions)}: " if item.questions else ""
        lines.append(f"{_indent(depth)}{test}m |= {item.bit}")
    return lines


def _without(question: str, item: _Item) -> _Item:
    return _Item(tuple(other for other in item.questions if other != question), item.bit)


def _indent(depth: int) -> str:
    return "    " * depth
