"""When each feed reported that it looked and saw no impact.

Keeps times only, in slots of event time, so that old slots are forgotten whole and a changed slot is written alone.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import NamedTuple

from monitor.core.model.events import HOUR, Event

SLOT = 6 * HOUR


class FeedKey(NamedTuple):
    service: str
    source: str
    evidence: str | None


class FeedReports:
    """One feed's reports: points in time, and spans where one report speaks of a past span."""

    __slots__ = ("key", "marked", "slots", "spans")

    def __init__(self, key: FeedKey) -> None:
        """`marked`: the slot of which it is known already that it changed."""
        self.key = key
        self.marked: int | None = None
        self.slots: dict[int, array[int]] = {}
        self.spans: list[tuple[int, int]] = []

    def between(self, start: int, end: int) -> list[int]:
        """Report times in [start, end], ascending."""
        found: list[int] = []
        for slot in sorted(slot for slot in self.slots if start // SLOT <= slot <= end // SLOT):
            times = self.slots[slot]
            found.extend(times[bisect_left(times, start) : bisect_right(times, end)])
        return found

    def last_before(self, moment: int) -> int | None:
        """The newest report at or before a moment, or None."""
        for slot in sorted((slot for slot in self.slots if slot <= moment // SLOT), reverse=True):
            times = self.slots[slot]
            if place := bisect_right(times, moment):
                return times[place - 1]
        return None


class Feeds:
    """All feeds by key. `dirty` names what changed since it was last cleared: (key, slot), slot None for the spans."""

    def __init__(self) -> None:
        self._reports: dict[FeedKey, FeedReports] = {}
        self._by_service: dict[str, list[FeedKey]] = {}
        self.dirty: set[tuple[FeedKey, int | None]] = set()

    def add(self, event: Event) -> bool:
        """Take an `impact.clear` of a service; False where the same was reported before."""
        assert event.service is not None  # `Engine.step` and `_looked_back` ask before
        at = event.time
        # A plain tuple finds what is there under a FeedKey, and most feeds are there.
        reports = self._reports.get((event.service, event.source, event.labels.get("evidence")))  # type: ignore[call-overload]  # equal to a FeedKey
        if reports is None:
            reports = self._feed(FeedKey(event.service, event.source, event.labels.get("evidence")))
        slot = at // SLOT
        if slot == reports.marked and at > reports.slots[slot][-1]:
            reports.slots[slot].append(at)
            is_new = True
        else:
            is_new = self._place(reports, at, slot)
        if event.covers_from is not None and event.covers_from < at:
            span = (int(event.covers_from), int(at))
            if span not in reports.spans:
                insort(reports.spans, span)
                self.dirty.add((reports.key, None))
                is_new = True
        return is_new

    def add_time(self, key: FeedKey, at: int) -> None:
        self._place(self._feed(key), at, at // SLOT)

    def _feed(self, key: FeedKey) -> FeedReports:
        reports = self._reports.get(key)
        if reports is None:
            reports = self._reports[key] = FeedReports(key)
            self._by_service.setdefault(key.service, []).append(key)
        return reports

    def _place(self, reports: FeedReports, at: int, slot: int) -> bool:
        times = reports.slots.get(slot)
        if times is None:
            times = reports.slots[slot] = array("q")
        if not times or at > times[-1]:
            times.append(at)
        else:
            place = bisect_left(times, at)
            if times[place] == at:
                return False
            times.insert(place, at)
        self.dirty.add((reports.key, slot))
        reports.marked = slot
        return True

    def clear_dirty(self) -> None:
        """What changed is written, or need not be."""
        for key, _ in self.dirty:
            if (reports := self._reports.get(key)) is not None:
                reports.marked = None
        self.dirty.clear()

    def restore_spans(self, key: FeedKey, spans: list[tuple[int, int]]) -> None:
        self._feed(key).spans = spans

    def of(self, service: str) -> list[tuple[FeedKey, FeedReports]]:
        """The feeds that watch a service, in a fixed order."""
        return [(key, self._reports[key]) for key in sorted(self._by_service.get(service, ()), key=_order)]

    def slot(self, key: FeedKey, slot: int) -> array[int] | None:
        reports = self._reports.get(key)
        return None if reports is None else reports.slots.get(slot)

    def spans(self, key: FeedKey) -> list[tuple[int, int]]:
        reports = self._reports.get(key)
        return [] if reports is None else reports.spans

    def forget_before(self, moment: int) -> None:
        """Forget slots that ended before a moment. A feed stays known by its newest slot, however old."""
        for key, reports in self._reports.items():
            newest = max(reports.slots, default=0)
            for slot in [slot for slot in reports.slots if (slot + 1) * SLOT < moment and slot != newest]:
                del reports.slots[slot]
                self.dirty.add((key, slot))
            kept = [span for span in reports.spans if span[1] >= moment]
            if len(kept) != len(reports.spans):
                reports.spans = kept
                self.dirty.add((key, None))

    def reports(self, key: FeedKey) -> FeedReports:
        """What a known feed reported."""
        return self._reports[key]

    def knows(self, key: FeedKey) -> bool:
        return key in self._reports

    def evict(self, key: FeedKey, slot: int | None, now: int) -> None:
        """Drop what a feed reported before `now` in a slot, or the spans (None); the feed where nothing is left."""
        reports = self._reports[key]
        if slot is None:
            reports.spans = [span for span in reports.spans if span[1] >= now]
        else:
            times = reports.slots[slot]
            del times[: bisect_left(times, now)]
            if not times:
                del reports.slots[slot]
            reports.marked = None
        self.dirty.add((key, slot))
        if not reports.slots and not reports.spans:
            del self._reports[key]
            self._by_service[key.service].remove(key)
            if not self._by_service[key.service]:
                del self._by_service[key.service]
            self.dirty.add((key, None))

    def __len__(self) -> int:
        return len(self._reports)

    def __iter__(self) -> Iterator[FeedKey]:
        return iter(self._reports)


def _order(key: FeedKey) -> tuple[str, str, str]:
    return (key.service, key.source, key.evidence or "")
