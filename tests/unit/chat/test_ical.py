"""Shifts from calendars: single and repeated, with exceptions, by the clocks of their zones, without anybody's name."""

from __future__ import annotations

from datetime import datetime

import pytest

from monitor.chat.ical import MOST_EVENTS, MOST_RULES, BadCalendar, shifts_of
from monitor.core.model.events import HOUR, Instant, to_instant, to_text


def when(text: str) -> Instant:
    return to_instant(datetime.fromisoformat(text))


NOW = when("2026-02-04T12:00:00+00:00")

CALENDAR = """BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
SUMMARY:Ada Lovelace\r
DTSTART;TZID=Europe/Berlin:20260202T180000\r
DTEND;TZID=Europe/Berl\r
 in:20260203T090000\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART:20260203T170000Z\r
DTEND:20260204T080000Z\r
END:VEVENT\r
BEGIN:VEVENT\r
STATUS:CANCELLED\r
DTSTART:20260204T170000Z\r
DTEND:20260205T080000Z\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260206\r
DTEND;VALUE=DATE:20260207\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_shifts_come_from_the_calendar_without_its_names() -> None:
    assert told(CALENDAR, "Europe/Berlin") == [
        ("2026-02-02T17:00:00Z", "2026-02-03T08:00:00Z"),
        ("2026-02-03T17:00:00Z", "2026-02-04T08:00:00Z"),
        ("2026-02-05T23:00:00Z", "2026-02-06T23:00:00Z"),
    ]


def told(text: str, zone: str = "UTC", now: Instant = NOW) -> list[tuple[str, str]]:
    return [(str(to_text(shift.begins)), str(to_text(shift.ends))) for shift in shifts_of(text, zone, now)]


def calendar(*events: str) -> str:
    parts = [f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events]
    return "BEGIN:VCALENDAR\n" + "".join(parts) + "END:VCALENDAR\n"


NIGHTS = """
UID:nights
DTSTART;TZID=Europe/Berlin:20260302T180000
DTEND;TZID=Europe/Berlin:20260303T090000
RRULE:FREQ=DAILY
"""
MARCH = when("2026-03-28T12:00:00+00:00")


def around(found: list[tuple[str, str]], first: str, last: str) -> list[tuple[str, str]]:
    return [each for each in found if first <= each[0] < last]


def test_a_shift_keeps_its_clock_when_the_clocks_change() -> None:
    found = around(told(calendar(NIGHTS), now=MARCH), "2026-03-27", "2026-03-31")
    assert found == [
        ("2026-03-27T17:00:00Z", "2026-03-28T08:00:00Z"),
        ("2026-03-28T17:00:00Z", "2026-03-29T07:00:00Z"),  # the night that is an hour short
        ("2026-03-29T16:00:00Z", "2026-03-30T07:00:00Z"),
        ("2026-03-30T16:00:00Z", "2026-03-31T07:00:00Z"),
    ]


def test_a_shift_that_begins_in_the_hour_that_is_left_out_or_comes_twice() -> None:
    early = NIGHTS.replace("T180000", "T023000").replace("20260303T090000", "20260302T060000")
    spring = around(told(calendar(early), now=MARCH), "2026-03-29", "2026-03-30")
    assert spring == [("2026-03-29T01:30:00Z", "2026-03-29T04:00:00Z")]
    autumn = around(told(calendar(early), now=when("2026-10-25T12:00:00+00:00")), "2026-10-25", "2026-10-26")
    assert autumn == [("2026-10-25T00:30:00Z", "2026-10-25T05:00:00Z")]


@pytest.mark.parametrize(
    "left_out",
    [
        "EXDATE;TZID=Europe/Berlin:20260327T180000,20260329T180000",
        "EXDATE:20260327T170000Z\nEXDATE:20260329T160000Z",
        "EXDATE;VALUE=DATE:20260327,20260329",
    ],
)
def test_what_is_left_out_is_no_shift(left_out: str) -> None:
    found = around(told(calendar(NIGHTS + left_out), now=MARCH), "2026-03-27", "2026-03-31")
    assert [begins for begins, _ in found] == ["2026-03-28T17:00:00Z", "2026-03-30T16:00:00Z"]


def test_one_of_a_series_that_was_moved_stands_where_it_was_moved_to() -> None:
    moved = """
UID:nights
RECURRENCE-ID;TZID=Europe/Berlin:20260328T180000
DTSTART;TZID=Europe/Berlin:20260328T200000
DTEND;TZID=Europe/Berlin:20260329T100000
"""
    other = moved.replace("UID:nights", "UID:others").replace("0328T2", "0328T1")
    found = around(told(calendar(NIGHTS, moved), now=MARCH), "2026-03-28", "2026-03-29")
    assert found == [("2026-03-28T19:00:00Z", "2026-03-29T08:00:00Z")]
    assert len(around(told(calendar(NIGHTS, other), now=MARCH), "2026-03-28", "2026-03-29")) == 2
    cancelled = moved + "STATUS:CANCELLED"
    assert around(told(calendar(NIGHTS, cancelled), now=MARCH), "2026-03-28", "2026-03-29") == []


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("RRULE:FREQ=DAILY;COUNT=3", [2, 3, 4]),
        ("RRULE:FREQ=DAILY;UNTIL=20260303T170000Z", [2, 3]),
        ("RRULE:FREQ=DAILY;UNTIL=20260303T165959Z", [2]),
        ("RRULE:FREQ=DAILY;UNTIL=20260303", [2, 3]),
        ("RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=4", [2, 4, 16, 18]),
        ("RRULE:FREQ=MONTHLY;BYDAY=2TU;COUNT=2", [2, 10]),
        ("RRULE:FREQ=HOURLY;INTERVAL=48;COUNT=2", [2, 4]),
        ("RDATE;TZID=Europe/Berlin:20260305T180000", [2, 5]),
        ("RRULE:FREQ=DAILY;COUNT=2\nRDATE;TZID=Europe/Berlin:20260305T180000", [2, 3, 5]),
        ("", [2]),
    ],
)
def test_rules_of_repetition(rule: str, days: list[int]) -> None:
    event = NIGHTS.replace("RRULE:FREQ=DAILY", rule)
    found = around(told(calendar(event), now=when("2026-03-10T00:00:00+00:00")), "2026-03-01", "2026-03-31")
    assert [int(begins[8:10]) for begins, _ in found] == days


def test_a_series_that_began_years_ago_is_the_same_today() -> None:
    old = NIGHTS.replace("202603", "201403")
    assert around(told(calendar(old), now=MARCH), "2026-03-27", "2026-03-28") == [
        ("2026-03-27T17:00:00Z", "2026-03-28T08:00:00Z")
    ]


def test_times_without_a_zone_are_on_the_clock_of_the_team() -> None:
    floating = NIGHTS.replace(";TZID=Europe/Berlin", "").replace("RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY;COUNT=1")
    assert told(calendar(floating), "America/New_York", MARCH)[0][0] == "2026-03-02T23:00:00Z"


def test_a_zone_that_the_calendar_describes_itself() -> None:
    zone = """BEGIN:VTIMEZONE
TZID:Office time
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0530
TZOFFSETTO:+0530
END:STANDARD
END:VTIMEZONE
"""
    event = NIGHTS.replace("Europe/Berlin", "Office time")
    text = calendar(event).replace("BEGIN:VEVENT", zone + "BEGIN:VEVENT", 1)
    assert told(text, now=MARCH)[0] == ("2026-03-02T12:30:00Z", "2026-03-03T03:30:00Z")


def test_a_length_instead_of_an_end() -> None:
    event = NIGHTS.replace("DTEND;TZID=Europe/Berlin:20260303T090000", "DURATION:PT12H")
    assert told(calendar(event), now=MARCH)[0] == ("2026-03-02T17:00:00Z", "2026-03-03T05:00:00Z")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "BEGIN:VCALENDAR"),
        ("<html>", "BEGIN:VCALENDAR"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "cannot be read"),
        (CALENDAR.replace("20260203T170000Z", "20269903T170000Z"), "cannot be read"),
        (CALENDAR.replace("TZID=Europe/Berlin", "TZID=../../etc/passwd"), "cannot be read"),
        (calendar(NIGHTS.replace("Europe/Berlin", "Nowhere/Town")), "'Nowhere/Town' cannot be read"),
        (calendar(NIGHTS.replace("FREQ=DAILY", "FREQ=SECONDLY")), "repeats secondly"),
        (calendar(NIGHTS.replace("FREQ=DAILY", "FREQ=HOURLY;BYMONTHDAY=30;BYMONTH=2")), "repeats hourly"),
        (calendar(NIGHTS.replace("FREQ=DAILY", "FREQ=FORTNIGHTLY")), "cannot be read|repeats"),
        (calendar(NIGHTS + "EXRULE:FREQ=WEEKLY"), "EXRULE"),
        (calendar(NIGHTS + "EXDATE:never"), "EXDATE cannot be read"),
        (calendar(NIGHTS, "UID:nights\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260328T170000Z"), "THISANDFUTURE"),
        (calendar(*["DTSTART:20260203T170000Z"] * (MOST_EVENTS + 1)), "more than"),
        (calendar(*[NIGHTS] * (MOST_RULES + 1)), "more than"),
        ("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\n" * 4_000 + "END:VCALENDAR\n", "cannot be read"),
    ],
)
def test_a_calendar_that_is_not_understood_says_why(text: str, why: str) -> None:
    with pytest.raises(BadCalendar, match=why):
        shifts_of(text, "UTC", NOW)


def test_an_event_of_no_length_or_of_a_year_is_no_shift() -> None:
    odd = CALENDAR.replace("20260204T080000Z", "20260203T170000Z").replace("DATE:20260207", "DATE:20270207")
    assert len(shifts_of(odd, "UTC", NOW)) == 1


def test_a_shift_of_two_events_is_one() -> None:
    assert len(shifts_of(calendar(NIGHTS, NIGHTS.replace("UID:nights", "UID:second")), "UTC", NOW)) < 40
    assert all(shift.ends - shift.begins >= 14 * HOUR for shift in shifts_of(calendar(NIGHTS), "UTC", MARCH))
