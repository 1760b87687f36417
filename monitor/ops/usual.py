"""PURE: what a source usually does, and whether its silence is longer than usual.

Hours in which the service itself could not be reached count for nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from monitor.core.model.events import DAY, HOUR, Instant
from monitor.ops.arrivals import UP, SourceHour

WINDOW = 14 * DAY
"""A source that sent nothing for so long is forgotten."""
KNOWN_AFTER = 24
LEAST_ACTIVE = 12
"""Hours since the first delivery, and hours with one, before anything is called usual."""
_DAY_HOURS = 24


class SourceState(msgspec.Struct, frozen=True):
    """One source as it stands. Spans are in microseconds.

    `last_day`: received in 24 hours; `usual_day`: in 24 hours before those, None while that is unknown. `lag`: the
    least lag of the last day. `allowed`: the longest usual silence; `silent`: how long it has been silent beyond that.
    """

    source: str
    last_at: Instant | None
    newest: Instant | None
    last_day: int
    usual_day: float | None
    lag: int | None
    allowed: int | None
    silent: int | None

    @property
    def is_silent(self) -> bool:
        return self.silent is not None


def states(hours: Iterable[SourceHour], now: Instant) -> list[SourceState]:
    """Every source of the last two weeks, by name."""
    by_source: dict[str, list[SourceHour]] = defaultdict(list)
    oldest = (now - WINDOW) // HOUR
    for each in hours:
        if each.hour > oldest:
            by_source[each.source].append(each)
    up = sorted({each.hour for found in by_source.values() for each in found})
    by_source.pop(UP, None)
    return [
        _state(source, sorted(found, key=lambda each: each.hour), up, now)
        for source, found in sorted(by_source.items())
    ]


def _state(source: str, hours: Sequence[SourceHour], up: Sequence[int], now: Instant) -> SourceState:
    here = now // HOUR
    last_at = max(each.last_at for each in hours)
    recent = [each for each in hours if each.hour > here - _DAY_HOURS]
    before = [each for each in hours if each.hour <= here - _DAY_HOURS]
    usual = None
    if before:
        reachable = bisect_right(up, here - _DAY_HOURS) - bisect_left(up, hours[0].hour)
        usual = sum(each.received for each in before) / max(reachable, _DAY_HOURS) * _DAY_HOURS
    allowed = _allowed([each.hour for each in hours], up, here)
    quiet = now - last_at - _unreachable(last_at // HOUR, here, up) * HOUR
    return SourceState(
        source,
        last_at,
        max((each.newest for each in hours if each.newest is not None), default=None),
        sum(each.received for each in recent),
        usual,
        min((each.least_lag for each in recent if each.least_lag is not None), default=None),
        allowed,
        quiet if allowed is not None and quiet > allowed else None,
    )


def _allowed(active: Sequence[int], up: Sequence[int], here: int) -> int | None:
    """An hour, and one and a half times the longest silence so far; None while too little is known."""
    if len(active) < LEAST_ACTIVE or here - active[0] < KNOWN_AFTER:
        return None
    longest = max(_reachable(one, other, up) for one, other in pairwise(active))
    return HOUR + longest * 3 * HOUR // 2


def _reachable(one: int, other: int, up: Sequence[int]) -> int:
    """Hours between the two in which the service was up."""
    return bisect_left(up, other) - bisect_right(up, one)


def _unreachable(one: int, other: int, up: Sequence[int]) -> int:
    return max(0, other - one - 1 - max(0, _reachable(one, other, up)))
