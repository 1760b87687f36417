"""How many drafts a team is asked to look at in a week, and which ones are folded because there are more.

A view of the queue and never a reason: nothing is refused or withdrawn by it. Knows no store and no page.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, Instant
from monitor.core.model.near_miss import State

WEEK = 7 * DAY
_MONDAY = 3 * DAY
"""1970-01-01 was a Thursday."""

NOBODY = "no team"
"""The team of a draft that names no service."""


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What the budget needs of a draft. `opened_at` in event time; a higher `rank` is looked at first."""

    id: str
    service: str | None
    state: State
    rank: float
    opened_at: Instant


def team_of(catalogue: Catalogue, service: str | None) -> str:
    """Who is asked: the owner of the service, else the service itself, as each is somebody's."""
    if service is None:
        return NOBODY
    known = catalogue.services.get(service)
    return (known.owner if known is not None else None) or service


def week_of(moment: Instant) -> Instant:
    """When the week of a moment began: Monday 00:00 UTC."""
    return Instant((moment + _MONDAY) // WEEK * WEEK - _MONDAY)


def folded(drafts: Iterable[Asked], catalogue: Catalogue, budget: int) -> frozenset[str]:
    """The ids of the drafts beyond the budget of their team and week; none where the budget is 0 (no budget).

    Whatever somebody has begun or decided has used its place. The places that are left go to the highest rank, then
    to the newest. Drafts that were merged or withdrawn ask nothing of anybody.
    """
    if budget <= 0:
        return frozenset()
    groups: dict[tuple[str, Instant], list[Asked]] = {}
    for draft in drafts:
        if draft.state not in (State.MERGED, State.WITHDRAWN):
            groups.setdefault((team_of(catalogue, draft.service), week_of(draft.opened_at)), []).append(draft)
    found: set[str] = set()
    for group in groups.values():
        waiting = [draft for draft in group if draft.state == State.DRAFT]
        places = max(0, budget - (len(group) - len(waiting)))
        waiting.sort(key=lambda draft: (-draft.rank, -draft.opened_at, draft.id))
        found.update(draft.id for draft in waiting[places:])
    return frozenset(found)
