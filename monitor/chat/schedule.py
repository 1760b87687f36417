"""When what is due: shifts by the team's clocks or its calendar, reports around them, and digests. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

import msgspec

from monitor.chat.shift import Shift
from monitor.chat.teams import Team, at, local
from monitor.core.model.events import DAY, HOUR, MINUTE, Instant

BEFORE = 15 * MINUTE
"""So long before a shift its report is told."""
LATEST = 3 * HOUR
"""What could not be told for so long, since nothing ran, is not told any more."""


class Occasion(StrEnum):
    BEFORE = "before"
    AFTER = "after"
    DAILY = "daily"
    WEEKLY = "weekly"


class Due(msgspec.Struct, frozen=True):
    """Something to tell a team, once for its `key`. `shift` is the one that it is about, or the span of a digest."""

    key: str
    team: str
    occasion: Occasion
    shift: Shift


def shifts_by_clock(team: Team, now: Instant) -> list[Shift]:
    """Yesterday's, today's and tomorrow's."""
    if team.shift is None:
        return []
    begins, ends = team.shift
    found = []
    for days in (-2, -1, 0, 1):
        day = local(team, now) + timedelta(days=days)
        found.append(Shift(at(team, day, begins), at(team, day + timedelta(days=ends <= begins), ends)))
    return found


def current(shifts: Sequence[Shift], now: Instant) -> Shift | None:
    """The shift that runs, or else the next one."""
    return min((shift for shift in shifts if shift.ends > now), key=lambda shift: shift.begins, default=None)


def last(shifts: Sequence[Shift], now: Instant) -> Shift | None:
    """The last one that is over."""
    return max((shift for shift in shifts if shift.ends <= now), key=lambda shift: shift.ends, default=None)


def due(team: Team, shifts: Sequence[Shift], now: Instant) -> list[Due]:
    """What is to be told now; the same as a moment ago, until it is too late."""
    found = []
    for shift in shifts:
        for occasion, when in ((Occasion.BEFORE, shift.begins - BEFORE), (Occasion.AFTER, shift.ends)):
            if when <= now < when + LATEST:
                found.append(Due(f"{occasion}:{team.name}:{shift.begins}", team.name, occasion, shift))
    today = at(team, local(team, now), team.daily)
    if today <= now < today + LATEST:
        date = local(team, now).date()
        day = Shift(Instant(today - DAY), today)
        found.append(Due(f"{Occasion.DAILY}:{team.name}:{date}", team.name, Occasion.DAILY, day))
        if team.weekly == date.isoweekday():
            week = Shift(Instant(today - 7 * DAY), today)
            found.append(Due(f"{Occasion.WEEKLY}:{team.name}:{date}", team.name, Occasion.WEEKLY, week))
    return found
