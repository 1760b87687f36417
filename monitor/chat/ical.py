"""Shifts from an iCal calendar, as tools for schedules on call export it: single events with begin and end. Pure.

Names and texts of the events are not read: who has the shift is none of our business.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from monitor.chat.shift import Shift
from monitor.core.model.events import DAY, Instant, to_instant

MOST_EVENTS = 5_000
LONGEST = 31 * DAY


class BadCalendar(ValueError):
    """No iCal, or one with what is not understood; the message says what."""


def shifts_of(text: str, zone: str) -> list[Shift]:
    """By their beginning; `zone` is that of times that name none. Raises BadCalendar."""
    lines = _unfolded(text)
    if not lines or lines[0].strip().upper() != "BEGIN:VCALENDAR":
        raise BadCalendar("expected an iCal calendar, which begins with BEGIN:VCALENDAR")
    found: list[Shift] = []
    event: dict[str, str] | None = None
    for line in lines:
        name, _, value = line.partition(":")
        key = name.upper().partition(";")[0]
        if line.strip().upper() == "BEGIN:VEVENT":
            event = {}
        elif line.strip().upper() == "END:VEVENT" and event is not None:
            found += _shift(event, zone)
            event = None
            if len(found) > MOST_EVENTS:
                raise BadCalendar(f"more than {MOST_EVENTS} events; expected the shifts of some months")
        elif event is not None and key in ("DTSTART", "DTEND", "RRULE", "STATUS", "RDATE"):
            event[key] = f"{name}:{value.strip()}"
    return sorted(set(found), key=lambda shift: (shift.begins, shift.ends))


def _shift(event: dict[str, str], zone: str) -> list[Shift]:
    if "RRULE" in event or "RDATE" in event:
        raise BadCalendar("a repeated event (RRULE); expected the exported schedule, in which each shift is an event")
    if event.get("STATUS", "").upper().endswith("CANCELLED") or "DTSTART" not in event or "DTEND" not in event:
        return []
    begins, ends = _moment(event["DTSTART"], zone), _moment(event["DTEND"], zone)
    if not 0 < ends - begins <= LONGEST:
        return []
    return [Shift(begins, ends)]


def _moment(line: str, zone: str) -> Instant:
    head, _, value = line.partition(":")
    named = next((part[5:] for part in head.split(";") if part.upper().startswith("TZID=")), zone)
    try:
        if len(value) == 8:
            return to_instant(datetime.strptime(value, "%Y%m%d").replace(tzinfo=ZoneInfo(zone)))
        place = UTC if value.endswith("Z") else ZoneInfo(named.strip('"'))
        return to_instant(datetime.strptime(value.removesuffix("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=place))
    except (ValueError, OSError, LookupError) as error:
        raise BadCalendar(f"the time {value[:40]!r} cannot be read: {str(error)[:100]}") from error


def _unfolded(text: str) -> list[str]:
    """Lines that begin with a blank belong to the line before."""
    found: list[str] = []
    for line in text.lstrip("\ufeff").splitlines():
        if line[:1] in (" ", "\t") and found:
            found[-1] += line[1:]
        elif line:
            found.append(line)
    return found
