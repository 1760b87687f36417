"""Up to when event time may go on without events: by the clock at the journal's head, or by marks in the journal."""

from __future__ import annotations

from monitor.core.model.events import Instant
from monitor.pipeline.clock_skew import ClockSkewGuard
from monitor.ports import Batch, Clock


class Ticks:
    """`lateness` in microseconds. `is_paced`: marks in the journal let time go on, not the clock."""

    def __init__(self, clock: Clock, lateness: int, *, is_paced: bool) -> None:
        self._guard = ClockSkewGuard(clock)
        self._lateness, self._is_paced = lateness, is_paced
        self._from = clock.now()

    def now(self) -> Instant:
        """To be read before the journal is, so that all of it up to then has been seen."""
        return self._guard.now()

    def until(self, batch: Batch, now: Instant) -> Instant | None:
        """None where the batch gives no reason to go on."""
        by_clock = now if batch.at_head and now >= self._from else None
        until = batch.clock if self._is_paced else by_clock
        return None if until is None else Instant(until - self._lateness)

    def confirm(self, watermark: Instant | None) -> None:
        """Events have reached this time, whatever the clock says."""
        if watermark is not None:
            self._guard.confirm(Instant(watermark + self._lateness))

    def hold(self) -> None:
        """Senders that could not deliver while we were away repeat soon: let the clock not run ahead of them."""
        self._from = Instant(self._guard.now() + self._lateness)
