"""What is still watched: candidates whose window is open, and when each is judged. The store is asked now and then."""

from __future__ import annotations

import msgspec

from monitor.core.model.events import Instant
from monitor.ports import Query
from monitor.ports.queue import Awaited, Awaiting
from monitor.review.guard import MonotonicClock

MOST = 200
FRESH_SECONDS = 5.0


class WatchedCandidates(msgspec.Struct, frozen=True):
    """The candidates that somebody may see, those that are judged soonest first, and the moment of the first."""

    candidates: tuple[Awaited, ...] = ()

    @property
    def next_at(self) -> Instant | None:
        return min((each.judged_at for each in self.candidates if each.judged_at is not None), default=None)

    @property
    def count(self) -> str:
        return f"{MOST}+" if len(self.candidates) >= MOST else str(len(self.candidates))


class Watching:
    """`awaiting` None: nobody can tell, and nothing is shown."""

    def __init__(self, awaiting: Awaiting | None, clock: MonotonicClock) -> None:
        self._awaiting = awaiting
        self._clock = clock
        self._looked_at = -FRESH_SECONDS
        self._found: tuple[Awaited, ...] = ()

    async def look(self, within: Query) -> WatchedCandidates:
        """Those of the services that a query is restricted to; some seconds old at most. Raises Unavailable."""
        if self._awaiting is None:
            return WatchedCandidates()
        now = self._clock.monotonic()
        if now - self._looked_at >= FRESH_SECONDS:
            self._found = tuple(await self._awaiting.awaited(MOST))
            self._looked_at = now
        services = within.within
        return WatchedCandidates(
            tuple(each for each in self._found if services is None or services & set(each.services))
        )
