"""Reads times in the forms that tools write beside RFC 3339: seconds since 1970 in any unit, dates of HTTP and Java.

A time without an offset needs a declared zone: an offset is never guessed. Never reads a clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

from monitor.core.model.events import EARLIEST_AT, Instant, to_datetime, to_instant
from monitor.core.model.reasons import Rejected
from monitor.decode.outcome import Unreadable
from monitor.decode.reading import Moment, text
from monitor.decode.times import LATEST_AT, out_of_range, read_time

LONGEST = 80
"""Characters of a text that may be a time."""

DIRECTIVES = frozenset("YymdHIMSfpzZbBaAj%")
"""What may follow a `%` in a format. `%Z` stands for UTC, GMT or Z only: other names of zones are ambiguous."""

_NUMBER = re.compile(r"-?\d{1,19}(?:\.\d{1,9})?", re.ASCII)
_SLASHES = re.compile(r"(\d{4})/(\d\d)/(\d\d)(?=[ T])", re.ASCII)
_HTTP_DATE = re.compile(r"(?:[A-Za-z]{3}, ?)?\d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d", re.ASCII)
_DATE_OF_JAVA = re.compile(
    r"[A-Za-z]{3} (?P<month>[A-Za-z]{3}) {1,2}(?P<day>\d{1,2}) (?P<clock>\d\d:\d\d:\d\d)"
    r"(?: (?P<zone>UTC|GMT|[+-]\d{4}))? (?P<year>\d{4})",
    re.ASCII,
)
"""`Tue Mar 10 12:00:00 UTC 2026`, as `Date.toString()` and `ctime` write it; other names of zones are ambiguous."""
_NO_TIME = ("0001-01-01", "1970-01-01T00:00:00", "1970-01-01 00:00:00", "0000-00-00")
_UTC_NAMES = (" UTC", " GMT", " Z", "UTC", "GMT", "Z")
_UNITS = ((100_000_000_000, 1_000_000), (100_000_000_000_000, 1_000), (100_000_000_000_000_000, 1))
"""Below this number one of it has so many microseconds: seconds, milliseconds, microseconds; above are nanoseconds."""


def tool_time(value: Any, field: str, formats: tuple[str, ...] = (), zone: tzinfo | None = None) -> Moment | None:
    """A tool's time, or None where it says "none". Raises Unreadable where it cannot be read; `field` names the place.

    `formats` are tried first, as `strptime` has them; `zone` is that of times without an offset.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _since_1970(value, value, field)
    said = text(value) if isinstance(value, str) else None
    if said is None or said.startswith(_NO_TIME):
        return None
    if len(said) > LONGEST:
        raise Unreadable(Rejected.BAD_TIME, f"{field}: {said[:40]!r}… is too long for a time")
    for form in formats:
        if (found := _formatted(said, form, zone, field)) is not None:
            return found
    if _NUMBER.fullmatch(said):
        return _since_1970(float(said) if "." in said else int(said), value, field)
    if _HTTP_DATE.match(said):
        return _http_date(said, field, zone)
    if (java := _DATE_OF_JAVA.fullmatch(said)) is not None:
        return _http_date("{day} {month} {year} {clock} {zone}".format_map(java.groupdict("")).rstrip(), field, zone)
    return _rfc3339(said, field, zone)


def _since_1970(number: float, value: object, field: str) -> Moment | None:
    if number in (0, -1):
        return None
    size = abs(number)
    factor = next((factor for below, factor in _UNITS if size < below), None)
    try:
        micros = int(number // 1000) if factor is None else int(number * factor)
    except (ValueError, OverflowError):
        raise out_of_range(value, field) from None
    if not EARLIEST_AT <= micros <= LATEST_AT:
        raise out_of_range(value, field)
    return Instant(micros), ()


def _formatted(said: str, form: str, zone: tzinfo | None, field: str) -> Moment | None:
    if form.endswith("%Z"):
        ending = next((name for name in _UTC_NAMES if said.endswith(name)), None)
        if ending is None:
            return None
        said, form, zone = said.removesuffix(ending).rstrip(), form.removesuffix("%Z").rstrip(), UTC
    try:
        found = datetime.strptime(said, form)  # noqa: DTZ007 - the next step gives it its zone
    except ValueError:
        return None
    return _in_zone(found, zone, said, field)


def _http_date(said: str, field: str, zone: tzinfo | None) -> Moment:
    try:
        found = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise Unreadable(Rejected.BAD_TIME, f"{field}: {said!r} cannot be read as a time") from None
    return _in_zone(found, zone, said, field)


def _rfc3339(said: str, field: str, zone: tzinfo | None) -> Moment:
    plain = _SLASHES.sub(r"\1-\2-\3", said).replace(" GMT", " UTC")
    try:
        return read_time(plain, field)
    except Unreadable as error:
        if error.reason is not Rejected.TIME_WITHOUT_OFFSET or zone is None:
            raise
    # As if it were UTC, so that all forms of the one reader are understood; the zone then moves it.
    instant, marks = read_time(f"{plain}Z" if ":" in plain else f"{plain}T00:00Z", field)
    there = to_instant(to_datetime(instant).replace(tzinfo=zone))
    return there, marks


def _in_zone(found: datetime, zone: tzinfo | None, said: str, field: str) -> Moment:
    if found.tzinfo is None:
        if zone is None:
            raise Unreadable(
                Rejected.TIME_WITHOUT_OFFSET, f"{field}: {said!r} has no offset; expected one, or a declared zone"
            )
        found = found.replace(tzinfo=zone)
    try:
        instant = to_instant(found)
    except OverflowError:
        raise out_of_range(said, field) from None
    if not EARLIEST_AT <= instant <= LATEST_AT:
        raise out_of_range(said, field)
    return instant, ()
