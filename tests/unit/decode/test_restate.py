"""Whose clock was wrong: what several sources state against what one does."""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Event, Instant
from monitor.core.model.reasons import Mark
from monitor.decode.canonical import decode_line, encode
from monitor.decode.normalise import normalise
from monitor.decode.restate import AGREES_WITHIN, MOST_SOURCES, CappedEvents, Restating

TRUE = Instant(1_773_144_000 * SECOND)
BEHIND = Instant(TRUE - DAY)
TOLERANCE = 5 * MINUTE


def taken_in(source: str, minute: int = 0, by: Instant = BEHIND, ahead: int = 0) -> Event:
    """What happened so many minutes after TRUE, received at once by a clock that is behind."""
    at = Instant(TRUE + minute * MINUTE + ahead)
    return normalise(Event(f"{source}{minute}", source, at, "note.added"), Instant(by + minute * MINUTE), TOLERANCE)


def test_four_events_of_a_clock_that_was_a_day_behind_have_their_times_back() -> None:
    events = [taken_in("grafana", 0), taken_in("pager", 1), taken_in("argo", 2), taken_in("grafana", 3)]
    assert all(event.marks == (Mark.TIME_IN_FUTURE,) for event in events)
    found = Restating(TOLERANCE).correct(events, Instant(TRUE + HOUR))
    assert [found[place].time for place in range(4)] == [TRUE + minute * MINUTE for minute in range(4)]
    assert found[0] == Event("grafana0", "grafana", TRUE, "note.added", received_at=TRUE)


def test_a_source_that_is_ahead_alone_stays_capped() -> None:
    ahead = [taken_in("skewed", minute, by=TRUE, ahead=DAY) for minute in range(5)]
    assert Restating(TOLERANCE).correct(ahead, Instant(TRUE + 3 * DAY)) == {}


def test_two_sources_that_do_not_agree_confirm_nothing() -> None:
    one = taken_in("a", by=TRUE, ahead=DAY)
    other = taken_in("b", by=TRUE, ahead=DAY + AGREES_WITHIN + SECOND)
    assert Restating(TOLERANCE).correct([one, other], Instant(TRUE + 3 * DAY)) == {}


def test_a_clock_that_is_still_behind_gives_nothing_back() -> None:
    events = [taken_in("a"), taken_in("b")]
    restating = Restating(TOLERANCE)
    assert restating.correct(events, BEHIND) == {}
    assert list(restating.correct(events, Instant(TRUE))) == [0, 1]


def test_sources_are_compared_across_batches_and_their_number_is_bounded() -> None:
    restating = Restating(TOLERANCE)
    assert restating.correct([taken_in("a")], TRUE) == {}
    assert list(restating.correct([taken_in("b")], TRUE)) == [0]
    for number in range(MOST_SOURCES + 5):
        restating.correct([taken_in(f"s{number}")], TRUE)
    assert len(restating._skews) == MOST_SOURCES


def test_capped_twice_keeps_what_was_stated_first() -> None:
    capped = normalise(taken_in("a"), Instant(BEHIND - DAY), TOLERANCE)
    assert (capped.time, capped.stated_time) == (BEHIND - DAY + TOLERANCE, TRUE)
    assert decode_line(encode(capped)) == capped


def test_what_was_decided_at_a_capped_time_is_told_once_when_the_clock_is_right() -> None:
    restating = Restating(TOLERANCE)
    assert restating.correct([taken_in("a", 3), taken_in("a", 1), taken_in("b", 2)], BEHIND) == {}
    assert restating.overdue(BEHIND) is None, "the clock is behind still"
    assert restating.overdue(Instant(TRUE + HOUR)) == CappedEvents(3, Instant(TRUE + MINUTE))
    assert restating.overdue(Instant(TRUE + HOUR)) is None


def test_a_source_that_is_ahead_alone_is_not_told_of_and_their_number_is_bounded() -> None:
    restating = Restating(TOLERANCE)
    restating.correct([taken_in("skewed", by=TRUE, ahead=DAY)], TRUE)
    assert restating.overdue(Instant(TRUE + 3 * DAY)) is None
    for number in range(MOST_SOURCES + 5):
        restating.correct([taken_in(f"s{number}", by=TRUE, ahead=DAY * (number + 1))], TRUE)
    assert len(restating._kept) == MOST_SOURCES
