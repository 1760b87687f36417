"""A clock that jumps ahead lets time go on no faster than before; events bear the new time out."""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Instant
from monitor.ops.clock import STEP, ManualClock
from monitor.pipeline.clock_skew import ClockSkewGuard

NOON = Instant(1_767_268_800 * SECOND)  # 2026-01-01T12:00:00Z


def test_time_goes_on_with_the_clock() -> None:
    clock = ManualClock(NOON)
    guard = ClockSkewGuard(clock)
    clock.advance(3 * HOUR)
    assert guard.now() == NOON + 3 * HOUR


def test_a_jump_ahead_is_not_followed_and_time_goes_on_from_before_it() -> None:
    clock = ManualClock(NOON)
    guard = ClockSkewGuard(clock)
    clock.set(NOON + DAY)
    assert guard.now() == NOON
    clock.advance(MINUTE)
    assert guard.now() == NOON + MINUTE
    clock.set(NOON + 2 * MINUTE)
    clock.advance(SECOND)
    assert guard.now() <= NOON + 2 * MINUTE + SECOND


def test_events_of_the_new_time_bear_it_out() -> None:
    """A machine that slept for eight hours."""
    clock = ManualClock(NOON)
    guard = ClockSkewGuard(clock)
    clock.set(NOON + 8 * HOUR)
    assert guard.now() == NOON
    guard.confirm(NOON + 8 * HOUR - 2 * SECOND)
    assert guard.now() == NOON + 8 * HOUR


def test_events_of_the_old_time_do_not() -> None:
    clock = ManualClock(NOON)
    guard = ClockSkewGuard(clock)
    clock.set(NOON + DAY)
    guard.confirm(NOON + SECOND)
    assert guard.now() == NOON + SECOND


def test_a_clock_that_was_put_back_holds_time_up() -> None:
    clock = ManualClock(NOON)
    guard = ClockSkewGuard(clock)
    clock.set(NOON - HOUR)
    assert guard.now() == NOON - HOUR
    clock.set(NOON)
    assert guard.now() == NOON


def test_small_steps_are_followed() -> None:
    clock = ManualClock(NOON)
    guard = ClockSkewGuard(clock)
    for number in range(1, 5):
        clock.set(NOON + number * STEP)
        assert guard.now() == NOON + number * STEP
