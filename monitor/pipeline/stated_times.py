"""Gives events of a batch their stated times back that were capped only because our own clock was behind."""

from __future__ import annotations

import msgspec

from monitor.core.model.events import Instant, to_text
from monitor.decode.restate import Restating
from monitor.ops.logs import get_logger
from monitor.pipeline.metrics import PipelineMetrics
from monitor.ports import NOT_AT_HAND, Batch

_log = get_logger("engine")


class StatedTimes:
    """`tolerance`: how far an event may lie after the present (microseconds)."""

    def __init__(self, tolerance: int, metrics: PipelineMetrics) -> None:
        self._restating = Restating(tolerance)
        self._metrics = metrics

    def of(self, batch: Batch, now: Instant) -> Batch:
        """The batch with the times that are right by now; says once what only a rewind can put right."""
        if (kept := self._restating.overdue(now)) is not None:
            since = to_text(kept.since)
            _log.error(
                "times_capped_by_our_clock", events=kept.count, since=since, cure=f"nearmiss rewind --to {since}"
            )
            self._metrics.capped_by_our_clock.inc(kept.count)
        if not (found := self._restating.correct(batch.events, now)):
            return batch
        events = tuple(found.get(place, event) for place, event in enumerate(batch.events))
        bodies = tuple(NOT_AT_HAND if place in found else body for place, body in enumerate(batch.bodies))
        return msgspec.structs.replace(batch, events=events, bodies=bodies)
