"""The hourly look: how far back, what it does with more than it looks at, and a store that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from monitor.app.metrics import Metrics
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, HOUR, Event, Instant
from monitor.core.weighing.habits import LEARNING
from monitor.ops.clock import ManualClock
from monitor.packs.language.regex import make_regex
from monitor.pipeline.coverage_watch import LOOKED_BACK, MOST_EVENTS, CoverageWatch, pause
from monitor.pipeline.current_pack import Current, Pack
from monitor.ports import Unavailable

NOW, BEGIN = Instant(1_000 * DAY), Instant(0)


class Past:
    """Events at these times. After `away_from` questions it cannot be asked; after `ends_after` it says stop."""

    def __init__(self, *times: int) -> None:
        self.times = sorted(times)
        self.asked = 0
        self.away_from = self.ends_after = 1_000
        self.stop = asyncio.Event()

    async def span(self, since: Instant = BEGIN, until: Instant = NOW) -> tuple[Instant, Instant] | None:
        self.asked += 1
        if self.asked >= self.ends_after:
            self.stop.set()
        if self.asked > self.away_from:
            raise Unavailable("away")
        return (Instant(self.times[0]), Instant(self.times[-1])) if self.times else None

    async def events(self, since: Instant, until: Instant, service: str | None = None) -> AsyncIterator[Event]:
        for at in self.times:
            if since <= at < until:
                yield Event(id=str(at), source="grafana", time=Instant(at), kind="alert.fired")


def watch(past: Past) -> tuple[CoverageWatch, Metrics]:
    clock, metrics = ManualClock(NOW), Metrics()
    compiled = Matcher((), Catalogue(), LastValues(), make_regex)
    pack = Pack((), Catalogue(), "r", "c", compiled)
    return CoverageWatch(past, Current(pack, clock, metrics), clock, metrics), metrics


async def test_thirty_days_are_looked_at_and_the_first_event_ever_begins_the_learning() -> None:
    made, _ = watch(Past(NOW - 40 * DAY, NOW - 29 * DAY, NOW - DAY, NOW + HOUR))
    looked = await made.look()
    assert (looked.arrived.events, looked.since, looked.is_cut) == (3, NOW - LOOKED_BACK, False)
    assert looked.learning_until == NOW - 40 * DAY + LEARNING


async def test_nothing_has_arrived() -> None:
    looked = await watch(Past())[0].look()
    assert (looked.arrived.events, looked.learning_until) == (0, None)


async def test_more_than_is_looked_at_gives_the_newest_and_the_next_look_begins_there() -> None:
    past = Past(*(NOW - day * DAY for day in range(1, 30)))
    made, _ = watch(past)
    looked = await made.look(most=8)
    assert (looked.arrived.events, looked.is_cut) == (7, False)
    assert looked.since == NOW - LOOKED_BACK // 4
    assert (await made.look(most=8)).since == looked.since
    past.times = past.times[-1:]
    assert (await made.look(most=8)).arrived.events == 1
    assert (await made.look(most=8)).since == NOW - LOOKED_BACK // 2, "fewer events, and it looks further back again"


async def test_an_hour_with_too_many_is_cut() -> None:
    looked = await watch(Past(*(NOW - second for second in range(1, 20))))[0].look(most=5)
    assert (looked.arrived.events, looked.is_cut, looked.since) == (5, True, NOW - HOUR)


def test_it_looks_more_often_while_little_has_arrived() -> None:
    assert [pause(events) for events in (0, 100, 10_000, MOST_EVENTS)] == [60, 60, 360, 3600]


async def test_a_store_that_is_away_leaves_the_last_answer() -> None:
    past = Past(NOW - DAY)
    made, metrics = watch(past)
    past.away_from = 1
    past.ends_after = 3
    await made.run(past.stop, every_seconds=0)
    assert metrics.registry.get_sample_value("nearmiss_store_unavailable_total") == 2
    assert made.looked is not None
    assert made.looked.arrived.events == 1
