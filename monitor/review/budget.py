"""The reviewer budget as the review knows it: which drafts are folded now, by the store, the catalogue and the setting.

The decision itself is the core's (`monitor.core.model.budget`); must not know how the fold is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitor.core.model.budget import BudgetedDraft, Fold, QueueOrder, team_of, week_of
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Instant
from monitor.core.model.near_miss import State
from monitor.ports import NearMisses
from monitor.ports.queue import TrailMark

DEFAULT_A_WEEK = 3


class ReviewBudget:
    """`a_week`: live drafts of a team in a week that are shown unfolded; 0 folds nothing."""

    def __init__(
        self,
        near_misses: NearMisses,
        catalogue: Callable[[], Catalogue] = Catalogue,
        a_week: int = DEFAULT_A_WEEK,
    ) -> None:
        """`catalogue` is asked each time, since it may be read anew while the service runs."""
        self._near_misses = near_misses
        self._catalogue = catalogue
        self.a_week = a_week
        self._turn = asyncio.Lock()
        self._fold: Fold | None = None
        self._mark = TrailMark(0)
        self._since: Instant | None = None

    def catalogue(self) -> Catalogue:
        """The catalogue in force."""
        return self._catalogue()

    def teams(self) -> frozenset[str]:
        """The owners that the catalogue knows."""
        return frozenset(each.owner for each in self._catalogue().services.values() if each.owner)

    def team_of(self, service: str | None) -> str:
        return team_of(self._catalogue(), service)

    @property
    def waiting(self) -> int:
        """How many live drafts nobody has begun, when `folded` last looked; 0 without a budget."""
        return 0 if self._fold is None else self._fold.waiting

    @property
    def shown(self) -> frozenset[str] | None:
        """The ids of the live drafts that wait unfolded, when `folded` last looked; None without a budget."""
        return None if self._fold is None else self._fold.shown

    @property
    def in_order(self) -> tuple[QueueOrder, ...]:
        """The folded drafts in the order of the queue, when `folded` last looked."""
        return () if self._fold is None else self._fold.in_order

    def folded_of(self, teams: frozenset[str]) -> int:
        """How many drafts of these teams were folded when `folded` last looked."""
        return 0 if self._fold is None else self._fold.beyond_of(teams)

    async def folded(self) -> frozenset[str]:
        """The ids of the drafts beyond the budget of their team and week. Raises Unavailable.

        Read whole once. From then on each look reads only the records with new lines in the trail.
        """
        if self.a_week <= 0:
            return frozenset()
        async with self._turn:
            fold = await self._caught_up()
        return fold.beyond

    async def _caught_up(self) -> Fold:
        catalogue = self._catalogue()
        fold = await self._with_changes()
        if fold is None:
            asks = await self._near_misses.asked()
            weeks = (week_of(draft.opened_at) for draft in asks.drafts if draft.state == State.DRAFT)
            self._mark, self._since = asks.mark, min(weeks, default=None)
            # In a thread: with very many drafts it takes long, and clicks go on meanwhile.
            fold = await asyncio.to_thread(Fold, asks.drafts, catalogue, self.a_week)
        elif fold.catalogue is not catalogue and fold.catalogue != catalogue:
            fold = await asyncio.to_thread(fold.under, catalogue)
        self._fold = fold
        return fold

    async def _with_changes(self) -> Fold | None:
        """The fold with all that changed; None where it is to be made anew."""
        fold = self._fold
        more = fold is not None
        while fold is not None and more:
            changes = await self._near_misses.asked_since(self._mark)
            if changes is None or any(map(self._is_unread, changes.drafts)):
                return None
            self._mark, more = changes.mark, changes.more
            if changes.ids:
                fold.put(changes.ids, changes.drafts)
        return fold

    def _is_unread(self, draft: BudgetedDraft) -> bool:
        """Whether a draft waits in a week before those that were read: others of its week may have used places."""
        return draft.state == State.DRAFT and (self._since is None or draft.opened_at < self._since)
