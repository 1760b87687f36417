"""The clocks: what they tell, and that the manual one moves only by hand."""

from __future__ import annotations

import pytest

from monitor.core.events import SECOND, Instant, to_datetime
from monitor.ops.clock import ManualClock, SystemClock


def test_the_system_clock_tells_microseconds_since_1970() -> None:
    assert to_datetime(SystemClock().now()).year >= 2024


def test_the_monotonic_clock_never_goes_back() -> None:
    clock = SystemClock()
    seen = [clock.monotonic() for _ in range(100)]
    assert seen == sorted(seen)


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(Instant(1_000))
    assert (clock.now(), clock.now()) == (1_000, 1_000)
    assert clock.advance(3 * SECOND) == clock.now() == 3_001_000
    assert clock.monotonic() == 3.0


def test_a_manual_clock_does_not_advance_backwards_but_can_be_set() -> None:
    clock = ManualClock(Instant(1_000))
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    clock.set(5)
    assert clock.now() == 5
