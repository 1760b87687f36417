"""How far time may go on by the clock alone: no further than a second a second, and as far as events have come.

Decides what a clock that jumps ahead is worth; must not know what follows from time. A window that the clock alone had
closed would be judged without what happened in it.
"""

from __future__ import annotations

from monitor.core.model.events import SECOND, Instant
from monitor.ops.clock import STEP
from monitor.ops.logs import get_logger
from monitor.ports import Clock

_log = get_logger("clock")


class ClockSkewGuard:
    """The present, as far as it is confirmed: by the time that has gone by, or by events that tell of it.

    After a jump ahead it goes on from before the jump. Events of the new time confirm it at once, so that a machine
    that had slept only seems slow until the first of them. At a start the clock is believed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = clock.now()
        self._measured_at = clock.monotonic()
        self._is_ahead = False

    def now(self) -> Instant:
        """Never more than the clock tells."""
        told, measured = self._clock.now(), self._clock.monotonic()
        steady = Instant(self._at + round((measured - self._measured_at) * SECOND))
        is_ahead = told > steady + STEP
        if is_ahead != self._is_ahead:
            self._is_ahead = is_ahead
            if is_ahead:
                _log.warning("clock_jumped", seconds=(told - steady) // SECOND)
            else:
                _log.info("clock_jump_confirmed")
        if is_ahead:
            return steady
        if told >= steady - STEP:
            # What a clock is put right by in small steps is followed.
            self._at, self._measured_at = told, measured
        return told

    def confirm(self, at: int) -> None:
        """An event shows that it is at least this late. Its time was checked against its receipt already."""
        measured = self._clock.monotonic()
        if at > self._at + round((measured - self._measured_at) * SECOND):
            self._at, self._measured_at = Instant(at), measured
