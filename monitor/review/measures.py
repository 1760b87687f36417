"""The margin as its own lane of the picture: a level against its limit, the time to a deadline, or a count.

Time that passed until the action is the bracket above the lanes and needs no lane.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Instant
from monitor.core.model.near_miss import Draft, Margin
from monitor.review.axis import Axis

_UNITS = {"seconds": SECOND, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}
MOST_DOTS = 40
DOT_APART = 14.0
LABEL_GAP = 8.0
SHORTEST_GAUGE = 40.0
GAUGE_SHARE = 0.6
"""How much of the lane the gauge of a level takes; its words stand beside it."""


SHORTEST, LONGEST = MINUTE, 7 * DAY
"""The ends of the scale on which a row draws time: each tenfold of a time is as wide as the next."""
MOST_ROW_DOTS = 9


class Gauge(msgspec.Struct, frozen=True):
    """The margin as a small bar in a row: the part of the room that was gone, time to the action, or a dot each time.

    `part` is 0 to 1 of the bar; `marks` are an hour and a day on the scale of time.
    """

    look: Literal["room", "time", "count"]
    part: float = 0.0
    marks: tuple[float, ...] = ()
    dots: int = 0
    more: bool = False


class Measure(msgspec.Struct, frozen=True):
    """`x`, `width`: the stretch that is drawn; `limit_x`: the limit or the deadline; `dots`: one for each time."""

    look: Literal["level", "deadline", "count"]
    y: float
    label: str
    label_x: float
    anchor: Literal["start", "end"]
    x: float = 0.0
    width: float = 0.0
    limit_x: float | None = None
    dots: tuple[float, ...] = ()


def deadline_of(draft: Draft) -> tuple[Instant, Instant] | None:
    """The action that a deadline was measured from, and the deadline; None where the margin is another."""
    margin = draft.margin
    if margin is None or margin.measure != "deadline" or margin.unit not in _UNITS:
        return None
    left = int(margin.value * _UNITS[margin.unit])
    acts = [cited.event.time for cited in draft.evidence if cited.role == "intervention"]
    told = {cited.event.expires_at for cited in draft.evidence} | {
        cited.event.previous_expires_at for cited in draft.evidence
    }
    acted = next((at for at in acts if at + left in told), draft.told_to or draft.intervened_at)
    return acted, Instant(acted + left)


def used_up(draft: Draft) -> float | None:
    """The part of the room that was gone when somebody acted, 0 to 1; None where no limit is known to measure it by."""
    margin = draft.margin
    if margin is None:
        return None
    if margin.measure == "headroom" and margin.limit and margin.limit > 0:
        part = margin.value / margin.limit
        return _within(1 - part if _counts_what_is_left(draft, margin) else part)
    if (found := deadline_of(draft)) is not None:
        acted, deadline = found
        begins, _ = to_action(draft)
        room = deadline - begins
        return 1.0 if room <= 0 else _within((acted - begins) / room)
    return None


def gauge(draft: Draft) -> Gauge | None:
    """None where a level has no limit to draw it by."""
    margin = draft.margin
    if (used := used_up(draft)) is not None:
        return Gauge("room", used)
    if margin is not None and margin.measure == "count":
        return Gauge("count", dots=min(int(margin.value), MOST_ROW_DOTS), more=margin.value > MOST_ROW_DOTS)
    if margin is not None and margin.measure != "elapsed":
        return None
    begins, acted = to_action(draft)
    return Gauge("time", on_scale(acted - begins), (on_scale(HOUR), on_scale(DAY)))


def on_scale(span: int) -> float:
    """The place of a span of time, 0 to 1."""
    return _within(math.log(max(span, SHORTEST) / SHORTEST) / math.log(LONGEST / SHORTEST))


def _counts_what_is_left(draft: Draft, margin: Margin) -> bool:
    """Whether less is worse: pods that are left, not a disk that fills."""
    measured = [cited.event for cited in draft.evidence if cited.role == "hazard"]
    bounds = {event.bound for event in measured if (event.value, event.limit) == (margin.value, margin.limit)}
    return "min" in bounds or margin.text.endswith(" left")


def _within(part: float) -> float:
    return min(max(part, 0.0), 1.0)


def to_action(draft: Draft) -> tuple[Instant, Instant]:
    """From where to where time until the action counts, for all that a page says of it: as in the title.

    A draft of several stories has an earlier first sign than the story that names it. A record of an older version does
    not say which; then it is what the margin fits, else the whole draft.
    """
    if draft.told_from is not None and draft.told_to is not None:
        return draft.told_from, draft.told_to
    margin = draft.margin
    if margin is not None and margin.measure == "elapsed" and margin.unit in _UNITS:
        span = margin.value * _UNITS[margin.unit]
        signs = [cited.event.time for cited in draft.evidence if cited.role == "hazard"]
        acts = [cited.event.time for cited in draft.evidence if cited.role == "intervention"]
        for acted in acts:
            for sign in signs:
                if abs(acted - sign - span) < SECOND:
                    return sign, acted
        # Its events are among those that are only counted.
        return Instant(int(draft.intervened_at - span)), draft.intervened_at
    return draft.first_sign_at, draft.intervened_at


def measure(draft: Draft, axis: Axis, y: float, left: float, right: float, character: float) -> Measure | None:
    """The lane's content at the height `y`; None where the margin is elapsed time or was not measured."""
    margin = draft.margin
    if margin is None or margin.measure == "elapsed" or not margin.text:
        return None
    if (found := deadline_of(draft)) is not None:
        one, other = sorted(axis.x(at) for at in found)
        label_x, anchor = _beside(margin.text, one, other, left, right, character)
        return Measure("deadline", y, margin.text, label_x, anchor, one, round(other - one, 1), axis.x(found[1]))
    if margin.measure == "count":
        room = int((right - left - 16 - len(margin.text) * character) // DOT_APART)
        dots = tuple(left + 8 + DOT_APART * place for place in range(min(int(margin.value), MOST_DOTS, max(room, 1))))
        return Measure("count", y, margin.text, (dots[-1] if dots else left) + 16, "start", dots=dots)
    if margin.limit is None or margin.limit <= 0 or margin.value < 0:
        return Measure("level", y, margin.text, left, "start")
    beside = LABEL_GAP + len(margin.text) * character
    whole = max(SHORTEST_GAUGE, min((right - left) * GAUGE_SHARE, right - left - beside))
    scale = whole / max(margin.limit, margin.value)
    limit_x = round(left + margin.limit * scale, 1)
    end = max(limit_x, left + whole) + LABEL_GAP
    return Measure("level", y, margin.text, end, "start", left, round(margin.value * scale, 1), limit_x)


def _beside(
    text: str, one: float, other: float, left: float, right: float, character: float
) -> tuple[float, Literal["start", "end"]]:
    """Right of the stretch where there is room, else left of it, else over its end."""
    wide = len(text) * character
    if other + LABEL_GAP + wide <= right:
        return other + LABEL_GAP, "start"
    if one - LABEL_GAP - wide >= left:
        return one - LABEL_GAP, "end"
    return right, "end"
