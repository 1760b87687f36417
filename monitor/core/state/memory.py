"""What happened lately, by service and kind: the events that rules or the verdict may still look back at.

Bounded by time and by count per service and kind; the identity of an event that is still here makes a second copy
change nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from monitor.core.matching.facts import DerivedFacts
from monitor.core.model.events import Event, EventId
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.watermark import BEGINNING
from monitor.core.state.costs import SERIES, next_event_bytes
from monitor.core.state.interning import Interner

MOST_PER_KIND = RETENTION.most_per_kind
"""Events of one kind of one service that can be asked for: the newest so many. (Twice as many may lie here, so that
forgetting is cheap; what lies beyond is never returned, so that it does not matter when it is forgotten.)"""

MOST_BEYOND_TTL = RETENTION.most_beyond_ttl
"""So many, where only further steps of a rule look so far back: a busy service would fill the memory with them."""

UNCOUNTED = -1
FOREVER = 2**62
EVERYONE = ""
"""Where events are kept that name no service."""


class MemoryEntry(NamedTuple):
    """Sorts by time, then identity, so that every arrival order gives one order."""

    at: int
    source: str
    id: str
    event: Event


def entry(event: Event) -> MemoryEntry:
    return MemoryEntry(event.time, event.source, event.id, event)


class Ttl(NamedTuple):
    """For how long events are kept (microseconds): every one, the newest few of them at any rate, and those few now.

    The last is longer where something stands just now that may ask for them.
    """

    every: int
    few: int
    now: int


TtlOf = Callable[[str, str, int], Ttl]
"""For (service, kind, mask), as things stand."""


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
        """Of all events that can be asked for; counted anew only after a change."""
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


class Added(NamedTuple):
    """Whether an event is new, and the older event (with its mask) that it evicted from what can be asked for."""

    is_new: bool
    evicted: tuple[Event, int] | None = None


_ADDED = Added(True)
_KNOWN = Added(False)


class Memory:
    """Recent events in event-time order."""

    def __init__(self) -> None:
        self._by_service: dict[str, dict[str, EventSeries]] = {}
        self._with_kind: dict[str, set[str]] = {}
        self._interner = Interner()

    def add(self, event: Event, mask: int, derived: DerivedFacts | None = None) -> Added:
        """Store an event, unless this identity is here already or everything around it was evicted.

        `derived`: its derived facts, to be used again when its mask is worked out anew.
        """
        service, kind = event.service or EVERYONE, event.kind
        by_kind = self._by_service.get(service)
        if by_kind is None:
            by_kind = self._by_service[service] = {}
        series = by_kind.get(kind)
        if series is None:
            self._interner.share(event, None)
            series = by_kind[kind] = EventSeries(event, mask)
            self._with_kind.setdefault(kind, set()).add(service)
            if derived:
                series.derived[event.event_id] = self._interner.facts(derived)
            return _ADDED
        events = series.events
        series.size = UNCOUNTED
        self._interner.share(event, events[-1])
        if event.time > events[-1].time:
            events.append(event)
            series.masks.append(mask)
        else:
            if (len(events) >= MOST_PER_KIND and entry(event) < entry(events[-MOST_PER_KIND])) or series.holds(event):
                return _KNOWN
            place = series.place(event)
            events.insert(place, event)
            series.masks.insert(place, mask)
        if derived:
            series.derived[event.event_id] = self._interner.facts(derived)
        series.came(event.time, mask)
        if len(events) > MOST_PER_KIND:
            evicted = Added(True, (events[-MOST_PER_KIND - 1], series.masks[-MOST_PER_KIND - 1]))
            if len(events) > 2 * MOST_PER_KIND:
                del events[:-MOST_PER_KIND]
                del series.masks[:-MOST_PER_KIND]
                series.drop_stale_facts()
            return evicted
        return _ADDED

    def restore(self, event: Event, derived: DerivedFacts | None) -> bool:
        """Keep an event of a saved state; False where it is here already.

        More may come than were kept in the end: what was forgotten one by one was not written so. Hence none is one too
        many before `forget` has been here.
        """
        service, kind = event.service or EVERYONE, event.kind
        by_kind = self._by_service.setdefault(service, {})
        series = by_kind.get(kind)
        self._interner.share(event, None if series is None else series.events[-1])
        if series is None:
            series = by_kind[kind] = EventSeries(event, 0)
            self._with_kind.setdefault(kind, set()).add(service)
        elif series.holds(event):
            return False
        else:
            place = series.place(event)
            series.events.insert(place, event)
            series.masks.insert(place, 0)
            series.size = UNCOUNTED
        if derived:
            series.derived[event.event_id] = self._interner.facts(derived)
        return True

    def equal(self, event: Event) -> Event | None:
        """The event that is kept here and says the same in every field, if there is one."""
        series = self._by_service.get(event.service or EVERYONE, {}).get(event.kind)
        if series is None or not series.holds(event):
            return None
        known = series.events[series.place(event)]
        return known if known == event else None

    def share(self, event: Event) -> None:
        """Let an event that was just read share its texts with those of its kind here, or as the first of it would."""
        series = self._by_service.get(event.service or EVERYONE, {}).get(event.kind)
        self._interner.share(event, None if series is None else series.events[-1])

    def set_facts(self, event: Event, derived: DerivedFacts) -> None:
        """More facts were derived for an event that is here."""
        series = self._by_service.get(event.service or EVERYONE, {}).get(event.kind)
        if series is not None and series.holds(event):
            series.derived[event.event_id] = self._interner.facts(derived)

    def known(self, event: Event) -> tuple[int, DerivedFacts]:
        """The mask and the derived facts of an event that is here."""
        series = self._by_service[event.service or EVERYONE][event.kind]
        return series.masks[series.place(event)], series.derived.get(event.event_id, {})

    def revise(self, event: Event, mask: int, derived: DerivedFacts) -> None:
        """An event that is here matches other steps now, since something came late on which its facts rest."""
        series = self._by_service[event.service or EVERYONE][event.kind]
        series.masks[series.place(event)] = mask
        series.derived[event.event_id] = self._interner.facts(derived)
        series.invalidate()

    def has(self, event: Event) -> bool:
        series = self._by_service.get(event.service or EVERYONE, {}).get(event.kind)
        return series is not None and series.holds(event)

    def between(self, services: Iterable[str], kinds: Iterable[str], start: int, end: int) -> Iterator[Event]:
        """Events of these services and kinds with start <= time <= end; ordered within a service and kind."""
        kinds = tuple(kinds)
        for service in services:
            by_kind = self._by_service.get(service)
            if by_kind is None:
                continue
            for kind in kinds:
                series = by_kind.get(kind)
                if series is None or series.events[-1].time < start:
                    continue
                events = series.events
                first = max(bisect_left(events, start, key=_time), len(events) - MOST_PER_KIND)
                for place in range(first, len(events)):
                    if events[place].time > end:
                        break
                    yield events[place]

    def matching(self, service: str, kinds: tuple[str, ...], bit: int, start: int, end: int) -> list[Event]:
        """Events of a service with start <= time <= end that match the step of this bit, in time order."""
        by_kind = self._by_service.get(service)
        if by_kind is None:
            return []
        found = []
        for kind in kinds:
            series = by_kind.get(kind)
            if series is None:
                continue
            events, masks = series.events, series.masks
            place = len(events) - 1
            if events[place].time > end:
                place = bisect_right(events, end, key=_time) - 1
            last = max(0, len(events) - MOST_PER_KIND)
            while place >= last and events[place].time >= start:
                if masks[place] & bit:
                    found.append(events[place])
                place -= 1
        if len(found) > 1:
            found.sort(key=entry)
        return found

    def services_with(self, *kinds: str) -> set[str]:
        """Services of which an event of one of these kinds is kept."""
        return set().union(*(self._with_kind.get(kind, ()) for kind in kinds))

    def services(self) -> list[str]:
        """Every service of which an event is kept, in a fixed order."""
        return sorted(self._by_service)

    def remask(
        self, mask_of: Callable[[Event, DerivedFacts | None], tuple[int, DerivedFacts | None]]
    ) -> Iterator[RememberedEvent]:
        """Work every event's mask out anew, for other rules, and show the events."""
        for by_kind in self._by_service.values():
            for series in by_kind.values():
                kept = []
                for event, before in zip(series.events, series.masks, strict=True):
                    known = series.derived.get(event.event_id) if series.derived else None
                    so_far = len(known or ())
                    mask, derived = mask_of(event, None if known is None else dict(known))
                    if derived:
                        series.derived[event.event_id] = self._interner.facts(derived)
                    kept.append(RememberedEvent(event, mask, before, derived, len(derived or ()) > so_far))
                series.masks = [each.mask for each in kept]
                series.invalidate()
                yield from kept

    def sizes(self) -> Iterator[tuple[str, str, int]]:
        """The bytes of each (service, kind)."""
        for service, by_kind in self._by_service.items():
            for kind, series in by_kind.items():
                yield service, kind, series.bytes()

    def entries(self, service: str, kind: str) -> Iterator[tuple[Event, int]]:
        """The events of a service and kind that can be asked for, with the bytes of each."""
        return self._by_service[service][kind].sizes()

    def drop_before(self, service: str, kind: str, until: int) -> list[Event]:
        """Evict what a service has of a kind from before a moment; the events."""
        by_kind = self._by_service[service]
        gone = by_kind[kind].drop_before(until)
        if not by_kind[kind].events:
            del by_kind[kind]
            self._with_kind[kind].discard(service)
            if not by_kind:
                del self._by_service[service]
        return gone

    def evict(self, watermark: int, ttl_of: TtlOf) -> None:
        """Forget what has been kept for long enough by the watermark (event time)."""
        for service, by_kind in list(self._by_service.items()):
            gone = []
            for kind, series in by_kind.items():
                if series.due >= watermark:
                    continue
                if not series.evict(watermark, {mask: ttl_of(service, kind, mask) for mask in set(series.masks)}):
                    gone.append(kind)
            for kind in gone:
                del by_kind[kind]
                self._with_kind[kind].discard(service)
            if not by_kind:
                del self._by_service[service]


def _identity(event: Event) -> tuple[int, str, str]:
    return (event.time, event.source, event.id)


def _time(event: Event) -> int:
    return event.time
