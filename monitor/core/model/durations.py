"""How a span of time is said, everywhere alike: "41 s", "14 min", "3 h 30 min", "4 d 3 h"."""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND

_UNITS = (("d", DAY, 20), ("h", HOUR, 24), ("min", MINUTE, 10), ("s", SECOND, 1))
"""Each unit, and from how many of it on the next smaller one is rounded away: never more than 5 % of the span."""


def say_duration(span: int) -> str:
    """A span (microseconds) in at most two units, rounded by at most 5 %. The sign is dropped."""
    size = abs(span)
    if size < SECOND:
        return "under 1 s"
    place = next(place for place, (_, unit, _) in enumerate(_UNITS) if size >= unit)
    _, unit, alone = _UNITS[place]
    step = unit if size >= alone * unit else _UNITS[place + 1][1]
    size = (size + step // 2) // step * step
    if place and size >= _UNITS[place - 1][1]:  # 59 min 40 s is an hour
        place -= 1
    name, unit, _ = _UNITS[place]
    whole, rest = divmod(size, unit)
    if not rest:
        return f"{whole} {name}"
    smaller, of, _ = _UNITS[place + 1]
    return f"{whole} {name} {rest // of} {smaller}"
