"""What a condition demands as single comparisons, and what follows from them: which exclude, which imply others.

Only says what is sure: what it cannot decide, such as two regular expressions, it takes to be possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from monitor.core.matching.predicates import number_of
from monitor.core.model.conditions import All, Compare, Condition, Scalar
from monitor.located.nodes import Mapping, Node
from monitor.located.problems import Problems
from monitor.packs.language.conditions import read_where
from monitor.packs.language.schema import WORDS

_ABSENT = Compare("", "present", (False,)).operands
_TEXT = {"prefix": str.startswith, "suffix": str.endswith, "contains": str.__contains__}


def entry_alone(node: Mapping, key: str) -> Mapping:
    """A mapping with one of its entries."""
    alone = Mapping(node.place)
    alone.entries[key] = node.entries[key]
    return alone


def demands(node: Node) -> list[Compare]:
    """What must hold wherever this mapping holds, as far as single comparisons say it."""
    return flat(read_where(node, Problems()))


def flat(condition: Condition | None) -> list[Compare]:
    """The comparisons that a condition joins by "and"."""
    if isinstance(condition, Compare):
        return [condition]
    if isinstance(condition, All):
        return [compare for part in condition.parts for compare in flat(part)]
    return []


def is_flat(condition: Condition | None) -> bool:
    if isinstance(condition, All):
        return all(is_flat(part) for part in condition.parts)
    return isinstance(condition, Compare)


def contradiction(compares: Sequence[Compare]) -> tuple[Compare, Compare] | None:
    """Two comparisons of one field that exclude each other, or None. The later one comes last."""
    ordered = sorted(compares, key=lambda compare: compare.field)  # stable: the later one stays later
    for _, group in groupby(ordered, key=lambda compare: compare.field):
        known = list(group)
        for place, later in enumerate(known):
            for earlier in known[:place]:
                if _exclude(earlier, later):
                    return earlier, later
    return None


def implies(compares: Sequence[Compare], wanted: Sequence[Compare]) -> bool:
    """Whether whatever satisfies these comparisons satisfies all of the wanted ones, as far as can be told."""
    return bool(wanted) and all(any(_covers(known, want) for known in compares) for want in wanted)


def _exclude(one: Compare, other: Compare) -> bool:
    if _needs_absence(one) or _needs_absence(other):
        return _needs_absence(one) is not _needs_absence(other)
    first, second = _values(one), _values(other)
    if first is not None:
        return not any(_admits(other, value) for value in first)
    if second is not None:
        return not any(_admits(one, value) for value in second)
    low, high = _range(one), _range(other)
    return low is not None and high is not None and _apart(low, high)


def _covers(known: Compare, want: Compare) -> bool:
    """Whether what satisfies `known` satisfies `want`."""
    if known.field != want.field:
        return False
    if known == want:
        return True
    if _needs_absence(known) or _needs_absence(want):
        return False
    if want.operator == "present":
        return True
    values = _values(known)
    if values is not None:
        return all(_admits(want, value) for value in values)
    inner, outer = _range(known), _range(want)
    return inner is not None and outer is not None and _inside(inner, outer)


def _needs_absence(compare: Compare) -> bool:
    return compare.operator == "present" and compare.operands == _ABSENT


def _values(compare: Compare) -> list[Scalar] | None:
    """The values that satisfy a comparison, where they can be listed."""
    if compare.operator in ("equals", "one_of"):
        return list(compare.operands)
    words = WORDS.get(compare.field)
    if words is not None and compare.operator not in ("same_as", "differs_from", "matches"):
        return [word for word in words if _admits(compare, word)]
    return None


def _admits(compare: Compare, value: Scalar) -> bool:
    """Whether a value may satisfy a comparison: false only where that is sure."""
    operator, operands = compare.operator, compare.operands
    if operator == "present":
        return operands != _ABSENT
    if operator in ("equals", "one_of"):
        return value in operands
    if operator in _TEXT:
        return isinstance(value, str) and any(_TEXT[operator](value, str(operand)) for operand in operands)
    bounds = _range(compare)
    if bounds is None:
        return True
    number = number_of(value)
    return number is not None and not _apart(bounds, (number, False, number, False))


_Range = tuple[float, bool, float, bool]
"""From, whether that itself is left out, to, whether that itself is left out."""


def _range(compare: Compare) -> _Range | None:
    limit = number_of(compare.operands[0]) if compare.operator in ("above", "at_least", "below", "at_most") else None
    if limit is None:
        return None
    strict = compare.operator in ("above", "below")
    if compare.operator in ("above", "at_least"):
        return limit, strict, float("inf"), False
    return float("-inf"), False, limit, strict


def _apart(one: _Range, other: _Range) -> bool:
    return _below(one, other) or _below(other, one)


def _below(one: _Range, other: _Range) -> bool:
    """Whether the first ends before the second begins."""
    return one[2] < other[0] or (one[2] == other[0] and (one[3] or other[1]))


def _inside(inner: _Range, outer: _Range) -> bool:
    above = inner[0] > outer[0] or (inner[0] == outer[0] and (inner[1] or not outer[1]))
    below = inner[2] < outer[2] or (inner[2] == outer[2] and (inner[3] or not outer[3]))
    return above and below
