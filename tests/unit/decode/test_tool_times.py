"""Times as tools write them, each form with the instant that it means, and what is refused by which reason."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.core.model.events import to_text
from monitor.core.model.reasons import Rejected
from monitor.decode.outcome import Unreadable
from monitor.decode.tool_times import LONGEST, tool_time

BERLIN = ZoneInfo("Europe/Berlin")
TEN = "2026-03-01T10:00:00Z"


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-01T10:00:00Z",
        "2026-03-01T12:00:00+02:00",
        "2026-03-01 10:00:00 UTC",
        "2026-03-01 10:00:00 GMT",
        "2026/03/01 10:00:00 GMT",
        "2026-03-01 10:00:00 +0000",
        "Sun, 01 Mar 2026 10:00:00 GMT",
        "01 Mar 2026 12:00:00 +0200",
        1772359200,
        1772359200.0,
        1772359200000,
        1772359200000000,
        1772359200000000000,
        "1772359200",
        "1772359200.000",
        "1772359200000",
    ],
)
def test_what_is_read_without_being_told_how(written: Any) -> None:
    found = tool_time(written, "at")
    assert found is not None
    assert to_text(found[0]) == TEN


NOTHING: list[Any] = [None, "", "null", "$TIME", "{{date}}", 0, -1, True, [], "0001-01-01T00:00:00Z"]


@pytest.mark.parametrize("written", [*NOTHING, "1970-01-01T00:00:00Z", "0000-00-00 00:00:00"])
def test_what_says_that_there_is_none(written: Any) -> None:
    assert tool_time(written, "at") is None


def test_a_time_without_an_offset_needs_a_zone() -> None:
    for written in ("2026-03-01 10:00:00", "2026-03-01T10:00:00.5", "Sun, 01 Mar 2026 10:00:00"):
        with pytest.raises(Unreadable) as refusal:
            tool_time(written, "at")
        assert refusal.value.reason is Rejected.TIME_WITHOUT_OFFSET
    found = tool_time("2026-07-01 12:00:00", "at", zone=BERLIN)
    assert found is not None
    assert to_text(found[0]) == "2026-07-01T10:00:00Z"
    # In summer the zone is two hours ahead, in winter one.
    assert tool_time("2026-03-01 11:00:00", "at", zone=BERLIN) == tool_time(TEN, "at")


def test_a_declared_format() -> None:
    assert tool_time("01.03.2026 11:00", "at", ("%d.%m.%Y %H:%M",), BERLIN) == tool_time(TEN, "at")
    assert tool_time("Mar 1, 2026 10:00:00 AM UTC", "at", ("%b %d, %Y %I:%M:%S %p %Z",)) == tool_time(TEN, "at")
    # What has another form is read as if no format were given.
    assert tool_time(TEN, "at", ("%d.%m.%Y %H:%M",), BERLIN) == tool_time(TEN, "at")
    # The abbreviation of a zone is ambiguous: only UTC is taken.
    with pytest.raises(Unreadable):
        tool_time("Mar 1, 2026 10:00:00 AM IST", "at", ("%b %d, %Y %I:%M:%S %p %Z",))


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("yesterday", Rejected.BAD_TIME),
        ("2026-13-01T10:00:00Z", Rejected.BAD_TIME),
        ("1 Foo 2026 10:00:00 GMT", Rejected.BAD_TIME),
        ("9" * (LONGEST + 1), Rejected.BAD_TIME),
        ("1850-01-01T00:00:00Z", Rejected.TIME_OUT_OF_RANGE),
        (-9_000_000_000_000_000.0, Rejected.TIME_OUT_OF_RANGE),
    ],
)
def test_what_cannot_be_read_has_a_reason(written: Any, reason: Rejected) -> None:
    with pytest.raises(Unreadable) as refusal:
        tool_time(written, "data.at")
    assert refusal.value.reason is reason
    assert refusal.value.detail.startswith("data.at: ")


ODD = ["99 Mar 9999 99:99:99", "9999-12-31T23:59:59-23:59", 1e308, float("inf"), float("nan"), 10**18 * 9, "0" * 19]


@pytest.mark.parametrize("written", ODD)
def test_odd_values_never_raise_anything_else(written: Any) -> None:
    with suppress(Unreadable):
        tool_time(written, "at", ("%Y",), BERLIN)
