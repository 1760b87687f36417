"""Housekeeping goes by the clock that it is given, once a minute, and a store that is away does not end it."""

from __future__ import annotations

import asyncio

from monitor.app.metrics import Metrics
from monitor.core.model.events import DAY, Instant
from monitor.ops.clock import ManualClock
from monitor.ops.tasks import WatchedTasks
from monitor.pipeline.housekeeping import Housekeeper
from monitor.ports import Pruned, Retention, StoredSize, Unavailable

NOW = Instant(1_770_000_000_000_000)
POLICY = Retention(events=DAY)


class Store:
    """Says what it was asked; is away at first when `away`."""

    def __init__(self, away: int = 0, more: int = 0) -> None:
        self.asked: list[tuple[Retention, Instant]] = []
        self.away = away
        self.more = more
        self.again = asyncio.Event()

    async def prune(self, retention: Retention, now: Instant) -> Pruned:
        self.asked.append((retention, now))
        if len(self.asked) <= self.away:
            raise Unavailable("the disk is full")
        more = len(self.asked) <= self.more
        if not more:
            self.again.set()
        return Pruned({"journal": 3, "history": 0, "rejects": 1, "not_opened": 0}, more=more)

    async def kept(self) -> StoredSize:
        return StoredSize(total_bytes=1000, events_bytes=700)


async def run_until_done(store: Store, every_seconds: float) -> None:
    """Housekeeping, from its start until nothing more is there to remove."""
    stop = asyncio.Event()
    housekeeper = Housekeeper(store, POLICY, ManualClock(NOW), Metrics())
    async with WatchedTasks() as tasks:
        tasks.start("housekeeping", housekeeper.run(stop, every_seconds=every_seconds), may_end=True)
        async with asyncio.timeout(10):
            await store.again.wait()
        stop.set()
        await tasks.end(grace=10)


async def test_what_was_done_is_counted() -> None:
    store, metrics = Store(), Metrics()

    await Housekeeper(store, POLICY, ManualClock(NOW), metrics).tidy()

    assert store.asked == [(POLICY, NOW)]
    rendered = metrics.render().decode()
    assert 'nearmiss_pruned_rows_total{what="journal"} 3.0' in rendered
    assert "nearmiss_database_bytes 1000.0" in rendered
    assert "nearmiss_kept_events_bytes 700.0" in rendered


async def test_a_store_that_is_away_is_tried_again_until_the_stop() -> None:
    store = Store(away=2)

    await run_until_done(store, every_seconds=0.001)

    assert len(store.asked) >= 3


async def test_while_there_is_more_to_remove_it_goes_on_at_once() -> None:
    store = Store(more=3)

    await run_until_done(store, every_seconds=3600)

    assert len(store.asked) == 4
