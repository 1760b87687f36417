"""What became of one alert, whatever the order in which its events come."""

from __future__ import annotations

from itertools import permutations

import pytest

from monitor.core.state.alerts import Track, alert_key
from tests.support.streams import make_event


def track(*told: tuple[str, float]) -> Track:
    found = Track()
    for kind, minutes in told:
        found.observe(make_event(f"alert.{kind}", minutes))
    return found


def at(minutes: float) -> int:
    return int(make_event("alert.fired", minutes).time)


@pytest.mark.parametrize(
    ("told", "recovered", "cancelled"),
    [
        ([("fired", 0)], None, False),
        ([("fired", 0), ("resolved", 5)], 5, False),
        ([("fired", 0), ("resolved", 0)], 0, False),
        ([("fired", 0), ("resolved", 5), ("fired", 6)], None, False),
        ([("fired", 0), ("resolved", 5), ("fired", 6), ("resolved", 9)], 9, False),
        ([("resolved", 5)], 5, False),
        ([("fired", 0), ("cancelled", 5)], None, True),
        ([("fired", 0), ("cancelled", 0)], None, True),
        ([("fired", 0), ("cancelled", 5), ("fired", 6)], None, False),
        ([("fired", 0), ("cancelled", 5), ("resolved", 6)], 6, False),
        ([("cancelled", 5)], None, True),
        ([("fired", 0), ("resolved", 3), ("resolved", 5)], 5, False),
        ([("fired", 0), ("cancelled", 3), ("cancelled", 5), ("fired", 4)], None, True),
        ([("fired", 0), ("acknowledged", 3)], None, False),
    ],
)
def test_it_recovered_or_was_cancelled_at_or_after_its_last_firing(
    told: list[tuple[str, float]], recovered: float | None, cancelled: bool
) -> None:
    for order in permutations(told):
        found = track(*order)
        assert found.recovered_at == (None if recovered is None else at(recovered))
        assert found.was_cancelled is cancelled


def test_its_first_and_its_last_firing_are_known() -> None:
    for order in permutations([("fired", 0), ("fired", 5), ("fired", 9)]):
        assert (track(*order).first_fired_at, track(*order).last_fired_at) == (at(0), at(9))


@pytest.mark.parametrize(
    ("told", "moment", "live"),
    [
        ([("fired", 0)], 100, True),
        ([("fired", 0), ("resolved", 5)], 4, True),
        ([("fired", 0), ("resolved", 5)], 5, True),
        ([("fired", 0), ("resolved", 5)], 5.1, False),
        ([("fired", 0), ("cancelled", 5)], 5, True),
        ([("fired", 0), ("cancelled", 5)], 5.1, False),
        ([("fired", 0), ("cancelled", 5), ("fired", 6)], 9, True),
        ([("fired", 0), ("resolved", 5), ("fired", 6)], 9, True),
        ([("fired", 5), ("cancelled", 5)], 6, False),
        ([("cancelled", 5)], 6, False),
    ],
)
def test_it_is_live_until_its_end(told: list[tuple[str, float]], moment: float, live: bool) -> None:
    assert track(*told).is_live(at(moment)) is live


def test_what_ties_a_firing_to_its_end() -> None:
    assert alert_key(make_event("alert.fired", 0, subject="disk")) == "db|disk"
    assert alert_key(make_event("alert.fired", 0)) == "db||test"
