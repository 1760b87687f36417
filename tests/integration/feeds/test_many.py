"""Many feeds on one Prometheus: how many requests at a time, what they cost, and whom a slow one holds up."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path

from monitor.app.metrics import Metrics
from monitor.core.model.events import MINUTE
from monitor.feeds.pull import AT_ONCE, Puller
from monitor.feeds.queries import PulledFeed
from monitor.feeds.tools import Tools
from monitor.ops.clock import ManualClock
from monitor.store.database import Store, open_store
from tests.support.fake_prometheus import fake_prometheus, probe_feed

FEEDS, SAMPLE = 500, 50
START = 1_800_000_000_000_000 // MINUTE * MINUTE
SHARE = 0.05
"""Of one core, for all feeds."""
ROUNDS = 3
"""The best of so many counts: what else the machine does only ever adds."""


def feeds(address: str, count: int, name: str = "s") -> list[PulledFeed]:
    return [probe_feed(f"{name}-{number}", address) for number in range(count)]


def puller(store: Store, tools: Tools, feeds: list[PulledFeed], clock: ManualClock) -> Puller:
    return Puller(feeds, tools, store.journal, store.feed_cursors, clock, Metrics(), lambda _feed: None)


async def test_never_more_than_two_requests_at_a_time_and_a_slow_one_holds_up_no_other(tmp_path: Path) -> None:
    clock, stop = ManualClock(START), asyncio.Event()
    with fake_prometheus() as slow, fake_prometheus() as quick:
        async with open_store(f"sqlite:///{tmp_path / 'n.db'}") as store, Tools() as tools:
            slow.go_on.clear()
            every = [*feeds(slow.address, 20, "slow"), *feeds(quick.address, 20, "quick")]
            async with asyncio.TaskGroup() as running:
                running.create_task(puller(store, tools, every, clock).run(stop))
                await asyncio.to_thread(quick.wait, lambda: quick.requests == 20 and quick.at_once == 0)
                await asyncio.to_thread(slow.wait, lambda: slow.at_once == AT_ONCE)
                assert slow.requests == AT_ONCE
                slow.go_on.set()
                await asyncio.to_thread(slow.wait, lambda: slow.requests == 20 and slow.at_once == 0)
                stop.set()
    assert slow.most_at_once == AT_ONCE
    assert quick.most_at_once <= AT_ONCE


async def test_five_hundred_feeds_a_minute_cost_little(tmp_path: Path, record_property: Callable[..., None]) -> None:
    """CPU of this thread, for a part of them: the server, and the files of the database, have threads of their own."""
    clock = ManualClock(START)
    with fake_prometheus() as server:
        async with open_store(f"sqlite:///{tmp_path / 'n.db'}") as store, Tools() as tools:
            asked = feeds(server.address, SAMPLE)
            pulls = puller(store, tools, asked, clock)
            await pulls.round(asked, asyncio.Event())
            spent = []
            for _ in range(ROUNDS):
                clock.advance(MINUTE)
                before = resource.getrusage(resource.RUSAGE_THREAD)
                await pulls.round(asked, asyncio.Event())
                after = resource.getrusage(resource.RUSAGE_THREAD)
                spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert server.requests == (1 + ROUNDS) * SAMPLE
    share = min(spent) / SAMPLE * FEEDS / 60
    record_property("share of a core", round(share, 4))
    assert share < SHARE
