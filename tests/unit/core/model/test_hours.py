"""Declared hours: days, hours over midnight, time zones and the nights on which clocks are changed."""

from __future__ import annotations

from datetime import datetime

import pytest

from monitor.core.model.catalogue import Hours
from monitor.core.model.events import to_instant, to_text
from monitor.core.model.hours import is_open, next_opening

SHOP = Hours("Europe/Berlin", 8 * 60, 18 * 60)
NIGHT = Hours("UTC", 22 * 60, 6 * 60, frozenset({5}))
WEEKEND = Hours("Europe/Berlin", 2 * 60 + 30, 12 * 60, frozenset({6, 7}))


def at(text: str) -> int:
    return to_instant(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        (SHOP, "2026-01-09T07:00:00Z", True),
        (SHOP, "2026-01-09T06:59:59Z", False),
        (SHOP, "2026-01-09T17:00:00Z", False),
        (SHOP, "2026-07-09T06:00:00Z", True),
        (SHOP, "2026-01-10T12:00:00Z", False),
        (NIGHT, "2026-01-09T23:00:00Z", True),
        (NIGHT, "2026-01-10T05:59:00Z", True),
        (NIGHT, "2026-01-10T06:00:00Z", False),
        (NIGHT, "2026-01-09T05:00:00Z", False),
        (NIGHT, "2026-01-10T22:30:00Z", False),
        (Hours("Nowhere/Town", 0, 60), "2026-01-09T00:10:00Z", None),
    ],
)
def test_whether_it_is_open(hours: Hours, moment: str, expected: bool | None) -> None:
    assert is_open(hours, at(moment)) is expected


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        (SHOP, "2026-01-09T06:00:00Z", "2026-01-09T07:00:00Z"),
        (SHOP, "2026-01-09T07:00:00Z", "2026-01-12T07:00:00Z"),
        (SHOP, "2026-03-27T18:00:00Z", "2026-03-30T06:00:00Z"),
        (NIGHT, "2026-01-09T23:00:00Z", "2026-01-16T22:00:00Z"),
        (WEEKEND, "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"),
        (Hours("UTC", 24 * 60, 24 * 60, frozenset({1})), "2026-01-06T00:00:00Z", "2026-01-13T00:00:00Z"),
        (Hours("UTC", 60, 120, frozenset()), "2026-01-06T00:00:00Z", None),
        (Hours("Nowhere/Town", 0, 60), "2026-01-09T00:10:00Z", None),
    ],
)
def test_when_it_opens_next(hours: Hours, moment: str, expected: str | None) -> None:
    assert to_text(next_opening(hours, at(moment))) == expected
