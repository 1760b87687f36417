"""When a silence is longer than usual: by the source's own gaps, and never by our own downtime."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.core.model.events import DAY, HOUR, MINUTE, Instant
from monitor.ops.arrivals import UP, SourceHour
from monitor.ops.usual import SourceState, states

START = 450_000


def hours(source: str, active: Iterable[int], received: int = 10) -> list[SourceHour]:
    """Hours since the start; the last delivery of each at its half."""
    return [
        SourceHour(source, START + hour, received, Instant((START + hour) * HOUR + 30 * MINUTE), None, 5)
        for hour in active
    ]


def at(hour: float) -> Instant:
    return Instant(START * HOUR + int(hour * HOUR))


def one(found: list[SourceHour], now: Instant, up: Iterable[int] = ()) -> SourceState:
    (state,) = states([*found, *hours(UP, up, 0)], now)
    return state


def test_a_steady_source_is_silent_after_an_hour() -> None:
    found = hours("github", range(48))
    assert not one(found, at(48.5), range(60)).is_silent
    silent = one(found, at(48.6), range(60))
    assert silent.silent == 66 * MINUTE
    assert silent.allowed == HOUR


def test_a_source_that_sleeps_at_night_may_sleep() -> None:
    found = hours("github", [day * 24 + hour for day in range(7) for hour in range(9, 18)])
    last = 6 * 24 + 17
    assert one(found, at(last), range(400)).allowed == HOUR + 15 * HOUR * 3 // 2
    assert not one(found, at(last + 16), range(400)).is_silent
    assert one(found, at(last + 25), range(400)).is_silent


def test_our_own_downtime_is_nobody_s_silence() -> None:
    found = hours("github", range(48))
    assert not one(found, at(71.2), [*range(48), 71]).is_silent
    assert one(found, at(72.2), [*range(48), 71, 72]).is_silent
    assert one(hours("github", [*range(24), *range(48, 72)]), at(72), [*range(24), *range(48, 73)]).allowed == HOUR


def test_little_is_known_of_a_new_source() -> None:
    assert one(hours("github", range(11)), at(100), range(101)).allowed is None
    assert one(hours("github", range(12)), at(23), range(101)).allowed is None
    assert one(hours("github", range(12)), at(100), range(101)).is_silent


def test_a_day_is_compared_with_the_days_before() -> None:
    found = hours("github", range(48))
    state = one(found, at(47.9))
    assert (state.last_day, state.usual_day, state.lag) == (240, 240.0, 5)
    assert one(hours("github", range(20)), at(19.9)).usual_day is None


def test_a_source_is_forgotten_after_two_weeks() -> None:
    assert states(hours("github", range(48)), Instant(at(47.9) + 14 * DAY)) == []
