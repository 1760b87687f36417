"""The values that were measured, over time and against their limit: what a level's lane of the picture draws.

Between two measurements nobody looked; the line joins them. Knows no HTML and no colours.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from monitor.core.model.events import Event
from monitor.core.model.near_miss import Draft
from monitor.review import wording as words
from monitor.review.axis import Axis

HEIGHT = 64.0
MOST_POINTS = 60
_ABOVE = 1.08
"""The limit lies a little below the lane's upper edge."""


class MeasuredPoint(msgspec.Struct, frozen=True):
    x: float
    y: float
    tip: str


class Curve(msgspec.Struct, frozen=True):
    """`path`: the line through the points, as SVG has it; `limit_y`: the height of the limit; `said`: all in words."""

    points: tuple[MeasuredPoint, ...]
    path: str
    limit_y: float
    said: str


def curve(draft: Draft, events: Iterable[Event], axis: Axis, top: float) -> Curve | None:
    """None where the margin is no level, was measured once only, or is not among what was measured."""
    margin = draft.margin
    if margin is None or margin.measure != "headroom" or not margin.limit or margin.limit < 0:
        return None
    measured = [
        event
        for event in sorted(events, key=lambda event: event.time)
        if event.value is not None and event.limit == margin.limit and (event.unit or "") == margin.unit
    ]
    values = [event.value or 0.0 for event in measured]
    if len({event.time for event in measured}) < 2 or len(measured) > MOST_POINTS or margin.value not in values:
        return None
    highest, lowest = max(margin.limit, *values) * _ABOVE, min(0.0, *values)

    def height(value: float) -> float:
        return round(top + HEIGHT * (highest - value) / (highest - lowest), 1)

    points = tuple(
        MeasuredPoint(
            axis.x(event.time), height(event.value or 0.0), f"{words.clock(event.time)} UTC: {words.measured(event)}"
        )
        for event in measured
    )
    path = "M" + "L".join(f"{point.x} {point.y}" for point in points)
    said = "; ".join(point.tip for point in points)
    return Curve(points, path, height(margin.limit), f"{said}; limit {margin.limit:g}")
