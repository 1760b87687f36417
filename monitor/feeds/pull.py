"""Pulls feeds on their schedule: asks, appends what follows, and only then moves the cursor.

A failure moves nothing, so the same steps are asked again and our own downtime leaves no gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

import msgspec

from monitor.asking import QueryFailed
from monitor.core.model.events import DAY, HOUR, SECOND, Instant
from monitor.core.model.reasons import FeedFailure, FeedStep
from monitor.feeds import day_strip as history
from monitor.feeds.metrics import FeedMetrics
from monitor.feeds.overview import TROUBLE, CursorState
from monitor.feeds.queries import PulledFeed
from monitor.feeds.states import CATCH_UP_EVERY, Cursor, advance, report_every, state_of
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ops.tasks import WatchedTasks, restarted
from monitor.ports import Clock, FeedCursors, JournalWriter, Unavailable

AT_ONCE = 2
"""Requests to one Prometheus: its feeds are divided among so many tasks."""
FIRST_LOOK = HOUR
LONGEST = 30 * DAY
"""An older cursor starts here: a Prometheus seldom keeps more."""
GIVEN_UP = HOUR
OLD = 6 * HOUR
"""What a server refuses although it answers for the present may be given up when it is so old."""
PAUSE_SECONDS = 15.0
_TOO_MUCH = frozenset({FeedFailure.TIMEOUT, FeedFailure.TOO_LARGE, FeedFailure.REFUSED})

_log = get_logger("feeds")
_CURSOR, _KEPT = msgspec.json.Decoder(Cursor), msgspec.json.Decoder(CursorState)

Freshness = Callable[[PulledFeed], int | None]


class Asked(Protocol):
    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
        """The parts of each step in (after, until]. Raises QueryFailed."""
        ...


class Puller:
    """All feeds of this process. Each Prometheus has its own rounds, so that a slow one delays no other."""

    def __init__(
        self,
        feeds: Sequence[PulledFeed],
        asked: Asked,
        journal: JournalWriter,
        cursors: FeedCursors,
        clock: Clock,
        metrics: FeedMetrics,
        freshness: Freshness,
    ) -> None:
        self._by_address: dict[str, list[PulledFeed]] = {}
        for feed in feeds:
            self._by_address.setdefault(feed.address, []).append(feed)
        self._asked, self._journal, self._cursors = asked, journal, cursors
        self._clock, self._metrics, self._freshness = clock, metrics, freshness
        self._known: dict[str, Cursor] = {}
        self._most: dict[str, int] = {}
        self._failing: dict[str, str] = {}
        self._past: dict[str, list[FeedStep]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Pull until `stop`."""
        async with WatchedTasks() as tasks:
            for address, feeds in self._by_address.items():
                for lane in range(min(AT_ONCE, len(feeds))):
                    name, rounds = f"feeds of {address}, {lane + 1}", partial(self._rounds, feeds[lane::AT_ONCE], stop)
                    failed = partial(self._metrics.part_failures.inc, "feeds")
                    tasks.start(name, restarted(rounds, stop, name, failed), may_end=True)
            await tasks.watch(stop)

    async def _rounds(self, feeds: Sequence[PulledFeed], stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not await self.round(feeds, stop):
                await stopped_within(stop, PAUSE_SECONDS)

    async def round(self, feeds: Sequence[PulledFeed], stop: asyncio.Event) -> bool:
        """One request for each feed that is due; whether one of them has more to catch up."""
        has_more = False
        for feed in feeds:
            if stop.is_set():
                break
            has_more |= await self.pull(feed)
        self._show_lag()
        return has_more

    async def _states(self, feed: PulledFeed, after: int, until: int, target: int) -> list[FeedStep]:
        """The states of (after, until]. Raises QueryFailed.

        What is refused in the smallest piece although the newest step is answered is too old for this server: it is
        blind for good, and must not keep the feed from what comes after it.
        """
        try:
            return [state_of(parts, feed.limits) for parts in await self._asked.steps(feed, after, until)]
        except QueryFailed as error:
            if not error.is_final or target - until < OLD or until - after > feed.step:
                raise
            await self._asked.steps(feed, target - feed.step, target)
            until = min(target - OLD, after + GIVEN_UP // feed.step * feed.step)
            _log.warning("feed_gap", service=feed.name.service, source=feed.name.source, why=str(error))
            return [FeedStep.QUERY_FAILED] * ((until - after) // feed.step)

    async def pull(self, feed: PulledFeed) -> bool:
        """Ask for the next steps of a feed; whether there are more to ask for at once."""
        key, now = feed.name.digest, self._clock.now()
        target = (now - feed.settle) // feed.step * feed.step
        most = self._most.get(key, feed.most)
        try:
            cursor = await self._cursor(feed, target)
            if cursor.at >= target:
                return False
            until = min(target, cursor.at + most * feed.step)
            states = await self._states(feed, cursor.at, until, target)
            until = cursor.at + len(states) * feed.step
            every = report_every(self._freshness(feed), feed.step)
            if until < target:
                every = max(every, CATCH_UP_EVERY // feed.step * feed.step)
            moved, events = advance(feed.name, cursor, feed.step, states, every)
            await self._journal.append(events)
            past = [*self._past.get(key, ()), *states][-(DAY // feed.step) :]
            await self._cursors.save(key, Instant(moved.at), _written(moved, history.write(past), feed.step))
            self._metrics.arrivals.delivered(feed.name.source, self._clock.now(), events)
            await self._recovered(feed)
        except QueryFailed as error:
            self._metrics.feed_failures.inc(error.reason)
            self._metrics.arrivals.failed(feed.name.source, now, str(error.reason), str(error))
            if error.reason in _TOO_MUCH:
                self._most[key] = max(1, most // 2)
            await self._say_failed(feed, str(error.reason), str(error))
            self._show_lag()
            return False
        except Unavailable as error:
            await self._say_failed(feed, "store_unavailable", str(error))
            return False
        self._known[key] = moved
        self._past[key] = past
        if FeedStep.QUERY_FAILED not in states:
            self._most[key] = min(feed.most, 2 * most)
        for state in states:
            self._metrics.feed_steps.inc(state)
        return until < target

    async def _cursor(self, feed: PulledFeed, target: int) -> Cursor:
        key = feed.name.digest
        if key not in self._known:
            text = await self._cursors.load(key)
            first = target - FIRST_LOOK // feed.step * feed.step
            self._known[key] = _read(feed, text) or Cursor(first)
            self._past[key] = _past(text, feed.step)
            # What stood in the way of an earlier process may have gone.
            self._failing[key] = await self._cursors.load(key + TROUBLE) or ""
        cursor = self._known[key]
        if (oldest := target - LONGEST // feed.step * feed.step) > cursor.at:
            _log.warning("feed_gap", service=feed.name.service, source=feed.name.source, days=LONGEST // DAY)
            return Cursor(oldest, hurt_since=cursor.hurt_since)
        if rest := cursor.at % feed.step:
            # The step was changed in the settings: a part of one is looked at twice.
            return msgspec.structs.replace(cursor, at=cursor.at - rest)
        return cursor

    async def _say_failed(self, feed: PulledFeed, reason: str, detail: str) -> None:
        key = feed.name.digest
        if self._failing.get(key) != reason:
            self._failing[key] = reason
            _log.warning("feed_failed", service=feed.name.service, source=feed.name.source, why=detail)
            with suppress(Unavailable):
                await self._cursors.save(key + TROUBLE, self._clock.now(), detail)

    async def _recovered(self, feed: PulledFeed) -> None:
        """Raises Unavailable."""
        key = feed.name.digest
        if self._failing.get(key):
            await self._cursors.save(key + TROUBLE, self._clock.now(), "")
            _log.info("feed_answers_again", service=feed.name.service, source=feed.name.source)
            self._failing[key] = ""

    def _show_lag(self) -> None:
        if self._known:
            oldest = min(cursor.at for cursor in self._known.values())
            self._metrics.feed_lag.set((self._clock.now() - oldest) / SECOND)


def _written(cursor: Cursor, past: str, step: int) -> str:
    """A cursor with the day before it, as one text."""
    return msgspec.json.encode({**msgspec.to_builtins(cursor), "past": past, "past_step": step}).decode()


def _past(text: str | None, step: int) -> list[FeedStep]:
    try:
        kept = _KEPT.decode(text or "")
    except msgspec.DecodeError:
        return []
    return history.read(kept.past, DAY // step) if kept.past_step == step else []


def _read(feed: PulledFeed, text: str | None) -> Cursor | None:
    """A cursor that was saved; None where there is none, or none that this program understands."""
    if text is None:
        return None
    try:
        return _CURSOR.decode(text)
    except msgspec.DecodeError as error:
        _log.warning("feed_cursor_unreadable", service=feed.name.service, source=feed.name.source, why=str(error))
        return None
