"""Tells the present. The only module that reads the system's clock; everything else takes time as an argument."""

from __future__ import annotations

import time

from monitor.core.events import Instant

_NANOSECONDS_PER_MICROSECOND = 1000


class SystemClock:
    """The machine's wall clock and its monotonic clock."""

    def now(self) -> Instant:
        """Microseconds since 1970-01-01T00:00:00Z; may jump when the machine's clock is set."""
        return Instant(time.time_ns() // _NANOSECONDS_PER_MICROSECOND)

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back. For measuring durations only."""
        return time.perf_counter()


class ManualClock:
    """A clock that stands still until it is moved: for simulations and tests."""

    def __init__(self, at: int) -> None:
        self._now = Instant(at)
        self._started_at = self._now

    def now(self) -> Instant:
        return self._now

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return (self._now - self._started_at) / 1_000_000

    def advance(self, by: int) -> Instant:
        """Move forward by `by` microseconds and tell the new time. Raises ValueError for a negative step."""
        if by < 0:
            raise ValueError(f"a clock does not go back: expected microseconds of zero or more, got {by}")
        self._now = Instant(self._now + by)
        return self._now

    def set(self, at: int) -> None:
        """Jump to `at`, also backwards, as a machine's clock does when it is set."""
        self._now = Instant(at)
