"""Gives events their stated times back where it was the receiver's clock that was behind, and not the sender's ahead.

Decides by what several sources said at that time; reads no clock: the present is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.core.model.events import HOUR, Event, Instant
from monitor.core.model.reasons import Mark

AGREES_WITHIN = HOUR
"""So far may what two sources stated lie from each other, measured from their receipts, to confirm one another."""
MOST_SOURCES = 1000


class CappedEvents(msgspec.Struct, frozen=True):
    """Events that were decided at a capped time: how many, and the earliest time that one of them stated."""

    count: int
    since: Instant


class Restating:
    """One reader of a journal. A source alone that states the future stays capped: its own clock is ahead."""

    def __init__(self, tolerance: int) -> None:
        """`tolerance`: how far an event may lie after the present (microseconds)."""
        self._tolerance = tolerance
        self._skews: dict[str, int] = {}
        self._kept: dict[str, tuple[Event, int]] = {}

    def correct(self, events: Sequence[Event], now: Instant) -> dict[int, Event]:
        """The events that were capped and have their time back, by their places. `now` by a clock that is right."""
        capped = [place for place, event in enumerate(events) if event.stated_time is not None]
        for place in capped:
            self._note(events[place])
        found = {}
        for place in capped:
            event = events[place]
            stated = event.stated_time
            if stated is not None and stated <= now + self._tolerance and self._is_confirmed(event):
                found[place] = _restated(event, stated)
            else:
                self._keep(event)
        return found

    def overdue(self, now: Instant) -> CappedEvents | None:
        """What kept its capped time and would have it back if it were read now; told once.

        What the engine decided by it stands until a rewind reads it again.
        """
        due = {
            source: (event, count)
            for source, (event, count) in self._kept.items()
            if event.stated_time is not None
            and event.stated_time <= now + self._tolerance
            and self._is_confirmed(event)
        }
        for source in due:
            del self._kept[source]
        if not due:
            return None
        return CappedEvents(sum(count for _, count in due.values()), min(_stated(event) for event, _ in due.values()))

    def _keep(self, event: Event) -> None:
        first, count = self._kept.pop(event.source, (event, 0))
        if len(self._kept) == MOST_SOURCES:
            del self._kept[next(iter(self._kept))]
        self._kept[event.source] = (min(first, event, key=_stated), count + 1)

    def _note(self, event: Event) -> None:
        if len(self._skews) == MOST_SOURCES and event.source not in self._skews:
            del self._skews[next(iter(self._skews))]
        self._skews[event.source] = _skew(event)

    def _is_confirmed(self, event: Event) -> bool:
        skew = _skew(event)
        return any(
            source != event.source and abs(other - skew) <= AGREES_WITHIN for source, other in self._skews.items()
        )


def _stated(event: Event) -> Instant:
    return event.time if event.stated_time is None else event.stated_time


def _skew(event: Event) -> int:
    received = event.time if event.received_at is None else event.received_at
    return _stated(event) - received


def _restated(event: Event, stated: Instant) -> Event:
    marks = tuple(mark for mark in event.marks if mark != Mark.TIME_IN_FUTURE)
    received = stated if event.received_at is None else max(event.received_at, stated)
    return msgspec.structs.replace(event, time=stated, stated_time=None, received_at=received, marks=marks)
