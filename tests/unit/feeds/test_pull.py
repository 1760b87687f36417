"""The puller moves its cursor only after what follows is in the journal, catches up in bounded steps, oldest first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from msgspec import structs

from monitor.app.metrics import Metrics
from monitor.asking import QueryFailed
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Event, Instant
from monitor.core.model.reasons import FeedFailure
from monitor.feeds.overview import TROUBLE, overview
from monitor.feeds.pull import OLD, Puller
from monitor.feeds.queries import MOST_STEPS, SETTLE, PulledFeed
from monitor.feeds.states import FeedName, Limits
from monitor.ops.clock import ManualClock
from monitor.ports import Appended, Unavailable
from tests.support.virtual_time import run_in_virtual_time

NOON = 1_800_000_000_000_000 // DAY * DAY + DAY // 2
FEED = PulledFeed(FeedName("checkout", "own", "slo"), "http://p", "x", MINUTE, Limits(0, 0, False, False))
ODD = structs.replace(FEED, name=FeedName("search", "own", "slo"), address="http://odd")


class Site:
    """A Prometheus, a journal and a store of cursors that fail when they are told to."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON + SETTLE)
        self.metrics = Metrics()
        self.asked: list[tuple[int, int]] = []
        self.events: dict[str, Event] = {}
        self.redelivered = 0
        self.cursors: dict[str, str] = {}
        self.failure: QueryFailed | None = None
        self.fails_until = 1_000 * DAY
        self.is_full = False

    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
        self.asked.append(((after - NOON) // MINUTE, (until - NOON) // MINUTE))
        if self.failure is not None and after < NOON + self.fails_until:
            raise self.failure
        return [{"clear": 1.0}] * ((until - after) // feed.step)

    async def append(self, events: Sequence[Event]) -> Appended:
        if self.is_full:
            raise Unavailable("the disk is full")
        self.redelivered += sum(event.id in self.events for event in events)
        self.events |= {event.id: event for event in events}
        return Appended((True,) * len(events))

    async def load(self, feed: str) -> str | None:
        return self.cursors.get(feed)

    async def save(self, feed: str, at: Instant, cursor: str) -> None:
        self.cursors[feed] = cursor

    def puller(self) -> Puller:
        return Puller([FEED], self, self, self, self.clock, self.metrics, lambda _feed: None)

    def counted(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def site() -> Site:
    return Site()


async def test_a_new_feed_looks_back_an_hour(site: Site) -> None:
    assert not await site.puller().pull(FEED)
    assert site.asked == [(-60, 0)]
    assert len(site.events) == 12
    assert site.counted("nearmiss_feed_steps_total", state="clear") == 60


async def test_nothing_is_asked_before_the_next_step_has_settled(site: Site) -> None:
    puller = site.puller()
    await puller.pull(FEED)
    site.clock.advance(MINUTE - SECOND)
    await puller.pull(FEED)
    assert len(site.asked) == 1
    site.clock.advance(SECOND)
    await puller.pull(FEED)
    assert site.asked[1:] == [(0, 1)]


async def test_a_week_away_is_caught_up_in_bounded_steps_oldest_first(site: Site) -> None:
    await site.puller().pull(FEED)
    site.clock.advance(7 * DAY)
    puller = site.puller()
    while await puller.pull(FEED):
        pass
    spans = site.asked[1:]
    assert [end - start for start, end in spans] == [MOST_STEPS] * 28
    assert [start for start, _ in spans] == [number * MOST_STEPS for number in range(28)]
    covered = sorted((event.covers_from or 0, event.time) for event in site.events.values())
    assert covered[0][0] == NOON - HOUR
    assert all(end == start for (_, end), (start, _) in pairwise(covered))
    assert covered[-1][1] == NOON + 7 * DAY


async def test_an_older_cursor_begins_a_month_ago(site: Site) -> None:
    await site.puller().pull(FEED)
    site.clock.advance(100 * DAY)
    await site.puller().pull(FEED)
    assert site.asked[1][0] == 70 * DAY // MINUTE


async def test_asking_again_is_a_redelivery(site: Site) -> None:
    await site.puller().pull(FEED)
    before = dict(site.cursors)
    site.clock.advance(HOUR)
    await site.puller().pull(FEED)
    known = set(site.events)
    # It died after the journal had the events and before the cursor was saved.
    site.cursors = before
    await site.puller().pull(FEED)
    assert set(site.events) == known
    assert site.redelivered == 12


async def test_a_journal_that_is_full_moves_nothing(site: Site) -> None:
    puller = site.puller()
    site.is_full = True
    await puller.pull(FEED)
    assert FEED.name.digest not in site.cursors
    assert site.cursors[FEED.name.digest + TROUBLE] == "the disk is full"
    site.is_full = False
    await puller.pull(FEED)
    assert site.asked == [(-60, 0), (-60, 0)]
    assert len(site.events) == 12


async def test_a_failure_is_counted_and_the_same_steps_are_asked_again(site: Site) -> None:
    puller = site.puller()
    site.failure = QueryFailed(FeedFailure.DENIED, "answered 401")
    assert not await puller.pull(FEED)
    site.failure = None
    await puller.pull(FEED)
    assert site.asked == [(-60, 0), (-60, 0)]
    assert site.counted("nearmiss_feed_failures_total", reason="denied") == 1


@pytest.mark.parametrize("reason", [FeedFailure.TIMEOUT, FeedFailure.TOO_LARGE, FeedFailure.REFUSED])
async def test_less_is_asked_for_where_it_was_too_much(site: Site, reason: FeedFailure) -> None:
    puller = site.puller()
    await puller.pull(FEED)
    site.clock.advance(DAY)
    site.failure = QueryFailed(reason, "too much")
    for _ in range(10):
        await puller.pull(FEED)
    assert [end - start for start, end in site.asked[1:]] == [360, 180, 90, 45, 22, 11, 5, 2, 1, 1]


async def catch_up(puller: Puller) -> None:
    """Rounds until nothing is left to ask for, as the service makes them; ends also where it goes on for ever."""
    for _ in range(300):
        if not await puller.pull(FEED) and puller._known[FEED.name.digest].at >= NOON + 7 * DAY:
            return


async def test_what_is_beyond_the_retention_is_given_up_and_nothing_after_it(site: Site) -> None:
    """A server that refuses old ranges by name, as some do, and answers for the present."""
    await site.puller().pull(FEED)
    site.clock.advance(7 * DAY)
    site.failure = QueryFailed(FeedFailure.REFUSED, "answered 422: beyond the retention", is_final=True)
    site.fails_until = 5 * DAY
    puller = site.puller()
    await catch_up(puller)
    seen = [event for event in site.events.values() if event.time > NOON]
    assert min(event.covers_from or 0 for event in seen) == NOON + 5 * DAY
    assert max(event.time for event in seen) == NOON + 7 * DAY
    assert site.counted("nearmiss_feed_steps_total", state="query_failed") == 5 * DAY / MINUTE
    # No other feed waits meanwhile: each hour that is given up costs two requests.
    assert len([start for start, end in site.asked if end - start == 1]) <= 2 * 5 * 24 + 20


@pytest.mark.parametrize("error", ["answered 503", "answered 422"])
async def test_what_a_server_refuses_for_now_is_not_given_up(site: Site, error: str) -> None:
    """Neither what its proxy refuses, nor anything while it refuses the present as well."""
    await site.puller().pull(FEED)
    site.clock.advance(7 * DAY)
    site.failure = QueryFailed(FeedFailure.REFUSED, error, is_final="422" in error)
    site.fails_until = 5 * DAY if "503" in error else 8 * DAY
    puller = site.puller()
    for _ in range(20):
        await puller.pull(FEED)
    assert puller._known[FEED.name.digest].at == NOON
    assert site.counted("nearmiss_feed_steps_total", state="query_failed") == 0
    site.failure = None
    await catch_up(puller)
    covered = sorted((event.covers_from or 0, event.time) for event in site.events.values())
    assert all(end == start for (_, end), (start, _) in pairwise(covered))
    assert covered[-1][1] == NOON + 7 * DAY


async def test_a_recent_step_that_is_refused_is_never_given_up(site: Site) -> None:
    await site.puller().pull(FEED)
    site.clock.advance(OLD)
    site.failure = QueryFailed(FeedFailure.REFUSED, "answered 422", is_final=True)
    site.fails_until = MINUTE
    puller = site.puller()
    for _ in range(20):
        await puller.pull(FEED)
    assert puller._known[FEED.name.digest].at == NOON


async def test_what_was_seen_and_what_stands_in_the_way_is_kept_for_the_page(site: Site) -> None:
    puller = site.puller()
    await puller.pull(FEED)
    site.clock.advance(10 * MINUTE)
    site.failure = QueryFailed(FeedFailure.DENIED, "answered 401")
    await puller.pull(FEED)
    (view,) = overview([FEED], site.cursors, Catalogue(), site.clock.now()).feeds
    assert view.trouble == "denied: answered 401"
    assert view.behind == 10 * MINUTE
    assert view.cells[-4:] == ("clear", "clear", "clear", "clear")
    # Another process goes on with the same day, and the failure is over.
    site.failure = None
    site.clock.advance(MINUTE)
    await site.puller().pull(FEED)
    (view,) = overview([FEED], site.cursors, Catalogue(), site.clock.now()).feeds
    assert (view.trouble, view.behind, view.blind) == (None, 0, ())
    assert view.cells.count("clear") == 5
    assert view.cells.count("none") == 91


@pytest.mark.parametrize("text", ["", "{}", "[1]", "nonsense"])
async def test_a_cursor_that_cannot_be_read_is_one_that_is_not_there(site: Site, text: str) -> None:
    site.cursors[FEED.name.digest] = text
    await site.puller().pull(FEED)
    assert site.asked == [(-60, 0)]


async def test_a_freshness_in_the_catalogue_makes_reports_more_frequent(site: Site) -> None:
    puller = Puller([FEED], site, site, site, site.clock, site.metrics, lambda _feed: 4 * MINUTE)
    await puller.pull(FEED)
    assert len(site.events) == 30


async def test_another_step_goes_on_where_the_last_one_ended(site: Site) -> None:
    await site.puller().pull(FEED)
    site.clock.advance(2 * HOUR + MINUTE)
    await site.puller().pull(FEED)
    site.clock.advance(HOUR)
    slower = structs.replace(FEED, step=5 * MINUTE)
    await Puller([slower], site, site, site, site.clock, site.metrics, lambda _feed: None).pull(slower)
    assert site.asked[-1] == (120, 180)


async def test_a_stop_ends_it(site: Site) -> None:
    stop = asyncio.Event()
    stop.set()
    await site.puller().run(stop)
    assert await site.puller().round([FEED], stop) is False
    assert site.asked == []


class Odd(Site):
    """One Prometheus raises what nothing expects, the other is well."""

    def __init__(self) -> None:
        super().__init__()
        self.stop = asyncio.Event()

    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
        if feed.address == ODD.address:
            raise ZeroDivisionError
        self.clock.advance(MINUTE)
        if self.clock.now() > NOON + HOUR:
            self.stop.set()
        return await super().steps(feed, after, until)


def test_one_that_fails_in_an_unknown_way_ends_no_other() -> None:
    site = Odd()
    puller = Puller([ODD, FEED], site, site, site, site.clock, site.metrics, lambda _feed: None)
    run_in_virtual_time(asyncio.wait_for(puller.run(site.stop), 24 * 3600))
    assert len(site.asked) > 30
    assert (site.counted("nearmiss_part_failures_total", part="feeds") or 0) > 1
