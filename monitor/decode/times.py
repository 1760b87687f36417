"""Reads times as tools write them into `Instant`s, writes them, and says what is wrong with those that cannot be read.

Never reads a clock and never guesses an offset.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.core.model.events import DAY, EARLIEST_AT, MICROSECOND, SECOND, Instant, to_text
from monitor.core.model.reasons import Mark, Rejected
from monitor.decode.outcome import Unreadable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARSE = datetime.fromisoformat
LATEST_AT = Instant((datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1))
"""The end of the year 9999 in UTC: what is later cannot be written in RFC 3339."""

_RFC3339 = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:[Tt ](?P<clock>\d\d:\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,30}))?)?"
    r"\s?(?P<offset>[Zz]|UTC|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_EXPECTED = "expected RFC 3339 with an offset, such as 2026-01-31T12:00:00Z"


def instant_hook(kind: type[Any], value: Any) -> Any:
    """msgspec's hook for `Instant`: the common form only. Raises ValueError for what needs a closer look."""
    since = _PARSE(value) - _EPOCH
    instant = since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds
    if not EARLIEST_AT <= instant <= LATEST_AT or value[10] != "T":
        raise ValueError(_EXPECTED)
    # The parser also takes week dates, hours alone and offsets with seconds, which `read_time` refuses.
    if value[7] != "-" or value[13] != ":" or (value[-1] != "Z" and value[-6] not in "+-"):
        raise ValueError(_EXPECTED)
    return kind(instant)


def time_as_text(value: Any) -> Any:
    """msgspec's hook the other way: an `Instant` becomes RFC 3339 in UTC. Raises NotImplementedError for any other."""
    if isinstance(value, Instant):
        return to_text(value)
    raise NotImplementedError(f"no text for a value of type {type(value).__name__}")


def read_time(value: object, field: str) -> tuple[Instant, tuple[Mark, ...]]:
    """An RFC 3339 time with an offset, and what was odd about it. Fractions beyond microseconds are cut.

    Raises Unreadable with `bad_time`, `time_without_offset` or `time_out_of_range`; `field` names the place.
    """
    if not isinstance(value, str):
        raise Unreadable(Rejected.BAD_TIME, f"{field}: {_shown(value)} is no text; {_EXPECTED}")
    match = _RFC3339.fullmatch(value.strip())
    if match is None:
        raise Unreadable(Rejected.BAD_TIME, f"{field}: {_shown(value)} cannot be read as a time; {_EXPECTED}")
    if match["offset"] is None:
        raise Unreadable(Rejected.TIME_WITHOUT_OFFSET, f"{field}: {_shown(value)} has no offset; {_EXPECTED}")
    leap = match["second"] == "60"
    second = "59" if leap else match["second"] or "00"
    offset = match["offset"].upper().replace("Z", "+00:00").replace("UTC", "+00:00")
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    try:
        since = _PARSE(f"{match['date']}T{match['clock']}:{second}.{fraction}{offset}") - _EPOCH
    except (ValueError, OverflowError) as error:
        if match["date"].startswith("0000"):
            raise out_of_range(value, field) from None
        raise Unreadable(Rejected.BAD_TIME, f"{field}: {_shown(value)} is no time: {error}; {_EXPECTED}") from None
    instant = since // timedelta(microseconds=1) * MICROSECOND + (SECOND if leap else 0)
    if not EARLIEST_AT <= instant <= LATEST_AT:
        raise out_of_range(value, field)
    return Instant(instant), (Mark.LEAP_SECOND,) if leap else ()


def out_of_range(value: object, field: str) -> Unreadable:
    earliest = 1970 + EARLIEST_AT // (365 * DAY)
    return Unreadable(
        Rejected.TIME_OUT_OF_RANGE,
        f"{field}: {_shown(value)} is not between the years {earliest} and 9999; tools write such a time for 'none': "
        f"leave the field out, or send the true time",
    )


def _shown(value: object) -> str:
    return repr(value)[:80]
