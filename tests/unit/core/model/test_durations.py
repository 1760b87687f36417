"""Durations are said alike everywhere, in at most two units, and never more than 5 % off."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model.durations import say_duration
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND

UNITS = {"d": DAY, "h": HOUR, "min": MINUTE, "s": SECOND}


@given(st.integers(SECOND, 400 * DAY))
def test_it_is_exact_to_five_percent(span: int) -> None:
    said = say_duration(span)
    parts = re.findall(r"(\d+) (d|h|min|s)\b", said)
    assert " ".join(f"{count} {unit}" for count, unit in parts) == said
    assert len(parts) <= 2
    assert abs(sum(int(count) * UNITS[unit] for count, unit in parts) - span) <= 0.5 * max(0.1 * span, SECOND)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (0, "under 1 s"),
        (41 * SECOND, "41 s"),
        (90 * SECOND, "1 min 30 s"),
        (14 * MINUTE, "14 min"),
        (14 * MINUTE + 3 * SECOND, "14 min"),
        (2 * HOUR, "2 h"),
        (2 * HOUR + 5 * MINUTE + 9 * SECOND, "2 h 5 min"),
        (4 * DAY + 3 * HOUR, "4 d 3 h"),
        (DAY + 3 * MINUTE, "1 d"),
        (3 * HOUR + 30 * MINUTE, "3 h 30 min"),
        (18 * HOUR + 45 * MINUTE, "18 h 45 min"),
        (75 * MINUTE, "1 h 15 min"),
        (59 * MINUTE + 40 * SECOND, "1 h"),
        (23 * HOUR + 59 * MINUTE + 40 * SECOND, "1 d"),
        (20 * DAY + 11 * HOUR, "20 d"),
        (-3 * DAY, "3 d"),
    ],
)
def test_durations(span: int, said: str) -> None:
    assert say_duration(span) == said
