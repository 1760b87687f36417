"""How a step's event relates to the hazard: services in reach, equal fields, limits in time, and lead time used up.

One place for the engine and for those who explain it. Knows nothing of windows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import NO_FACTS, Facts, read
from monitor.core.model.events import Event
from monitor.core.model.rule import Clause, Intervention, Limit, Pair, Reach, Spent

FactsOf = Callable[[Event], Facts]


_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "above": float.__gt__,
    "at_least": float.__ge__,
    "below": float.__lt__,
    "at_most": float.__le__,
}


def relates(
    related: Intervention | Clause, hazard: Event, other: Event, facts_of: FactsOf, action: Event | None = None
) -> bool:
    """Whether an event is related to a hazard, and to the action where one is given, in every way that is asked for."""
    for pair in related.pairs:
        held_against = hazard if pair.of == "hazard" or action is None else action
        if not pair_holds(pair, held_against, other):
            return False
    if related.limits and not all(limit_holds(limit, hazard, other, facts_of) for limit in related.limits):
        return False
    return not related.spent or all(spent_holds(spent, hazard, other) for spent in related.spent)


def pair_holds(pair: Pair, hazard: Event, other: Event) -> bool:
    """Whether a field equals (or differs from) that of the other event; a missing one never does."""
    theirs = read(pair.theirs, other, NO_FACTS)
    if theirs is None:
        return False
    mine = [read(field, hazard, NO_FACTS) for field in (pair.hazard, *pair.also)]
    return theirs in mine if pair.equal else None not in mine and theirs not in mine


def limit_holds(limit: Limit, hazard: Event, other: Event, facts_of: FactsOf) -> bool:
    """Whether the event is before (or after) a time that the hazard names; never where it names none."""
    moment = read(limit.field, hazard, facts_of(hazard))
    if not isinstance(moment, int):
        return False
    return other.time < moment if limit.before else other.time > moment


def spent_holds(spent: Spent, hazard: Event, other: Event) -> bool:
    share = share_spent(hazard, other)
    return share is not None and _HOLDS[spent.operator](share, spent.share)


def share_spent(hazard: Event, other: Event) -> float | None:
    """How much of the time between a hazard and its deadline was used up: 1.0 at the deadline, more afterwards.

    All of it, without end, where the hazard came at its deadline or later; None where it names none.
    """
    if hazard.expires_at is None:
        return None
    lead = hazard.expires_at - hazard.time
    return (other.time - hazard.time) / lead if lead > 0 else math.inf


def say_pair(pair: Pair) -> str:
    fields = (" or " if pair.equal else " and ").join((pair.hazard, *pair.also))
    return f"{pair.theirs} {'equal to' if pair.equal else 'other than'} the {pair.of}'s {fields}"


def say_limit(limit: Limit) -> str:
    return f"{'before' if limit.before else 'after'} the hazard's {limit.field}"


def say_spent(spent: Spent) -> str:
    words = spent.operator.replace("_", " ")
    return f"{words} {spent.share:.0%} of the time to the deadline spent"


def reach(catalogue: Catalogue, service: str, how: Reach) -> frozenset[str] | None:
    """The services that a step may be on, seen from the hazard's service; None means every one."""
    if how == "any":
        return None
    if how == "same":
        return frozenset({service})
    if how == "related":
        return catalogue.neighbours(service)
    return catalogue.around(service)


def among(services: frozenset[str] | None, index: Mapping[str, object]) -> list[str]:
    """Those of some services (None: of all) that an index has, in a fixed order."""
    return sorted(index if services is None else index.keys() & services)
