"""Times of day: working hours, nights, weekdays.

Knows neither services nor stories.
"""

from __future__ import annotations

from random import Random

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Instant

STARTS_AT = Instant(1_767_571_200 * SECOND)
"""2026-01-05T00:00:00Z, a Monday."""

_OPENS, _CLOSES = 8, 18


def midnight(day: int) -> Instant:
    return Instant(STARTS_AT + day * DAY)


def is_workday(day: int) -> bool:
    return day % 7 < 5


def at_work(random: Random, day: int) -> Instant:
    """Some moment at which people are at their desks; more of them in the middle of the day."""
    hour = random.triangular(_OPENS, _CLOSES, (_OPENS + _CLOSES) / 2)
    return Instant(midnight(day) + int(hour * HOUR) + random.randrange(MINUTE) // SECOND * SECOND)


def at_any_time(random: Random, day: int) -> Instant:
    return Instant(midnight(day) + random.randrange(DAY // SECOND) * SECOND)


def at_night(random: Random, day: int) -> Instant:
    return Instant(midnight(day) + random.randrange(4 * HOUR // SECOND) * SECOND)


def workday(random: Random, day: int, days: int) -> int:
    """The day itself, or one nearby on which people work."""
    while not is_workday(day):
        day = max(0, min(days - 1, day + random.choice((-1, 1, 2, -2))))
    return day
