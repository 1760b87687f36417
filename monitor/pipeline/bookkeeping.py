"""Writes down what arrived from each source, and keeps the metric of silent sources up to date."""

from __future__ import annotations

import asyncio
from collections import Counter

from monitor.core.model.events import HOUR, MINUTE, Instant
from monitor.ops.arrivals import UP, SourceBook, SourceHour
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ops.usual import WINDOW, states
from monitor.pipeline.metrics import PipelineMetrics
from monitor.ports import Clock, Unavailable

_log = get_logger("sources")

EVERY_SECONDS = 10.0
_LOOK_EVERY = MINUTE


class Bookkeeper:
    """Takes what `metrics.arrivals` counted every ten seconds; looks for silent sources every minute.

    While the store is away the counts wait, bounded.
    """

    def __init__(self, book: SourceBook, clock: Clock, metrics: PipelineMetrics) -> None:
        self._book, self._clock, self._metrics = book, clock, metrics
        self._silent: frozenset[str] = frozenset()
        self._looked_at: Instant | None = None

    async def run(self, stop: asyncio.Event, every_seconds: float = EVERY_SECONDS) -> None:
        """Work until `stop`, and once more then."""
        stopped = False
        while not stopped:
            stopped = await stopped_within(stop, every_seconds)
            try:
                await self.write()
                now = self._clock.now()
                if not stopped and (self._looked_at is None or not 0 <= now - self._looked_at < _LOOK_EVERY):
                    self._looked_at = now
                    await self.look()
            except Unavailable as error:
                self._metrics.store_unavailable.inc()
                _log.debug("sources_wait", why=str(error))

    async def write(self) -> None:
        """Once. Raises Unavailable; nothing is lost then."""
        hours, words = self._metrics.arrivals.take()
        now = self._clock.now()
        try:
            await self._book.add([*hours, SourceHour(UP, now // HOUR, 0, now)], words, now)
        except Unavailable:
            self._metrics.arrivals.put_back(hours, words)
            raise

    async def look(self) -> None:
        """Count the sources that are silent for longer than they usually are. Raises Unavailable."""
        now = self._clock.now()
        found = states(await self._book.hours(Instant(now - WINDOW)), now)
        silent = frozenset(each.source for each in found if each.is_silent)
        for source in sorted(silent - self._silent):
            _log.warning("source_silent", source=source)
        for source in sorted(self._silent - silent):
            _log.info("source_speaks_again", source=source)
        self._silent = silent
        self._metrics.silent_sources.show(Counter(source.partition("/")[0] for source in silent))
