"""Makes one move of a person on a record: legal, counted and logged; the store refuses what someone else did first."""

from __future__ import annotations

from monitor.core.model.near_miss import IllegalMove, Move, move
from monitor.core.model.risk import Handling
from monitor.ops.logs import get_logger
from monitor.ports import Clock, Decide, NearMisses, Record
from monitor.review.metrics import ReviewMetrics
from monitor.review.service import NotPossible

_log = get_logger("review")


class Mover:
    """Of the moves that settle something besides a decision."""

    def __init__(self, near_misses: NearMisses, clock: Clock, metrics: ReviewMetrics) -> None:
        self._near_misses = near_misses
        self._clock = clock
        self._metrics = metrics

    def allow(self, record: Record, what: Move) -> None:
        """Raises NotPossible where the record's state has no such move."""
        try:
            move(record.state, what)
        except IllegalMove as error:
            raise NotPossible(record, what) from error

    async def make(
        self,
        record: Record,
        what: Move,
        by: str,
        *,
        handling: Handling,
        note: str | None,
        expected_version: int | None,
        merged_into: str | None = None,
    ) -> Record:
        """The record afterwards. Raises NotFound, NotPossible, VersionConflict, Unavailable."""
        name = record.draft.id
        order = Decide(
            record_id=name,
            move=what,
            by=by,
            at=self._clock.now(),
            expected_version=expected_version,
            note=note,
            merged_into=merged_into,
            handling=handling,
        )
        try:
            settled = await self._near_misses.decide(order)
        except IllegalMove as error:
            # It was legal when it was read: someone moved the record meanwhile.
            raise NotPossible(await self._near_misses.get(name), what) from error
        self._metrics.decisions.inc(what)
        _log.info("near_miss_settled", record=name, move=str(what), by=by)
        return settled
