"""An act and all that stood around it, and how likely it is that they met by accident: from base rates alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE, Event
from monitor.core.weighing.acts import Undoing
from monitor.core.weighing.features import Vector
from monitor.core.weighing.habits import Habits, per_day
from monitor.core.weighing.place import ServiceMemory, sign_rate_key
from monitor.core.weighing.signs import Sign, habit_key

LEAST_GAP = 2 * MINUTE
LEAST_TO_BUILD = 20 * MINUTE
"""Something new that comes sooner after a sign was not made for it."""
RAREST = 5.0
SURPRISING = 0.01
"""So few expected signs say as much as can be said: what falls into the span is no accident."""
RARE_SIGN_PRIOR = 0.5
RARE_SIGN_UNKNOWN = 0.7
RARE_SIGN_AFTER = 5 * DAY
MOST_USUAL = 3.0


class Scene(msgspec.Struct):
    """An act and all that stood around it. `per_day`: how often such an act happens on its service.

    `habits_of`: what is known of the domain of a service.
    `larger`: how many times as many services the organisation has as the domain.
    `counted`: whether the act itself is among the habits.
    `size_of`: how many services are in the domain of a service.
    `pace`: how many times as much people do at that time of the week as on average.
    `announced`: since when announced work was in progress on the service or above it, or the change told beforehand.
    `rehearsed`: whether an exercise was announced.
    """

    act: Event
    actor: str
    place: ServiceMemory
    undoing: Undoing
    signs: list[tuple[Sign, int]]
    joined_to_users: bool
    production: bool
    per_day: float
    reach: dict[str, int]
    places: dict[str, ServiceMemory]
    habits_of: Callable[[str], Habits]
    size_of: Callable[[str], int]
    announced: int | None
    rehearsed: bool
    pace: float
    larger: float
    counted: bool
    others: dict[tuple[str, str, str, int], float] = {}


def by_no_accident(scene: Scene, sign: Sign, span: int) -> float:
    """Whether such a sign says something by falling into a span on one service: from 0, where one always does, to 1."""
    days = scene.habits_of(sign.service).days_known(scene.act.time) * scene.size_of(sign.service)
    expected = _others(scene, sign) / days * max(span, HOUR) / DAY
    return max(0.0, -math.log10(max(expected, SURPRISING)) / 2)


def common_sign(scene: Scene, sign: Sign) -> float:
    """How common such a sign is here, itself left out: from 0 to `MOST_USUAL`."""
    return min(MOST_USUAL, math.log2(1 + _others(scene, sign)) / 2)


def _others(scene: Scene, sign: Sign) -> float:
    """How many such signs there were lately beside this one. Each option of a scene asks for each of its signs."""
    key = (sign.service, sign.kind, sign.key, sign.began)
    if (known := scene.others.get(key)) is None:
        usual = scene.habits_of(sign.service).usual(habit_key(sign), scene.act.time)
        known = scene.others[key] = max(0.0, usual - 1)
    return known


def rare_sign(scene: Scene, sign: Sign) -> float:
    at, began = scene.act.time, scene.habits_of(sign.service).began or 0
    if at - began <= RARE_SIGN_AFTER:
        return RARE_SIGN_UNKNOWN
    place = scene.places.get(sign.service)
    rate = place.rates.get(sign_rate_key(sign.severity)) if place is not None else None
    daily = per_day(rate, at, began, RARE_SIGN_PRIOR / 4)
    return max(0.0, -math.log10(daily))


def coincidence(scene: Scene, values: Vector, details: dict[str, str], gap: int, places: int) -> None:
    """How unlikely it is that such an act falls into such a gap by accident: tenfolds, at most `RAREST`.

    Nothing where the work was announced.
    """
    if scene.announced is not None:
        return  # one plan brought both: that they met is no accident
    expected = scene.per_day * scene.pace * places * gap / DAY
    chance = max(-math.expm1(-expected), 10**-RAREST)
    values["rare_act"] = max(0.0, -math.log10(chance))
    details["rare_act"] = f"{scene.per_day:.2g}"
