"""How many drafts a team is asked to look at in a week, and which ones are folded because there are more.

A view of the queue and never a reason: nothing is refused or withdrawn by it. Knows no store and no page.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from heapq import nsmallest

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, Instant
from monitor.core.model.near_miss import State

WEEK = 7 * DAY
_MONDAY = 3 * DAY
"""1970-01-01 was a Thursday."""

NOBODY = "no team"
"""The team of a draft that names no service."""


class BudgetedDraft(msgspec.Struct, frozen=True, gc=False):
    """What the budget needs of a draft. `opened_at` in event time; a higher `rank` is looked at first."""

    id: str
    service: str | None
    state: State
    rank: float
    opened_at: Instant
    place: int = 0
    """What people said of its risk, which goes before the rank where drafts are listed; shares out no places."""


QueueOrder = tuple[int, float, int, str]
"""Compares as the queue lists: by place, rank and moment, the highest and the newest first, then by id."""


def order_of(place: int, rank: float, opened_at: int, name: str) -> QueueOrder:
    return (-place, -rank, -opened_at, name)


def team_of(catalogue: Catalogue, service: str | None) -> str:
    """Whose budget it is: that of the owner of the service, else of the service itself."""
    if service is None:
        return NOBODY
    known = catalogue.services.get(service)
    return (known.owner if known is not None else None) or service


def week_of(moment: Instant) -> Instant:
    """When the week of a moment began: Monday 00:00 UTC."""
    return Instant((moment + _MONDAY) // WEEK * WEEK - _MONDAY)


class _Group:
    """What one team is asked in one week."""

    __slots__ = ("shown", "used", "waiting")

    def __init__(self) -> None:
        self.used = 0
        self.waiting: dict[str, BudgetedDraft] = {}
        self.shown: tuple[str, ...] = ()


class _Ordered:
    """Drafts in the order of the queue, kept up as single ones come, move and go."""

    def __init__(self, drafts: Iterable[BudgetedDraft]) -> None:
        self._keys = {draft.id: _order(draft) for draft in drafts}
        self._order = sorted(self._keys.values())
        self._told: tuple[QueueOrder, ...] | None = None

    @property
    def all(self) -> tuple[QueueOrder, ...]:
        if self._told is None:
            self._told = tuple(self._order)
        return self._told

    def put(self, name: str, draft: BudgetedDraft | None) -> None:
        """It is this draft now, or is not among them."""
        before = self._keys.pop(name, None)
        if before is not None:
            del self._order[bisect_left(self._order, before)]
        if draft is not None:
            self._keys[name] = key = _order(draft)
            insort(self._order, key)
        self._told = None


def _order(draft: BudgetedDraft) -> QueueOrder:
    return order_of(draft.place, draft.rank, draft.opened_at, draft.id)


class Fold:
    """Which drafts are folded, kept up while they change: a change costs what its week holds, not what all weeks do.

    A draft that a reviewer has begun or decided has used its place. The places left go to the highest rank, then to the
    newest. Drafts that were merged or withdrawn ask nothing of anybody.
    """

    def __init__(self, drafts: Iterable[BudgetedDraft], catalogue: Catalogue, budget: int) -> None:
        """`budget`: live drafts of a team in a week; at least 1."""
        self.catalogue = catalogue
        self._budget = budget
        self._drafts: dict[str, BudgetedDraft] = {}
        self._group_of: dict[str, _Group] = {}
        self._groups: dict[tuple[str, Instant], _Group] = {}
        self._teams: dict[str | None, str] = {}
        self._waiting: set[str] = set()
        self._shown: set[str] = set()
        self._beyond: frozenset[str] | None = None
        self._left: frozenset[str] | None = None
        self._ordered: _Ordered | None = None
        for draft in {draft.id: draft for draft in drafts}.values():
            self._add(draft)
        for group in self._groups.values():
            self._share_out(group)

    @property
    def waiting(self) -> int:
        """How many drafts nobody has begun, folded or not."""
        return len(self._waiting)

    @property
    def beyond(self) -> frozenset[str]:
        """The ids of the folded drafts."""
        if self._beyond is None:
            self._beyond = frozenset(self._waiting - self._shown)
        return self._beyond

    @property
    def in_order(self) -> tuple[QueueOrder, ...]:
        """The folded drafts in the order of the queue."""
        if self._ordered is None:
            self._ordered = _Ordered(self._drafts[name] for name in self.beyond)
        return self._ordered.all

    @property
    def shown(self) -> frozenset[str]:
        """The ids of the drafts that nobody has begun and that are not folded."""
        if self._left is None:
            self._left = frozenset(self._shown)
        return self._left

    def beyond_of(self, teams: frozenset[str]) -> int:
        """How many drafts of these teams are folded."""
        groups = (group for (team, _), group in self._groups.items() if team in teams)
        return sum(len(group.waiting) - len(group.shown) for group in groups)

    def put(self, gone: Iterable[str], drafts: Iterable[BudgetedDraft]) -> None:
        """Forget the drafts with the ids in `gone`, then take `drafts` as they are now."""
        touched = set(gone)
        changed = {id(group): group for name in touched if (group := self._remove(name)) is not None}
        for draft in drafts:
            touched.add(draft.id)
            for group in (self._remove(draft.id), self._add(draft)):
                if group is not None:
                    changed[id(group)] = group
        # A draft may have gone from one group to another: first all places are taken back, then they are given.
        for group in changed.values():
            self._shown.difference_update(group.shown)
            touched.update(group.shown)
        for group in changed.values():
            self._share_out(group)
            touched.update(group.shown)
        self._beyond = self._left = None
        if self._ordered is not None:
            for name in touched:
                is_folded = name in self._waiting and name not in self._shown
                self._ordered.put(name, self._drafts[name] if is_folded else None)

    def under(self, catalogue: Catalogue) -> Fold:
        """The same drafts, where services may belong to other teams."""
        return Fold(self._drafts.values(), catalogue, self._budget)

    def _add(self, draft: BudgetedDraft) -> _Group | None:
        if draft.state in (State.MERGED, State.WITHDRAWN):
            return None
        team = self._teams.get(draft.service)
        if team is None:
            team = self._teams[draft.service] = team_of(self.catalogue, draft.service)
        key = (team, week_of(draft.opened_at))
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group()
        self._drafts[draft.id], self._group_of[draft.id] = draft, group
        if draft.state == State.DRAFT:
            group.waiting[draft.id] = draft
            self._waiting.add(draft.id)
        else:
            group.used += 1
        return group

    def _remove(self, name: str) -> _Group | None:
        group = self._group_of.pop(name, None)
        if group is None:
            return None
        del self._drafts[name]
        if group.waiting.pop(name, None) is None:
            group.used -= 1
        self._waiting.discard(name)
        return group

    def _share_out(self, group: _Group) -> None:
        places = max(0, self._budget - group.used)
        if len(group.waiting) <= places:
            group.shown = tuple(group.waiting)
        else:
            by_rank = ((-draft.rank, -draft.opened_at, draft.id) for draft in group.waiting.values())
            group.shown = tuple(key[-1] for key in nsmallest(places, by_rank))
        self._shown.update(group.shown)


def folded(drafts: Iterable[BudgetedDraft], catalogue: Catalogue, budget: int) -> frozenset[str]:
    """The ids of the drafts beyond the budget of their team and week; none where the budget is 0 (no budget)."""
    return Fold(drafts, catalogue, budget).beyond if budget > 0 else frozenset()
