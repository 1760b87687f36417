"""The watermark believes a leap ahead only when a second source, or a great many events, confirm it."""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, SECOND
from monitor.core.model.watermark import LEAP, LEAP_PATIENCE, Timeline

START = 20_000 * DAY
LATENESS = 60 * SECOND


def begun() -> Timeline:
    """A timeline that two events of one source have set going."""
    timeline = Timeline(lateness=LATENESS)
    timeline.see(START, "pager", received=False)
    timeline.see(START + HOUR, "pager", received=False)
    assert timeline.watermark == START + HOUR - LATENESS
    return timeline


def test_one_source_alone_cannot_leap() -> None:
    timeline = begun()
    timeline.see(START + 400 * DAY, "pager", received=False)
    timeline.see(START + 2 * HOUR, "pager", received=False)
    assert timeline.watermark == START + 2 * HOUR - LATENESS


def test_a_second_source_confirms_a_leap() -> None:
    timeline = begun()
    timeline.see(START + 400 * DAY, "pager", received=False)
    timeline.see(START + 400 * DAY + HOUR, "deploys", received=False)
    assert timeline.watermark == START + 400 * DAY + HOUR - LATENESS


def test_many_events_of_one_source_confirm_a_leap() -> None:
    timeline = begun()
    for _ in range(LEAP_PATIENCE):
        timeline.see(START + 400 * DAY, "pager", received=False)
    assert timeline.watermark == START + HOUR - LATENESS
    timeline.see(START + 400 * DAY, "pager", received=False)
    assert timeline.watermark == START + 400 * DAY - LATENESS


def test_a_time_that_was_capped_by_its_receipt_is_believed() -> None:
    timeline = begun()
    timeline.see(START + 400 * DAY, "pager", received=True)
    assert timeline.watermark == START + 400 * DAY - LATENESS


def test_a_gap_that_is_no_leap_is_believed() -> None:
    timeline = begun()
    timeline.see(START + HOUR + LEAP, "pager", received=False)
    assert timeline.watermark == START + HOUR + LEAP - LATENESS


def test_the_first_event_is_on_trial_too() -> None:
    timeline = Timeline(lateness=LATENESS)
    timeline.see(START + 400 * DAY, "pager", received=False)
    timeline.see(START, "deploys", received=False)
    assert timeline.watermark == START - LATENESS


def test_a_tick_never_moves_time_backwards() -> None:
    timeline = begun()
    timeline.tick(START)
    assert timeline.watermark == START + HOUR - LATENESS
    timeline.tick(START + 3 * HOUR)
    assert timeline.watermark == START + 3 * HOUR
