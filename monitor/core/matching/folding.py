"""What is left of a condition where some fields are known beforehand: what is sure is not asked again.

Knows conditions as values only, and no event.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.matching.predicates import COMPARISONS, severities_that
from monitor.core.model.conditions import All, AnyOf, Compare, Condition, Not

FACT_NEEDS: dict[str, str] = {
    "derived.share": "value",
    "derived.headroom": "value",
    "derived.trend": "value",
    "derived.time_left": "expires_at",
    "derived.previous_time_left": "previous_expires_at",
}
"""Facts that cannot be derived without a field of the event."""


PRESENT = object()
"""What is known of a field that is there, with whatever value."""


def fold(condition: Condition | None, known: Mapping[str, object]) -> Condition | bool:
    """The condition with what is `known` of some fields filled in; a truth value where that decides.

    `known`: the field's value, None where it is absent, or PRESENT.
    """
    if condition is None:
        return True
    if isinstance(condition, Compare):
        return _fold_compare(condition, known)
    if isinstance(condition, Not):
        part = fold(condition.part, known)
        return (not part) if isinstance(part, bool) else Not(part)
    deciding = isinstance(condition, AnyOf)
    left: list[Condition] = []
    for each in condition.parts:
        part = fold(each, known)
        if not isinstance(part, bool):
            left.append(part)
        elif part is deciding:
            return deciding
    if not left:
        return not deciding
    return left[0] if len(left) == 1 else (AnyOf(tuple(left)) if deciding else All(tuple(left)))


def _fold_compare(compare: Compare, known: Mapping[str, object]) -> Condition | bool:
    if compare.operator in ("same_as", "differs_from") and known.get(str(compare.operands[0]), ...) is None:
        return False
    value = known.get(compare.field, ...)
    if value is ...:
        return compare
    if compare.operator == "present":
        return (value is not None) is bool(compare.operands[0])
    if value is None:
        return False
    if value is PRESENT:
        return compare
    if compare.operator in ("equals", "one_of"):
        return value in compare.operands
    if compare.field == "severity" and compare.operator in COMPARISONS:
        return value in severities_that(compare.operator, compare.operands[0])
    return compare
