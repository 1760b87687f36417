"""Closes what accepted records left open, as soon as an event says that it no longer holds: a machine's move.

Looks each minute at the few records that wait for it. What no event tells comes back to a person after its days.
"""

from __future__ import annotations

import asyncio

from monitor.core.model.events import HOUR, MINUTE, Instant, to_text
from monitor.core.model.near_miss import IllegalMove, Move, State
from monitor.core.resolving.resolver import Resolver
from monitor.core.state.still_open import CLOSES, closed_by, has_run_out
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ports import Clock, Decide, NearMisses, NotFound, Query, Record, Unavailable, VersionConflict
from monitor.ports.chat import EventHistory
from monitor.review.budget import ReviewBudget
from monitor.review.metrics import ReviewMetrics

MACHINE = "machine"
EVERY_SECONDS = 60.0
MOST = 200
"""Records looked at in one round."""
LATE = HOUR
"""So late an event may come and still be seen without a restart."""
_log = get_logger("review")


class Closing:
    """Call `run` once; several processes may, since a record that changed is left to the other."""

    def __init__(
        self, near_misses: NearMisses, past: EventHistory, budget: ReviewBudget, clock: Clock, metrics: ReviewMetrics
    ) -> None:
        """`budget` knows the catalogue in force, by which names are read."""
        self._near_misses = near_misses
        self._past = past
        self._budget = budget
        self._clock = clock
        self._metrics = metrics
        self._looked: dict[str, Instant] = {}

    async def run(self, stop: asyncio.Event, every_seconds: float = EVERY_SECONDS) -> None:
        while not await stopped_within(stop, every_seconds):
            try:
                await self.look()
            except Unavailable as error:
                self._metrics.store_unavailable.inc()
                _log.debug("closing_waits", why=str(error))

    async def look(self) -> int:
        """How many conditions were closed. Raises Unavailable."""
        waiting = Query(states=(State.ACCEPTED,), asleep_at=Instant(0))
        page = await self._near_misses.page(waiting, None, MOST)
        closed = 0
        for record in page.records:
            said = await self._what_closed(record)
            if said is not None:
                closed += await self._close(record, said)
        return closed

    async def _what_closed(self, record: Record) -> str | None:
        condition = record.handling.open_until
        if condition is None:
            return None
        now = self._clock.now()
        kinds = CLOSES[condition.what]
        resolver = Resolver(self._budget.catalogue())
        since = Instant(max(condition.since, self._looked.get(record.draft.id, 0) - LATE))
        async for event in self._past.events(since, Instant(now + MINUTE), kinds=kinds):
            if (ended := closed_by(condition, [resolver.resolve(event)])) is not None:
                return f"{condition.words}: no longer, since {to_text(ended.time)} ({ended.source})"
        self._looked[record.draft.id] = now
        if has_run_out(condition, now):
            return f"{condition.words}: it ended at {to_text(condition.until)}"
        return None

    async def _close(self, record: Record, note: str) -> bool:
        order = Decide(
            record_id=record.draft.id,
            move=Move.KEEP_OPEN,
            by=MACHINE,
            at=self._clock.now(),
            expected_version=record.version,
            note=note,
        )
        try:
            await self._near_misses.decide(order)
        except (VersionConflict, IllegalMove, NotFound):
            return False
        self._metrics.decisions.inc(Move.KEEP_OPEN)
        _log.info("condition_closed", record=record.draft.id)
        return True
