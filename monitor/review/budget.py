"""The reviewer budget as the review knows it: which drafts are folded now, by the store, the catalogue and the setting.

The decision itself is the core's (`monitor.core.model.budget`); must not know how the fold is shown.
"""

from __future__ import annotations

from collections.abc import Callable

from monitor.core.model.budget import folded, team_of
from monitor.core.model.catalogue import Catalogue
from monitor.ports import NearMisses

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

    def catalogue(self) -> Catalogue:
        """The catalogue in force."""
        return self._catalogue()

    def teams(self) -> frozenset[str]:
        """The owners that the catalogue knows."""
        return frozenset(each.owner for each in self._catalogue().services.values() if each.owner)

    def team_of(self, service: str | None) -> str:
        return team_of(self._catalogue(), service)

    async def folded(self) -> frozenset[str]:
        """The ids of the drafts beyond the budget of their team and week. Raises Unavailable."""
        if self.a_week <= 0:
            return frozenset()
        return folded(await self._near_misses.asked(), self._catalogue(), self.a_week)
