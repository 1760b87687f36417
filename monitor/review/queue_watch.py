"""Keeps the metrics of the queue: how many drafts wait for review, and since when the oldest does.

Measured before anybody asks, so that a request for metrics never waits for the store. Decides nothing.
"""

from __future__ import annotations

import asyncio

from monitor.core.model.events import SECOND, Instant
from monitor.core.model.near_miss import UNDECIDED
from monitor.ops import logs
from monitor.ops.stop import stopped_within
from monitor.ports import Clock, NearMisses, Unavailable
from monitor.review.budget import ReviewBudget
from monitor.review.metrics import ReviewMetrics

EVERY_SECONDS = 10.0
"""Between two measurements."""

_log = logs.get_logger("review")


class QueueWatch:
    """The queue changes without the engine too. While the store is away, the last figures stay."""

    def __init__(self, near_misses: NearMisses, budget: ReviewBudget, clock: Clock, metrics: ReviewMetrics) -> None:
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
        """The oldest draft grows older between two measurements."""
        age = 0 if self._oldest is None else max(self._clock.now() - self._oldest, 0)
        self._metrics.oldest_undecided_age.set(age / SECOND)
