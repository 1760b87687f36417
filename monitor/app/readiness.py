"""What the service says of itself: whether it can work, and how long its queue is.

Decides nothing. The first is looked up when somebody asks; the second before that, so that whoever asks for metrics
never waits for the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from monitor.app.journals import Journal
from monitor.app.metrics import Metrics
from monitor.core.model.events import SECOND, Instant
from monitor.core.model.near_miss import UNDECIDED
from monitor.ops import logs
from monitor.ops.stop import stopped_within
from monitor.ports import Clock, MissingRight, NearMisses, Unavailable, WrongDatabase
from monitor.review.budget import ReviewBudget
from monitor.store.database import Store

PROOF_SECONDS = 5.0
"""So long the readiness waits for its write."""
EVERY_SECONDS = 10.0
"""So often the queue is measured."""

_log = logs.get_logger("app")


def store_check(store: Store) -> Callable[[], Awaitable[str | None]]:
    async def check() -> str | None:
        try:
            async with asyncio.timeout(PROOF_SECONDS):
                await store.prove_write()
        except TimeoutError:
            return "the database does not take a write in time"
        except (Unavailable, MissingRight, WrongDatabase) as error:
            return f"nothing can be stored: {error}"
        return None

    return check


def engine_check(journal: Journal) -> Callable[[], Awaitable[str | None]]:
    async def check() -> str | None:
        return journal.engine()

    return check


def memory_check(metrics: Metrics) -> Callable[[], Awaitable[str | None]]:
    async def check() -> str | None:
        evicted = {str(kind): int(count) for kind, count in metrics.evicted.totals.items() if count}
        said = ", ".join(f"{count:,} {kind}" for kind, count in evicted.items())
        return f"evicted for `engine_memory` since the start: {said}; see nearmiss_evicted_total" if said else None

    return check


class QueueWatch:
    """Keeps the metrics of the queue: it changes without the engine too. While the store is away the last ones stay."""

    def __init__(self, near_misses: NearMisses, budget: ReviewBudget, clock: Clock, metrics: Metrics) -> None:
        self._near_misses, self._budget, self._clock, self._metrics = near_misses, budget, clock, metrics
        self._oldest: Instant | None = None

    async def run(self, stop: asyncio.Event, every_seconds: float = EVERY_SECONDS) -> None:
        """Work until `stop`."""
        stopped = stop.is_set()
        while not stopped:
            try:
                await self.measure()
            except Unavailable as error:
                self._metrics.store_unavailable.inc()
                _log.debug("queue_not_measured", why=str(error))
            stopped = await stopped_within(stop, every_seconds)

    async def measure(self) -> None:
        """Once. Raises Unavailable."""
        counts = await self._near_misses.counts()
        self._oldest = await self._near_misses.oldest_undecided_at()
        folded = await self._budget.folded()
        self._metrics.undecided_drafts.set(sum(counts.get(state, 0) for state in UNDECIDED))
        self._metrics.folded_drafts.set(len(folded))
        self.show()

    def show(self) -> None:
        """The oldest draft grows older between two looks."""
        age = 0 if self._oldest is None else max(self._clock.now() - self._oldest, 0)
        self._metrics.oldest_undecided_age.set(age / SECOND)
