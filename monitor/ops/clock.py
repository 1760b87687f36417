"""Tells the present. The only module that reads the system's clock; everything else takes time as an argument."""

from __future__ import annotations

import time

from monitor.core.model.events import HOUR, SECOND, Instant

_NANOSECONDS_PER_MICROSECOND = 1000
STEP = 10 * SECOND
"""A clock that is put right goes in smaller steps than this, or is not watched in between."""
STEP_BACK_BELIEVED_AFTER = HOUR


class SystemClock:
    """The machine's wall clock and its monotonic clock.

    A step back is followed once it has lasted for an hour; until then time goes on from where it was. What happens now
    would lie in the future of a clock that was put back, and be taken for wrong.
    """

    def __init__(self) -> None:
        self._at = Instant(time.time_ns() // _NANOSECONDS_PER_MICROSECOND)
        self._measured_at = self.monotonic()
        self._back_since: float | None = None

    def now(self) -> Instant:
        """Microseconds since 1970-01-01T00:00:00Z; may jump ahead when the machine's clock is set."""
        wall, measured = Instant(time.time_ns() // _NANOSECONDS_PER_MICROSECOND), self.monotonic()
        steady = Instant(self._at + round((measured - self._measured_at) * SECOND))
        if wall < steady - STEP:
            if self._back_since is None:
                self._back_since = measured
            if measured - self._back_since < STEP_BACK_BELIEVED_AFTER / SECOND:
                return steady
        self._at, self._measured_at, self._back_since = wall, measured, None
        return wall

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back. For measuring durations only."""
        return time.perf_counter()


class ManualClock:
    """A clock that stands still until it is moved: for simulations and tests."""

    def __init__(self, at: int) -> None:
        self._now = Instant(at)
        self._elapsed = 0

    def now(self) -> Instant:
        return self._now

    def monotonic(self) -> float:
        """Seconds that it was moved forward by since it was made; a jump is none."""
        return self._elapsed / SECOND

    def advance(self, by: int) -> Instant:
        """Move forward by `by` microseconds and tell the new time. Raises ValueError for a negative step."""
        if by < 0:
            raise ValueError(f"a clock does not go back: expected microseconds of zero or more, got {by}")
        self._now = Instant(self._now + by)
        self._elapsed += by
        return self._now

    def set(self, at: int) -> None:
        """Jump to `at`, also backwards, as a machine's clock does when it is set."""
        self._now = Instant(at)
