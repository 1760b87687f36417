"""Reads the calendars of teams: a file, or an https address; bounded, and every quarter of an hour at most."""

from __future__ import annotations

import asyncio
from pathlib import Path

from monitor.asking import OK, Caller, QueryFailed, Web
from monitor.chat.ical import BadCalendar, shifts_of
from monitor.chat.schedule import shifts_by_clock
from monitor.chat.shift import Shift
from monitor.chat.teams import Team
from monitor.core.model.events import MINUTE, Instant
from monitor.ops.logs import get_logger

EVERY = 15 * MINUTE
SECONDS = 15.0
MOST_BYTES = 4 * 1024**2

_log = get_logger("chat")


class Calendars:
    """The shifts of each team. A calendar that cannot be read leaves the last that could, else the team's clock."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Instant, list[Shift] | None]] = {}
        self.problems: dict[str, str] = {}
        """By team, for the page."""

    async def shifts(self, team: Team, now: Instant) -> list[Shift]:
        if team.calendar is None:
            return shifts_by_clock(team, now)
        read_at, known = self._known.get((team.calendar, team.zone), (None, None))
        if read_at is None or now - read_at >= EVERY:
            try:
                text = await _read(team.calendar)
                known = await asyncio.to_thread(shifts_of, text, team.zone, now)
                self.problems.pop(team.name, None)
            except (BadCalendar, OSError, UnicodeError, QueryFailed) as error:
                said = str(error)[:200] or type(error).__name__
                self.problems[team.name] = f"its calendar cannot be read: {said}"
                _log.warning("calendar_unreadable", team=team.name, why=said)
            self._known[team.calendar, team.zone] = (now, known)
        return known if known is not None else shifts_by_clock(team, now)


async def _read(place: str) -> str:
    if not place.startswith("https://"):
        return (await asyncio.to_thread(_file, place)).decode()
    async with Web(SECONDS, MOST_BYTES) as web:
        status, body = await web.get(place, {}, Caller())
    if status != OK:
        raise BadCalendar(f"the calendar's host answered {status}")
    return body.decode()


def _file(place: str) -> bytes:
    with Path(place).open("rb") as file:
        found = file.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise BadCalendar(f"more than {MOST_BYTES} bytes")
    return found
