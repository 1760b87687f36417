"""What arrived is written down, waits while the store is away, and silence becomes a metric."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from monitor.app.metrics import Metrics
from monitor.core.model.events import HOUR, Event, Instant
from monitor.ops.arrivals import UP, SourceHour, SourceWord
from monitor.ops.clock import ManualClock
from monitor.pipeline.bookkeeping import Bookkeeper
from monitor.ports import Unavailable

NOW = Instant(500_000 * HOUR + 1)


class Book:
    def __init__(self) -> None:
        self.is_away = False
        self.kept: list[SourceHour] = []
        self.said: list[SourceWord] = []

    async def add(self, hours: Sequence[SourceHour], words: Sequence[SourceWord], now: Instant) -> None:
        if self.is_away:
            raise Unavailable("away")
        self.kept += hours
        self.said += words

    async def hours(self, since: Instant) -> list[SourceHour]:
        return self.kept

    async def words(self, since: Instant) -> list[SourceWord]:
        return self.said


def arrive(metrics: Metrics, source: str) -> None:
    metrics.arrivals.delivered(source, NOW, [Event(id="e", source=source, time=NOW, kind="note.added")])


async def test_counts_wait_for_the_store() -> None:
    book, metrics = Book(), Metrics(sources=["github"])
    keeper = Bookkeeper(book, ManualClock(NOW), metrics)
    arrive(metrics, "github")
    book.is_away = True
    with pytest.raises(Unavailable):
        await keeper.write()
    book.is_away = False
    arrive(metrics, "github")
    await keeper.write()
    assert [(each.source, each.received) for each in book.kept] == [("github", 2), (UP, 0)]
    assert [word.count for word in book.said] == [2]


async def test_a_stop_writes_what_is_left() -> None:
    book, metrics = Book(), Metrics()
    stop = asyncio.Event()
    stop.set()
    arrive(metrics, "github")
    await Bookkeeper(book, ManualClock(NOW), metrics).run(stop)
    assert [each.source for each in book.kept] == ["github", UP]


async def test_silence_is_a_metric_by_kind_of_source() -> None:
    book, metrics = Book(), Metrics(sources=["github"])
    clock = ManualClock(Instant(NOW + 50 * HOUR))
    for source in ("github/a", "github/b", "own"):
        book.kept += [SourceHour(source, NOW // HOUR + hour, 1, Instant(NOW + hour * HOUR)) for hour in range(48)]
    book.kept += [SourceHour(UP, NOW // HOUR + hour, 0, NOW) for hour in range(51)]
    keeper = Bookkeeper(book, clock, metrics)
    await keeper.look()
    value = metrics.registry.get_sample_value
    assert value("nearmiss_silent_sources", {"source": "github"}) == 2
    assert value("nearmiss_silent_sources", {"source": "other"}) == 1
    book.kept.append(SourceHour("github/a", NOW // HOUR + 50, 1, Instant(NOW + 50 * HOUR)))
    await keeper.look()
    assert value("nearmiss_silent_sources", {"source": "github"}) == 1
