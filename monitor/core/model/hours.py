"""Whether a service is open at a moment by its declared hours, and when it opens next. Knows calendars, not clocks."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.core.model.catalogue import Hours
from monitor.core.model.events import Instant, to_datetime, to_instant

DAY_MINUTES = 24 * 60
FAR_ENOUGH = 8
"""A week and a day: a service that opens at all opens within it."""


def is_open(hours: Hours, at: int) -> bool | None:
    """Whether a moment (microseconds) is in the hours; None where the time zone is not known here."""
    zone = _zone(hours)
    if zone is None:
        return None
    local = to_datetime(at).astimezone(zone)
    minute = local.hour * 60 + local.minute
    if hours.opens <= hours.closes:
        return hours.opens <= minute < hours.closes and local.isoweekday() in hours.days
    # ClearedAlerts midnight: the hours belong to the day on which they began.
    yesterday = (local - timedelta(days=1)).isoweekday()
    return (minute >= hours.opens and local.isoweekday() in hours.days) or (
        minute < hours.closes and yesterday in hours.days
    )


def next_opening(hours: Hours, at: int) -> Instant | None:
    """The first opening after a moment (microseconds), open or not then; None where there is none or no such zone."""
    zone = _zone(hours)
    if zone is None:
        return None
    today = to_datetime(at).astimezone(zone).date()
    for ahead in range(FAR_ENOUGH):
        day = today + timedelta(days=ahead)
        if day.isoweekday() in hours.days and (opening := _moment(day, hours.opens, zone)) > at:
            return opening
    return None


def _moment(day: date, minute: int, zone: ZoneInfo) -> Instant:
    """A time of day by the clock on the wall; one that daylight saving leaves out lies an hour later."""
    day += timedelta(days=minute // DAY_MINUTES)
    hour, minute = divmod(minute % DAY_MINUTES, 60)
    return to_instant(datetime.combine(day, time(hour, minute), tzinfo=zone))


def _zone(hours: Hours) -> ZoneInfo | None:
    try:
        return ZoneInfo(hours.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
