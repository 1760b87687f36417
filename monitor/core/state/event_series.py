"""The events of one kind of one service in time order, and until when none of them is to be forgotten.

Knows no other service and no rule: the TTL of a mask is handed in.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from monitor.core.matching.facts import DerivedFacts
from monitor.core.model.events import Event, EventId
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.watermark import BEGINNING
from monitor.core.state.costs import SERIES, next_event_bytes

MOST_PER_KIND = RETENTION.most_per_kind
"""Events of one kind of one service that can be asked for: the newest so many. (Twice as many may lie here, so that
evicting is cheap; events beyond it are never returned, so that it does not matter when they are evicted.)"""

MOST_BEYOND_TTL = RETENTION.most_beyond_ttl
"""So many, where only further steps of a rule look so far back: a busy service would fill the memory with them."""

UNCOUNTED = -1
FOREVER = 2**62


class MemoryEntry(NamedTuple):
    """Sorts by time, then identity, so that every arrival order gives one order."""

    at: int
    source: str
    id: str
    event: Event


def entry(event: Event) -> MemoryEntry:
    return MemoryEntry(event.time, event.source, event.id, event)


class RememberedEvent(NamedTuple):
    """An event that is remembered: its mask, what it was `before` by other rules, and its derived facts.

    `is_news`: some were derived for the first time.
    """

    event: Event
    mask: int
    before: int
    derived: DerivedFacts | None
    is_news: bool


MaskOf = Callable[[Event, DerivedFacts | None], tuple[int, DerivedFacts | None]]
"""The mask of an event with the facts derived so far, and its facts afterwards."""


class Ttl(NamedTuple):
    """How long events are kept (microseconds): every one, the newest few in any case, and those few now.

    The last is longer where something stands just now that may ask for them.
    """

    every: int
    few: int
    now: int


TtlOf = Callable[[str, str, int], Ttl]
"""For (service, kind, mask), as things stand."""


_NO_TTL = Ttl(0, 0, 0)
_NOTHING_KNOWN: Mapping[int, Ttl] = {}


class EventSeries:
    """The events of one kind of one service in time order, and beside each the mask of the steps that it matched.

    `derived` has the derived facts of some of them, as of their arrival. Until the watermark passes `due` nothing is to
    be forgotten here, whatever stands; nor until it passes `due_as_known`, where things stand so that the `ttls` are
    those of the last time. `shortest`: of those ttls each the shortest.
    """

    __slots__ = ("derived", "due", "due_as_known", "events", "masks", "shortest", "size", "ttls")

    def __init__(self, event: Event, mask: int) -> None:
        self.events = [event]
        self.masks = [mask]
        self.derived: dict[EventId, DerivedFacts] = {}
        self.due = self.due_as_known = BEGINNING
        self.ttls = _NOTHING_KNOWN
        self.shortest = _NO_TTL
        self.size = UNCOUNTED

    def sizes(self) -> Iterator[tuple[Event, int]]:
        """Each event that can be asked for, with its bytes."""
        before: Event | None = None
        for event in self.events[-MOST_PER_KIND:]:
            yield event, next_event_bytes(event, before)
            before = event

    def bytes(self) -> int:
        """Of all events that can be asked for; counted again only after a change."""
        if self.size == UNCOUNTED:
            self.size = SERIES + sum(size for _, size in self.sizes())
        return self.size

    def drop_before(self, until: int) -> list[Event]:
        """Evict what is older than a moment; the events."""
        old = bisect_left(self.events, until, key=_time)
        gone = self.events[:old]
        if gone:
            del self.events[:old], self.masks[:old]
            self.size = UNCOUNTED
            self.drop_stale_facts()
            self.invalidate()
        return gone

    def place(self, event: Event) -> int:
        """Where the event stands, or would stand."""
        return bisect_left(self.events, entry(event)[:3], key=_identity)

    def came(self, at: int, mask: int) -> None:
        """An event is here now that was not when it was last looked at what is to be forgotten."""
        if mask not in self.ttls:
            self.invalidate()
            return
        # An old one is one too many only once this one is old as well.
        every, few, now = self.shortest
        crowded = len(self.events) > MOST_BEYOND_TTL
        self.due = min(self.due, at + (every if crowded else few))
        self.due_as_known = min(self.due_as_known, at + (every if crowded else now))

    def invalidate(self) -> None:
        """What is to be forgotten here is not known any more."""
        self.due = self.due_as_known = BEGINNING

    def evict(self, watermark: int, ttls: Mapping[int, Ttl]) -> bool:
        """Evict what is older than the TTL of its mask; whether anything is left."""
        if ttls != self.ttls:
            self.ttls = ttls
            self.shortest = Ttl(*map(min, zip(*ttls.values(), strict=True)))
        elif self.due_as_known >= watermark:
            return True
        events, masks = self.events, self.masks
        # Only what is older than the shortest term has to be looked at.
        old = bisect_left(events, watermark - self.shortest.every, key=_time)
        kept: list[int] = []
        loose = 0
        for place in range(old - 1, -1, -1):
            at, ttl = events[place].time, ttls[masks[place]]
            if at + ttl.every >= watermark:
                kept.append(place)
            elif at + ttl.now >= watermark and loose < MOST_BEYOND_TTL:
                loose += 1
                kept.append(place)
        if len(kept) != old:
            self.size = UNCOUNTED
            kept.reverse()
            for place in set(range(old)).difference(kept) if self.derived else ():
                self.derived.pop(events[place].event_id, None)
            events[:old] = [events[place] for place in kept]
            masks[:old] = [masks[place] for place in kept]
        self._plan(watermark, len(kept))
        return bool(events)

    def _plan(self, watermark: int, old: int) -> None:
        """Until when nothing is to be forgotten; `old`: so many come first that are past the shortest ttl."""
        events, masks, ttls = self.events, self.masks, self.ttls
        due = due_as_known = FOREVER
        looked_at = len(events)
        crowded = looked_at > MOST_BEYOND_TTL
        if crowded:
            # One may be one too many as soon as another is past the time for which every one is kept.
            looked_at = old
            if old < len(events):
                due = due_as_known = events[old].time + self.shortest.every
        for place in range(looked_at):
            at = events[place].time
            every, few, now = ttls[masks[place]]
            if crowded and at + every >= watermark:
                few = now = every
            due = min(due, at + few)
            due_as_known = min(due_as_known, at + now)
        self.due, self.due_as_known = due, due_as_known

    def drop_stale_facts(self) -> None:
        """Of events that are here no more."""
        if self.derived:
            self.derived = {
                event.event_id: self.derived[event.event_id] for event in self.events if event.event_id in self.derived
            }

    def holds(self, event: Event) -> bool:
        place = self.place(event)
        return place < len(self.events) and self.events[place].event_id == event.event_id

    def between(self, start: int, end: int) -> Iterator[Event]:
        """Those that can be asked for with start <= time <= end, in time order."""
        events = self.events
        if events[-1].time < start:
            return
        for place in range(max(bisect_left(events, start, key=_time), len(events) - MOST_PER_KIND), len(events)):
            if events[place].time > end:
                break
            yield events[place]

    def count_before(self, moment: int) -> int:
        return bisect_left(self.events, moment, key=_time)

    def before(self, moment: int) -> Iterator[tuple[Event, int, DerivedFacts | None]]:
        """Each event from before a moment, with its mask and its derived facts."""
        for place in range(self.count_before(moment)):
            event = self.events[place]
            yield event, self.masks[place], self.derived.get(event.event_id)

    def remask(self, mask_of: MaskOf, interned: Callable[[DerivedFacts], DerivedFacts]) -> list[RememberedEvent]:
        """Compute every event's mask again, for other rules; the events."""
        kept = []
        for event, before in zip(self.events, self.masks, strict=True):
            known = self.derived.get(event.event_id) if self.derived else None
            so_far = len(known or ())
            mask, derived = mask_of(event, None if known is None else dict(known))
            if derived:
                self.derived[event.event_id] = interned(derived)
            kept.append(RememberedEvent(event, mask, before, derived, len(derived or ()) > so_far))
        self.masks = [each.mask for each in kept]
        self.invalidate()
        return kept

    def matching(self, bit: int, start: int, end: int) -> Iterator[Event]:
        """Of these the ones that match the step of this bit, the newest first."""
        events, masks = self.events, self.masks
        place = len(events) - 1
        if events[place].time > end:
            place = bisect_right(events, end, key=_time) - 1
        last = max(0, len(events) - MOST_PER_KIND)
        while place >= last and events[place].time >= start:
            if masks[place] & bit:
                yield events[place]
            place -= 1

    def cap(self) -> tuple[Event, int] | None:
        """The event, with its mask, that the newest one pushed beyond those that can be asked for."""
        if len(self.events) <= MOST_PER_KIND:
            return None
        beyond = self.events[-MOST_PER_KIND - 1], self.masks[-MOST_PER_KIND - 1]
        if len(self.events) > 2 * MOST_PER_KIND:
            del self.events[:-MOST_PER_KIND], self.masks[:-MOST_PER_KIND]
            self.drop_stale_facts()
        return beyond

    def insert(self, event: Event, mask: int) -> None:
        """Put an event that is not here where it belongs."""
        place = self.place(event)
        self.events.insert(place, event)
        self.masks.insert(place, mask)
        self.size = UNCOUNTED


def _identity(event: Event) -> tuple[int, str, str]:
    return (event.time, event.source, event.id)


def _time(event: Event) -> int:
    return event.time
