"""Where a moment lies on the picture: a straight time axis whose quiet stretches outside of the action are cut short.

A near miss takes minutes and is watched for hours. Drawn to one scale the minutes would vanish, so a long gap before
the first sign or after safe is drawn short, marked as a break, and labelled with its true length.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, to_datetime

_STEPS = tuple(
    [SECOND * each for each in (10, 30)]
    + [MINUTE * each for each in (1, 2, 5, 10, 15, 30)]
    + [HOUR * each for each in (1, 2, 3, 6, 12)]
    + [DAY * each for each in (1, 2, 7, 14, 30, 90)]
)
_SHARE_OF_A_CUT_GAP = 0.22
_SHORTEST_ACTION = 2 * MINUTE
_TICK_APART = 78.0
_LABEL_APART = 64.0


class Tick(msgspec.Struct, frozen=True):
    x: float
    label: str


class Break(msgspec.Struct, frozen=True):
    """A stretch that is drawn shorter than it is."""

    x: float
    length: int


class Axis(msgspec.Struct, frozen=True):
    """Knots of time (microseconds) and their places; straight between two of them. `cut` names the cut stretches."""

    times: tuple[int, ...]
    places: tuple[float, ...]
    cut: frozenset[int]

    def x(self, at: int) -> float:
        """Moments outside of the axis lie at its ends."""
        times, places = self.times, self.places
        if at <= times[0]:
            return places[0]
        if at >= times[-1]:
            return places[-1]
        index = bisect_right(times, at) - 1
        share = (at - times[index]) / (times[index + 1] - times[index])
        return round(places[index] + share * (places[index + 1] - places[index]), 1)

    def breaks(self) -> list[Break]:
        return [
            Break(
                round((self.places[index] + self.places[index + 1]) / 2, 1), self.times[index + 1] - self.times[index]
            )
            for index in sorted(self.cut)
        ]

    def ticks(self) -> list[Tick]:
        """Round times in UTC, none within a cut stretch; the date where the day changes."""
        step = self._step()
        found: list[Tick] = []
        labelled = [each.x for each in self.breaks()]
        day = None
        for index in range(len(self.times) - 1):
            if index in self.cut:
                continue
            begin, end = self.times[index], self.times[index + 1]
            for at in range(-(-begin // step) * step, end + 1, step):
                place = self.x(at)
                if found and place - found[-1].x < _LABEL_APART:
                    continue
                if any(abs(place - other) < _LABEL_APART for other in labelled):
                    continue
                when = to_datetime(at)
                text = (
                    f"{when.day} {when:%b}"
                    if step >= DAY
                    else f"{when:%H:%M}" + (f":{when:%S}" if step < MINUTE else "")
                )
                if step < DAY and day is not None and when.date() != day:
                    text = f"{when.day} {when:%b} {text}"
                day = when.date()
                found.append(Tick(place, text))
        return found

    def _step(self) -> int:
        straight = [index for index in range(len(self.times) - 1) if index not in self.cut]
        time = sum(self.times[index + 1] - self.times[index] for index in straight)
        room = sum(self.places[index + 1] - self.places[index] for index in straight)
        wanted = time / max(room, 1.0) * _TICK_APART
        return next((step for step in _STEPS if step >= wanted), _STEPS[-1] * (1 + int(wanted // _STEPS[-1])))


def build_axis(
    begin: int, end: int, action: tuple[int, int], moments: Iterable[int], left: float, right: float
) -> Axis:
    """An axis from `begin` to `end` over the places `left` to `right`.

    The stretch `action` is never cut. Outside of it a gap between two of `moments` is, when it is longer than a good
    part of the action.
    """
    first, last = action
    straight = max(last - first, _SHORTEST_ACTION)
    end = max(end, begin + 1)
    inside = {first, last} | {at for at in moments if not first < at < last}
    times = sorted({begin, end} | {min(max(at, begin), end) for at in inside})
    longest = straight * _SHARE_OF_A_CUT_GAP
    drawn, cut = [0.0], set()
    for index, (one, other) in enumerate(pairwise(times)):
        gap = other - one
        outside = other <= first or one >= last
        if outside and gap > 1.5 * longest:
            cut.add(index)
            gap = int(longest)
        drawn.append(drawn[-1] + gap)
    scale = (right - left) / (drawn[-1] or 1.0)
    return Axis(tuple(times), tuple(round(left + each * scale, 1) for each in drawn), frozenset(cut))
