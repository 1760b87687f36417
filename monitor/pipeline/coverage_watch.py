"""Looks each hour at what arrived lately: which rules cannot match it, what nobody explained, since when it arrives.

While little has arrived it looks each minute. Reads the history a slice at a time, between which others work; holds the
newest answer and stores nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from monitor.core.matching.coverage import Arrived, Looked, StepArrivals
from monitor.core.model.events import DAY, HOUR, Event, Instant
from monitor.core.weighing.habits import LEARNING
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ops.tasks import in_thread
from monitor.pipeline.current_pack import Current
from monitor.pipeline.metrics import PipelineMetrics
from monitor.ports import Clock, Unavailable

_log = get_logger("coverage")

EVERY_SECONDS = 3600.0
FIRST_SECONDS = 20.0
SOON_SECONDS = 60.0
"""How soon it is looked again while little has arrived: who sets it up wants to see the first events."""
LOOKED_BACK = 30 * DAY
LEAST_BACK = HOUR
MOST_EVENTS = 100_000
SLICE = 50


def pause(events: int, every_seconds: float = EVERY_SECONDS) -> float:
    """Seconds until the next look, after one at so many events: few cost little, and who sets it up waits for them."""
    return min(every_seconds, max(SOON_SECONDS, EVERY_SECONDS * events / MOST_EVENTS))


class StoredPast(Protocol):
    """What was kept of the past. Each raises Unavailable."""

    async def span(self, since: Instant = ..., until: Instant = ...) -> tuple[Instant, Instant] | None: ...

    def events(self, since: Instant, until: Instant, service: str | None = None) -> AsyncIterator[Event]: ...


class CoverageWatch:
    """Call `run` once; `looked` is None until the first look is done."""

    def __init__(self, past: StoredPast, current: Current, clock: Clock, metrics: PipelineMetrics) -> None:
        self._past = past
        self._current = current
        self._clock = clock
        self._metrics = metrics
        self._looked: Looked | None = None
        self._back = LOOKED_BACK

    @property
    def looked(self) -> Looked | None:
        return self._looked

    async def run(self, stop: asyncio.Event, every_seconds: float = EVERY_SECONDS) -> None:
        """Look again and again until `stop` is set; first a little after the start, which has better things to do."""
        await stopped_within(stop, min(FIRST_SECONDS, every_seconds))
        while not stop.is_set():
            try:
                self._looked = await self.look()
            except Unavailable as error:
                self._metrics.store_unavailable.inc()
                _log.debug("coverage_waits", why=str(error))
            events = 0 if self._looked is None else self._looked.arrived.events
            await stopped_within(stop, pause(events, every_seconds))

    async def look(self, most: int = MOST_EVENTS) -> Looked:
        """Once, by the rules and the catalogue in force. Raises Unavailable."""
        now = self._clock.now()
        whole = await self._past.span()
        learnt = Instant(whole[0] + LEARNING) if whole is not None else None
        while True:
            since = Instant(now - self._back)
            arrived, is_cut = await self._arrived(since, Instant(now + DAY), most)
            if not is_cut or self._back <= LEAST_BACK:
                break
            self._back = max(self._back // 2, LEAST_BACK)
        if arrived.events < most // 4:
            self._back = min(self._back * 2, LOOKED_BACK)
        return Looked(now, since, arrived, is_cut, learnt)

    async def _arrived(self, since: Instant, until: Instant, most: int) -> tuple[Arrived, bool]:
        arrivals = StepArrivals(self._current.pack.compiled)
        slice_of: list[Event] = []
        count, is_cut = 0, False
        async for event in self._past.events(since, until):
            if count >= most:
                is_cut = True
                break
            count += 1
            slice_of.append(event)
            if len(slice_of) >= SLICE:
                arrivals.take(slice_of)
                slice_of = []
                await asyncio.sleep(0)
        arrivals.take(slice_of)
        # Names that nobody knows are compared with all that are known.
        return await in_thread(arrivals.report), is_cut
