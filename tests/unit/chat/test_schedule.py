"""When teams are told: shifts, digests, quiet hours and calendars, by their clocks, also when those change."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from monitor.chat.schedule import LATEST, Occasion, current, due, last, shifts_by_clock
from monitor.chat.shift import Shift
from monitor.chat.teams import Team, Teams, not_in_quiet
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import HOUR, Instant, to_instant, to_text


def when(text: str) -> Instant:
    return to_instant(datetime.fromisoformat(text))


BERLIN = Team("payments", channel="C1", zone="Europe/Berlin", quiet=(time(20), time(8)))


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-02-02T12:00:00+01:00", "2026-02-02T11:00:00Z"),
        ("2026-02-02T19:59:59+01:00", "2026-02-02T18:59:59Z"),
        ("2026-02-02T20:00:00+01:00", "2026-02-03T07:00:00Z"),
        ("2026-02-02T03:00:00+01:00", "2026-02-02T07:00:00Z"),
        ("2026-02-02T08:00:00+01:00", "2026-02-02T07:00:00Z"),
        ("2026-03-29T01:00:00+01:00", "2026-03-29T06:00:00Z"),  # the night in which the clocks go forward
    ],
)
def test_quiet_hours_are_by_the_clock_of_the_team(moment: str, told: str) -> None:
    assert to_text(not_in_quiet(BERLIN, when(moment))) == told


def test_quiet_hours_within_a_day_and_none() -> None:
    noon = Team("a", quiet=(time(12), time(13)))
    assert to_text(not_in_quiet(noon, when("2026-02-02T12:30:00+00:00"))) == "2026-02-02T13:00:00Z"
    assert not_in_quiet(Team("a"), Instant(5)) == 5


def test_a_shift_over_the_change_of_clocks_begins_and_ends_by_the_clock() -> None:
    night = when("2026-03-29T01:00:00+01:00")
    shift = current(shifts_by_clock(BERLIN, night), night)
    assert shift == Shift(when("2026-03-28T18:00:00+01:00"), when("2026-03-29T09:00:00+02:00"))
    assert last(shifts_by_clock(BERLIN, night), night) == Shift(
        when("2026-03-27T18:00:00+01:00"), when("2026-03-28T09:00:00+01:00")
    )


def occasions(moment: str, team: Team = BERLIN) -> list[str]:
    now = when(moment)
    return [str(one.occasion) for one in due(team, shifts_by_clock(team, now), now)]


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-02-03T17:44:59+01:00", []),
        ("2026-02-03T17:45:00+01:00", ["before"]),
        ("2026-02-03T08:59:59+01:00", []),
        ("2026-02-03T09:00:00+01:00", ["after", "daily"]),
        ("2026-02-02T09:00:00+01:00", ["after", "daily", "weekly"]),  # a Monday
        ("2026-02-03T12:00:00+01:00", []),
    ],
)
def test_reports_stand_around_a_shift_and_are_not_told_late(moment: str, said: list[str]) -> None:
    assert occasions(moment) == said


def test_what_is_due_has_one_key_as_long_as_it_is_due() -> None:
    first, later = when("2026-02-03T17:45:00+01:00"), when("2026-02-03T20:44:59+01:00")
    assert later - first < LATEST
    keys = {one.key for now in (first, later) for one in due(BERLIN, shifts_by_clock(BERLIN, now), now)}
    assert len(keys) == 1
    tomorrow = Instant(first + 24 * HOUR)
    assert {one.key for one in due(BERLIN, shifts_by_clock(BERLIN, tomorrow), tomorrow)}.isdisjoint(keys)


def test_a_team_without_shift_has_digests_only() -> None:
    team = Team("a", shift=None, weekly=0)
    assert occasions("2026-02-02T09:00:00+00:00", team) == [Occasion.DAILY]


def test_a_team_answers_for_its_services_and_everybody_for_the_rest() -> None:
    catalogue = Catalogue(services={"checkout": Service("checkout", owner="payments")})
    teams = Teams({"payments": BERLIN, "*": Team("*", channel="C2")})
    assert teams.of(catalogue, "checkout") == BERLIN
    rest = teams.of(catalogue, "search")
    assert rest is not None
    assert (rest.name, rest.channel) == ("search", "C2")
    assert Teams({"payments": BERLIN}).of(catalogue, "search") is None
