"""Up to when event time goes on without events: only at the head, not right after an absence, or by marks alone."""

from __future__ import annotations

from monitor.core.model.events import MINUTE, SECOND, Instant
from monitor.ops.clock import ManualClock
from monitor.pipeline.ticks import Ticks
from monitor.ports import Batch

NOON = Instant(1_767_268_800 * SECOND)  # 2026-01-01T12:00:00Z
LATENESS = 60 * SECOND


def batch(*, at_head: bool, clock: Instant | None = None) -> Batch:
    return Batch((), {}, at_head, clock=clock)


def test_the_clock_lets_time_go_on_at_the_head_only() -> None:
    ticks = Ticks(ManualClock(NOON), LATENESS, is_paced=False)
    assert ticks.until(batch(at_head=True), NOON) == NOON - LATENESS
    assert ticks.until(batch(at_head=False), NOON) is None


def test_after_an_absence_the_clock_waits_for_as_long_as_events_may_be_late() -> None:
    ticks = Ticks(ManualClock(NOON), LATENESS, is_paced=False)
    ticks.hold()
    assert ticks.until(batch(at_head=True), Instant(NOON + LATENESS - 1)) is None
    assert ticks.until(batch(at_head=True), Instant(NOON + LATENESS)) == NOON


def test_where_marks_set_the_pace_the_clock_does_not() -> None:
    ticks = Ticks(ManualClock(NOON), LATENESS, is_paced=True)
    mark = Instant(NOON - 5 * MINUTE)
    assert ticks.until(batch(at_head=True), NOON) is None
    assert ticks.until(batch(at_head=False, clock=mark), NOON) == mark - LATENESS
