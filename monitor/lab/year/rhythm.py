"""When things happen: local hours, working days and changes of the clocks → instants; how often → how many.

Knows time zones and chance, nothing of what happens.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from monitor.core.model.events import Instant, to_instant
from monitor.lab.year.organisation import HOME_ZONE

FIRST_DAY = date(2026, 1, 5)
"""A Monday."""

_ZONE = ZoneInfo(HOME_ZONE)
_OFFICE = (0, 0, 0, 0, 0, 0, 1, 3, 8, 12, 12, 10, 6, 10, 12, 11, 8, 4, 2, 1, 1, 1, 1, 0)
"""How much people do in each local hour of a working day."""
_TRAFFIC = (3, 2, 2, 2, 2, 3, 4, 6, 8, 10, 10, 9, 9, 9, 10, 10, 9, 9, 9, 10, 9, 8, 6, 4)
"""How much users do: what machines complain about follows it."""
WEEKEND_WORK = 0.08
WEEKEND_TRAFFIC = 0.75


def midnight(day: int) -> Instant:
    """When local day number `day` (from 0) begins; a day has 23 or 25 hours where the clocks change."""
    return local(day, 0, 0)


def local(day: int, hour: int, minute: int) -> Instant:
    """A local time of day as an instant."""
    moment = datetime.combine(FIRST_DAY + timedelta(days=day), time(hour, minute), tzinfo=_ZONE)
    return to_instant(moment.astimezone(UTC))


def is_weekend(day: int) -> bool:
    return day % 7 >= 5


def is_frozen(day: int) -> bool:
    """The last two weeks of December: few deployments, everybody knows."""
    found = FIRST_DAY + timedelta(days=day)
    return found.month == 12 and found.day >= 18


def of_people(random: Random, day: int) -> Instant:
    """A moment at which somebody is likely to be at work."""
    return _within(random, day, _OFFICE)


def of_machines(random: Random, day: int) -> Instant:
    """A moment at which traffic makes something happen."""
    return _within(random, day, _TRAFFIC)


def at_night(random: Random, day: int) -> Instant:
    return local(day, random.choice((1, 2, 3, 4)), random.randrange(60))


def _within(random: Random, day: int, weights: tuple[int, ...]) -> Instant:
    hour = random.choices(range(24), weights)[0]
    # The hour that does not exist in spring is the next one; the one that comes twice in autumn is its first.
    second = random.randrange(3600)
    return Instant(local(day, hour, 0) + second * 1_000_000)


def how_many(random: Random, mean: float) -> int:
    """A count around its mean, as independent events give it (Poisson; by the normal curve where it is large)."""
    if mean > 30:
        return max(0, round(random.gauss(mean, mean**0.5)))
    left, count = random.random(), 0
    chance = product = 2.718281828459045**-mean
    while left > chance and count < 200:
        count += 1
        product *= mean / count
        chance += product
    return count
