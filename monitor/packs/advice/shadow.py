"""Rules of a pack that another one makes needless: whatever they find, the other finds too, and would name it.

Says it only where it is sure, by comparing what the rules ask for part by part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.core.model.conditions import All, AnyOf, Compare, Condition
from monitor.core.model.rule import Intervention, Reach, Rule, Step
from monitor.packs.advice.demands import flat, implies

_WIDTH: dict[Reach, int] = {"same": 0, "related": 1, "siblings": 2, "any": 3}


def shadowed(rules: Sequence[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """Pairs of a rule and one that finds whatever it finds; of two that are alike, the later by name with the other.

    A rule that is more specific than a generic one is meant to be so, and one that is only counted hides nothing.
    """
    by_kind: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.mode != "shadow":
            for kind in rule.hazard.kinds:
                by_kind.setdefault(kind, []).append(rule)
    for rule in sorted(rules, key=lambda rule: rule.name):
        rarest = min((by_kind.get(kind, []) for kind in rule.hazard.kinds), key=len, default=[])
        for other in sorted(rarest, key=lambda rule: rule.name):
            if other.name != rule.name and _finds_all_of(other, rule):
                if other.name > rule.name and _finds_all_of(rule, other):
                    continue  # alike: told once, of the later one
                yield rule, other
                break


def _finds_all_of(wide: Rule, narrow: Rule) -> bool:
    if (wide.generic and not narrow.generic) or wide.mode != narrow.mode or wide.kind != narrow.kind:
        return False
    return (
        _covers_step(wide.hazard, narrow.hazard)
        and _covers_action(wide.intervention, narrow.intervention)
        and set(wide.clauses) <= set(narrow.clauses)
        and wide.correlate == narrow.correlate
        and wide.impact == narrow.impact
    )


def _covers_action(wide: Intervention, narrow: Intervention) -> bool:
    return (
        wide.itself is narrow.itself
        and wide.within >= narrow.within
        and _WIDTH[wide.reach] >= _WIDTH[narrow.reach]
        and set(wide.pairs) <= set(narrow.pairs)
        and set(wide.limits) <= set(narrow.limits)
        and set(wide.spent) <= set(narrow.spent)
        and _covers_step(wide.step, narrow.step)
    )


def _covers_step(wide: Step, narrow: Step) -> bool:
    return (
        wide.kinds >= narrow.kinds
        and wide.environment in ("any", narrow.environment)
        and _covers_condition(wide.where, narrow.where)
    )


def _covers_condition(wide: Condition | None, narrow: Condition | None) -> bool:
    """Whether every event that the narrow condition takes is sure to be taken by the wide one."""
    if wide is None or wide == narrow:
        return True
    if isinstance(wide, All):
        return all(_covers_condition(part, narrow) for part in wide.parts)
    if isinstance(narrow, All) and wide in narrow.parts:
        return True
    if isinstance(wide, AnyOf):
        return any(_covers_condition(part, narrow) for part in wide.parts)
    return isinstance(wide, Compare) and implies(flat(narrow), [wide])
