"""The watermark believes a leap ahead only when a second source, or a great many events, confirm it."""

from __future__ import annotations

import pytest

from monitor.core.model.events import DAY, HOUR, SECOND
from monitor.core.model.watermark import BEGINNING, LEAP, LEAP_PATIENCE, Timeline

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


def test_where_the_watermark_comes_from_outside_events_move_only_what_is_newest() -> None:
    timeline = Timeline(lateness=LATENESS, external_watermark=True)
    timeline.see(START + HOUR, "pager", received=False)
    timeline.see(START, "pager", received=False)
    assert (timeline.newest, timeline.watermark, timeline.confirmed) == (START + HOUR, BEGINNING, True)


def test_a_first_event_alone_moves_nothing_unless_its_receipt_is_known() -> None:
    alone, received = Timeline(lateness=LATENESS), Timeline(lateness=LATENESS)
    alone.see(START, "pager", received=False)
    received.see(START, "pager", received=True)
    assert (alone.newest, alone.watermark, received.watermark) == (START, BEGINNING, START - LATENESS)
    alone.see(START, "pager", received=False)
    assert alone.watermark == START - LATENESS


@pytest.mark.parametrize(("back", "newest"), [(LEAP, START), (LEAP + 1, START - LEAP - 1)])
def test_a_first_event_is_the_odd_one_only_beyond_a_leap(back: int, newest: int) -> None:
    timeline = Timeline(lateness=LATENESS)
    timeline.see(START, "pager", received=False)
    timeline.see(START - back, "pager", received=False)
    assert (timeline.newest, timeline.watermark) == (newest, newest - LATENESS)


def test_the_first_event_that_was_the_odd_one_is_a_leap_that_a_second_source_may_confirm() -> None:
    timeline = Timeline(lateness=LATENESS)
    timeline.see(START + 400 * DAY, "pager", received=False)
    timeline.see(START, "deploys", received=False)
    timeline.see(START + 400 * DAY, "deploys", received=False)
    assert timeline.watermark == START + 400 * DAY - LATENESS


@pytest.mark.parametrize(("before", "believed"), [(LEAP, True), (LEAP + 1, False)])
def test_a_second_source_confirms_what_lies_within_a_leap_of_the_first(before: int, believed: bool) -> None:
    timeline, leap = begun(), START + 400 * DAY
    timeline.see(leap, "pager", received=False)
    timeline.see(leap - before, "deploys", received=False)
    assert (timeline.watermark == leap - before - LATENESS) is believed


def test_a_leap_that_was_believed_is_forgotten() -> None:
    timeline, leap = begun(), START + 400 * DAY
    timeline.see(leap, "pager", received=False)
    timeline.see(leap, "deploys", received=False)
    timeline.see(leap + 400 * DAY, "deploys", received=False)
    assert timeline.watermark == leap - LATENESS


def test_a_watermark_that_a_tick_moved_stays_ahead_of_older_events() -> None:
    timeline = begun()
    timeline.tick(START + 3 * HOUR)
    timeline.see(START + 2 * HOUR, "pager", received=False)
    assert timeline.watermark == START + 3 * HOUR
