"""What the service says of itself when somebody asks: whether it can work, and how long its queue is.

Decides nothing; each is looked up at that moment, since it changes without the engine too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from monitor.app.journals import Journal
from monitor.app.metrics import Metrics
from monitor.core.model.events import SECOND
from monitor.core.model.near_miss import UNDECIDED
from monitor.ops import logs
from monitor.ports import Clock, MissingRight, Unavailable, WrongDatabase
from monitor.review.budget import ReviewBudget
from monitor.store.database import Store

PROOF_SECONDS = 5.0
"""So long the readiness waits for its write."""

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


async def measure_queue(store: Store, budget: ReviewBudget, clock: Clock, metrics: Metrics) -> None:
    """These are looked up when somebody asks, since they change without the engine too."""
    try:
        counts = await store.near_misses.counts()
        oldest = await store.near_misses.oldest_undecided_at()
        folded = await budget.folded()
    except Exception as error:  # noqa: BLE001 - the other metrics are wanted most when something is wrong
        if not isinstance(error, Unavailable):
            _log.error("queue_not_measured", exc_info=error)
            metrics.part_failures.inc("queue_metrics")
            return
        # The last known numbers stay; `nearmiss_store_unavailable_total` and the readiness tell why.
        metrics.store_unavailable.inc()
        return
    metrics.undecided_drafts.set(sum(counts.get(state, 0) for state in UNDECIDED))
    metrics.folded_drafts.set(len(folded))
    metrics.oldest_undecided_age.set(0 if oldest is None else max(clock.now() - oldest, 0) / SECOND)
