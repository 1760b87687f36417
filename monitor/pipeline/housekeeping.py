"""Removes what is too old, a little every minute, and keeps the numbers about what is kept up to date.

Decides when; what goes and how is the store's business.
"""

from __future__ import annotations

import asyncio

from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.pipeline.metrics import PipelineMetrics
from monitor.ports import Clock, Pruning, Retention, Unavailable

_log = get_logger("housekeeping")

EVERY_SECONDS = 60.0
_SOON_SECONDS = 0.1


class Housekeeper:
    """Calls the store once a minute, and again at once while there is more to remove than one call takes.

    A store that is away is tried again a minute later.
    """

    def __init__(self, store: Pruning, retention: Retention, clock: Clock, metrics: PipelineMetrics) -> None:
        self._store = store
        self._retention = retention
        self._clock = clock
        self._metrics = metrics

    async def run(self, stop: asyncio.Event, every_seconds: float = EVERY_SECONDS) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            pause = every_seconds
            try:
                if await self.tidy():
                    pause = min(_SOON_SECONDS, every_seconds)
            except Unavailable as error:
                self._metrics.store_unavailable.inc()
                _log.debug("housekeeping_waits", why=str(error))
            await stopped_within(stop, pause)

    async def tidy(self) -> bool:
        """Once; whether there is more to remove. Raises Unavailable."""
        pruned = await self._store.prune(self._retention, self._clock.now())
        for what, count in pruned.rows.items():
            self._metrics.pruned_rows.inc(what, count)
        if any(pruned.rows.values()):
            _log.info("pruned", **pruned.rows)
        kept = await self._store.kept()
        self._metrics.database_bytes.set(kept.total_bytes)
        self._metrics.kept_events_bytes.set(kept.events_bytes)
        return pruned.more
