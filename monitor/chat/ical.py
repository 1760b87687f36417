"""Shifts from an iCal calendar: single and repeated events with their exceptions, by the clocks of their zones. Pure.

Names and texts of the events are not read: who has the shift is none of our business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # comes without types

from monitor.chat.shift import Shift
from monitor.core.model.events import DAY, Instant, to_instant

MOST_EVENTS = 5_000
MOST_RULES = 200
"""Events that repeat."""
MOST_SHIFTS = 5_000
LONGEST = 31 * DAY
AROUND = 35 * DAY
"""So long before and after now shifts are looked for: the last one, and the next one."""

_Event = Any
"""An event of the library, whose properties are typed as any of thirty kinds."""

_FREQUENCIES = frozenset({"HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_EVENT = re.compile(r"^BEGIN:VEVENT\s*$", re.IGNORECASE | re.MULTILINE)
_END = re.compile(r"^END:VEVENT\s*$", re.IGNORECASE | re.MULTILINE)
_RULE = re.compile(r"^RRULE[:;]", re.IGNORECASE | re.MULTILINE)


class BadCalendar(ValueError):
    """No iCal, or one with what is not understood; the message says what."""


def shifts_of(text: str, zone: str, now: Instant) -> list[Shift]:
    """Those around `now`, by their beginning; `zone` is that of times that name none. Raises BadCalendar."""
    text = text.lstrip("\ufeff")
    if not text[:100].strip().upper().startswith("BEGIN:VCALENDAR"):
        raise BadCalendar("expected an iCal calendar, which begins with BEGIN:VCALENDAR")
    events = len(_EVENT.findall(text))
    if events != len(_END.findall(text)) or not text[-100:].rstrip().upper().endswith("END:VCALENDAR"):
        raise BadCalendar("it cannot be read: its end is missing, or that of an event")
    if events > MOST_EVENTS:
        raise BadCalendar(f"more than {MOST_EVENTS} events; expected the shifts of some months")
    if len(_RULE.findall(text)) > MOST_RULES:
        raise BadCalendar(f"more than {MOST_RULES} events that repeat")
    try:
        calendars = icalendar.Calendar.from_ical(text, multiple=True)
        found = _Expansion(ZoneInfo(zone), now).of(each for one in calendars for each in one.walk("VEVENT"))
    except BadCalendar:
        raise
    except Exception as error:
        # A parser of another project: whatever it raises is about this calendar, and must not end the reports.
        raise BadCalendar(f"it cannot be read: {str(error)[:150] or type(error).__name__}") from error
    return sorted(found, key=lambda shift: (shift.begins, shift.ends))


class _Expansion:
    def __init__(self, zone: ZoneInfo, now: Instant) -> None:
        self._zone = zone
        self._from, self._to = Instant(now - AROUND), Instant(now + AROUND)

    def of(self, events: Iterable[_Event]) -> set[Shift]:
        known = list(events)
        moved = {(_uid(event), self._moment(event["RECURRENCE-ID"].dt)) for event in known if _is_moved(event)}
        found: set[Shift] = set()
        for event in known:
            for shift in self._shifts(event, moved):
                found.add(shift)
                if len(found) > MOST_SHIFTS:
                    raise BadCalendar(f"more than {MOST_SHIFTS} shifts within some weeks")
        return found

    def _shifts(self, event: _Event, moved: set[tuple[str, Instant]]) -> Iterator[Shift]:
        _check(event)
        if str(event.get("STATUS", "")).upper() == "CANCELLED" or "DTSTART" not in event:
            return
        start = event["DTSTART"].dt
        wall, zone = self._wall(start)
        lasts = self._lasts(event, start, wall)
        if lasts is None:
            return
        is_whole = not isinstance(start, datetime)
        left_out = set() if _is_moved(event) else {at for uid, at in moved if uid == _uid(event)}
        days_out: set[date] = set()
        for out in _dates(event, "EXDATE"):
            if isinstance(out, datetime) or is_whole:
                left_out.add(self._moment(out))
            else:
                days_out.add(out)
        for each in self._walls(event, wall, zone):
            begins = to_instant(each.replace(tzinfo=zone))
            ends = to_instant((each + lasts).replace(tzinfo=zone))
            fits = 0 < ends - begins <= LONGEST and self._from < ends and begins < self._to
            if fits and begins not in left_out and each.date() not in days_out:
                yield Shift(begins, ends)

    def _walls(self, event: _Event, wall: datetime, zone: tzinfo) -> Iterator[datetime]:
        """On the clock of its own zone, so that 18:00 stays 18:00 when the clocks change."""
        yield from (self._wall_in(each, zone) for each in _dates(event, "RDATE"))
        if _is_moved(event) or "RRULE" not in event:
            yield wall
            return
        # The first is one of the series whatever its rule says.
        yield wall
        last = datetime.fromtimestamp(int(self._to) / 1e6, zone).replace(tzinfo=None)
        rules = event["RRULE"]
        for rule in rules if isinstance(rules, list) else [rules]:
            yield from takewhile(lambda each: each < last, rrulestr(_rule(rule, zone), dtstart=wall))

    def _lasts(self, event: _Event, start: date, wall: datetime) -> timedelta | None:
        """By the clock: a shift until 09:00 ends at 09:00 in every week."""
        if "DTEND" in event:
            _, zone = self._wall(start)
            return self._wall_in(event["DTEND"].dt, zone) - wall
        if "DURATION" in event:
            lasts = event["DURATION"].dt
            return lasts if isinstance(lasts, timedelta) else None
        return timedelta(days=1) if not isinstance(start, datetime) else None

    def _wall(self, at: date) -> tuple[datetime, tzinfo]:
        if not isinstance(at, datetime):
            return datetime.combine(at, time()), self._zone
        return at.replace(tzinfo=None), at.tzinfo or self._zone

    def _wall_in(self, at: date, zone: tzinfo) -> datetime:
        wall, own = self._wall(at)
        return wall if own is zone else wall.replace(tzinfo=own).astimezone(zone).replace(tzinfo=None)

    def _moment(self, at: date) -> Instant:
        wall, zone = self._wall(at)
        return to_instant(wall.replace(tzinfo=zone))


def _check(event: _Event) -> None:
    """What would be wrong if it were left out says so."""
    for name, why in event.errors:
        if name in ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"):
            raise BadCalendar(f"{name} cannot be read: {str(why)[:100]}")
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        zone = event[name].params.get("TZID") if name in event else None
        if zone is not None and getattr(event[name].dt, "tzinfo", zone) is None:
            raise BadCalendar(f"the time zone {str(zone)[:60]!r} cannot be read; expected an IANA zone")
    if "EXRULE" in event:
        raise BadCalendar("EXRULE is not understood; expected RRULE, RDATE and EXDATE")
    if _is_moved(event) and "RANGE" in event["RECURRENCE-ID"].params:
        raise BadCalendar("a change of all later shifts (RANGE=THISANDFUTURE) is not understood")


def _rule(rule: Any, zone: tzinfo) -> str:
    """For dateutil, which wants an end on the same clock as the beginning."""
    frequency = str(rule.get("FREQ", [""])[0]).upper()
    if frequency not in _FREQUENCIES:
        raise BadCalendar(f"a shift that repeats {frequency.lower() or 'unnamed'}; expected hourly to yearly")
    if frequency == "HOURLY" and any(name.upper().startswith("BY") for name in rule):
        # Some of these are met by no hour in eight thousand years, all of which would be tried.
        raise BadCalendar("a shift that repeats hourly with further conditions is not understood")
    parts = [part for part in rule.to_ical().decode().split(";") if not part.upper().startswith("UNTIL=")]
    parts += [f"UNTIL={_last_wall(until, zone):%Y%m%dT%H%M%S}" for until in rule.get("UNTIL", [])]
    return ";".join(parts)


def _last_wall(until: date, zone: tzinfo) -> datetime:
    if not isinstance(until, datetime):
        return datetime.combine(until, time(23, 59, 59))
    return until if until.tzinfo is None else until.astimezone(zone).replace(tzinfo=None)


def _dates(event: _Event, name: str) -> Iterator[date]:
    listed = event.get(name, [])
    for dates in listed if isinstance(listed, list) else [listed]:
        for each in dates.dts:
            # A period has a beginning and an end; its beginning counts.
            yield each.dt[0] if isinstance(each.dt, tuple) else each.dt


def _is_moved(event: _Event) -> bool:
    return "RECURRENCE-ID" in event


def _uid(event: _Event) -> str:
    return str(event.get("UID", ""))
