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
from monitor.core.model.rule import MOST_COUNTED
from monitor.core.model.watermark import BEGINNING
from monitor.core.state.interning import Sharing

KEPT_PER_KIND = MOST_COUNTED
"""Events of one kind of one service that can be asked for: the newest so many. (Twice as many may lie here, so that
forgetting is cheap; what lies beyond is never returned, so that it does not matter when it is forgotten.)"""

KEPT_OLD = 12
"""So many, where only further steps of a rule look so far back: a busy service would fill the memory with them."""

FOREVER = 2**62
EVERYONE = ""
"""Where events are kept that name no service."""


class Entry(NamedTuple):
    """Sorts by time, then identity, so that every arrival order gives one order."""

    at: int
    source: str
    id: str
    event: Event


def entry(event: Event) -> Entry:
    return Entry(event.time, event.source, event.id, event)


class Terms(NamedTuple):
    """For how long events are kept (microseconds): every one, the newest few of them at any rate, and those few now.

    The last is longer where something stands just now that may ask for them.
    """

    every: int
    few: int
    now: int


TermsOf = Callable[[str, str, int], Terms]
"""For (service, kind, mask), as things stand."""


class Kept(NamedTuple):
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

_NO_TERMS = Terms(0, 0, 0)
_NOTHING_KNOWN: Mapping[int, Terms] = {}


class Shelf:
    """The events of one kind of one service in time order, and beside each the mask of the steps that it matched.

    `derived` has the derived facts of some of them, as of their arrival. Until the watermark passes `due` nothing is to
    be forgotten here, whatever stands; nor until it passes `due_as_known`, where things stand so that the `terms` are
    those of the last time. `shortest`: of those terms each the shortest.
    """

    __slots__ = ("derived", "due", "due_as_known", "events", "masks", "shortest", "terms")

    def __init__(self, event: Event, mask: int) -> None:
        self.events = [event]
        self.masks = [mask]
        self.derived: dict[EventId, DerivedFacts] = {}
        self.due = self.due_as_known = BEGINNING
        self.terms = _NOTHING_KNOWN
        self.shortest = _NO_TERMS

    def place(self, event: Event) -> int:
        """Where the event stands, or would stand."""
        return bisect_left(self.events, entry(event)[:3], key=_identity)

    def came(self, at: int, mask: int) -> None:
        """An event is here now that was not when it was last looked at what is to be forgotten."""
        if mask not in self.terms:
            self.look_again()
            return
        # An old one is one too many only once this one is old as well.
        every, few, now = self.shortest
        crowded = len(self.events) > KEPT_OLD
        self.due = min(self.due, at + (every if crowded else few))
        self.due_as_known = min(self.due_as_known, at + (every if crowded else now))

    def look_again(self) -> None:
        """What is to be forgotten here is not known any more."""
        self.due = self.due_as_known = BEGINNING

    def forget(self, watermark: int, terms: Mapping[int, Terms]) -> bool:
        """Forget what is older than the terms of its mask allow; whether anything is left."""
        if terms != self.terms:
            self.terms = terms
            self.shortest = Terms(*map(min, zip(*terms.values(), strict=True)))
        elif self.due_as_known >= watermark:
            return True
        events, masks = self.events, self.masks
        # Only what is older than the shortest term has to be looked at.
        old = bisect_left(events, watermark - self.shortest.every, key=_time)
        kept: list[int] = []
        loose = 0
        for place in range(old - 1, -1, -1):
            at, term = events[place].time, terms[masks[place]]
            if at + term.every >= watermark:
                kept.append(place)
            elif at + term.now >= watermark and loose < KEPT_OLD:
                loose += 1
                kept.append(place)
        if len(kept) != old:
            kept.reverse()
            for place in set(range(old)).difference(kept) if self.derived else ():
                self.derived.pop(events[place].event_id, None)
            events[:old] = [events[place] for place in kept]
            masks[:old] = [masks[place] for place in kept]
        self._plan(watermark, len(kept))
        return bool(events)

    def _plan(self, watermark: int, old: int) -> None:
        """Until when nothing is to be forgotten; `old`: so many come first that are past the shortest term."""
        events, masks, terms = self.events, self.masks, self.terms
        due = due_as_known = FOREVER
        looked_at = len(events)
        crowded = looked_at > KEPT_OLD
        if crowded:
            # One may be one too many as soon as another is past the time for which every one is kept.
            looked_at = old
            if old < len(events):
                due = due_as_known = events[old].time + self.shortest.every
        for place in range(looked_at):
            at = events[place].time
            every, few, now = terms[masks[place]]
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


class Memory:
    """Recent events in event-time order."""

    def __init__(self) -> None:
        self._by_service: dict[str, dict[str, Shelf]] = {}
        self._with_kind: dict[str, set[str]] = {}
        self._sharing = Sharing()
        self.displaced: tuple[Event, int] | None = None

    def add(self, event: Event, mask: int, derived: DerivedFacts | None = None) -> bool:
        """Keep an event; False where this identity is here already, or everything around it is forgotten.

        `derived`: its derived facts, to be used again when its mask is worked out anew.

        Where it displaces an older one from what can be asked for, that one (with its mask) is `displaced` until the
        next call.
        """
        self.displaced = None
        service, kind = event.service or EVERYONE, event.kind
        shelves = self._by_service.get(service)
        if shelves is None:
            shelves = self._by_service[service] = {}
        shelf = shelves.get(kind)
        if shelf is None:
            self._sharing.share(event, None)
            shelf = shelves[kind] = Shelf(event, mask)
            self._with_kind.setdefault(kind, set()).add(service)
            if derived:
                shelf.derived[event.event_id] = self._sharing.facts(derived)
            return True
        events = shelf.events
        self._sharing.share(event, events[-1])
        if event.time > events[-1].time:
            events.append(event)
            shelf.masks.append(mask)
        else:
            if (len(events) >= KEPT_PER_KIND and entry(event) < entry(events[-KEPT_PER_KIND])) or shelf.holds(event):
                return False
            place = shelf.place(event)
            events.insert(place, event)
            shelf.masks.insert(place, mask)
        if derived:
            shelf.derived[event.event_id] = self._sharing.facts(derived)
        shelf.came(event.time, mask)
        if len(events) > KEPT_PER_KIND:
            self.displaced = (events[-KEPT_PER_KIND - 1], shelf.masks[-KEPT_PER_KIND - 1])
            if len(events) > 2 * KEPT_PER_KIND:
                del events[:-KEPT_PER_KIND]
                del shelf.masks[:-KEPT_PER_KIND]
                shelf.drop_stale_facts()
        return True

    def put_back(self, event: Event, derived: DerivedFacts | None) -> bool:
        """Keep an event of a saved state; False where it is here already.

        More may come than were kept in the end: what was forgotten one by one was not written so. Hence none is one too
        many before `forget` has been here.
        """
        service, kind = event.service or EVERYONE, event.kind
        shelves = self._by_service.setdefault(service, {})
        shelf = shelves.get(kind)
        self._sharing.share(event, None if shelf is None else shelf.events[-1])
        if shelf is None:
            shelf = shelves[kind] = Shelf(event, 0)
            self._with_kind.setdefault(kind, set()).add(service)
        elif shelf.holds(event):
            return False
        else:
            place = shelf.place(event)
            shelf.events.insert(place, event)
            shelf.masks.insert(place, 0)
        if derived:
            shelf.derived[event.event_id] = self._sharing.facts(derived)
        return True

    def set_facts(self, event: Event, derived: DerivedFacts) -> None:
        """More facts were derived for an event that is here."""
        shelf = self._by_service.get(event.service or EVERYONE, {}).get(event.kind)
        if shelf is not None and shelf.holds(event):
            shelf.derived[event.event_id] = self._sharing.facts(derived)

    def has(self, event: Event) -> bool:
        shelf = self._by_service.get(event.service or EVERYONE, {}).get(event.kind)
        return shelf is not None and shelf.holds(event)

    def between(self, services: Iterable[str], kinds: Iterable[str], start: int, end: int) -> Iterator[Event]:
        """Events of these services and kinds with start <= time <= end; ordered within a service and kind."""
        kinds = tuple(kinds)
        for service in services:
            shelves = self._by_service.get(service)
            if shelves is None:
                continue
            for kind in kinds:
                shelf = shelves.get(kind)
                if shelf is None or shelf.events[-1].time < start:
                    continue
                events = shelf.events
                first = max(bisect_left(events, start, key=_time), len(events) - KEPT_PER_KIND)
                for place in range(first, len(events)):
                    if events[place].time > end:
                        break
                    yield events[place]

    def matching(self, service: str, kinds: tuple[str, ...], bit: int, start: int, end: int) -> list[Event]:
        """Events of a service with start <= time <= end that match the step of this bit, in time order."""
        shelves = self._by_service.get(service)
        if shelves is None:
            return []
        found = []
        for kind in kinds:
            shelf = shelves.get(kind)
            if shelf is None:
                continue
            events, masks = shelf.events, shelf.masks
            place = len(events) - 1
            if events[place].time > end:
                place = bisect_right(events, end, key=_time) - 1
            last = max(0, len(events) - KEPT_PER_KIND)
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
    ) -> Iterator[Kept]:
        """Work every event's mask out anew, for other rules, and show the events."""
        for shelves in self._by_service.values():
            for shelf in shelves.values():
                kept = []
                for event, before in zip(shelf.events, shelf.masks, strict=True):
                    known = shelf.derived.get(event.event_id) if shelf.derived else None
                    so_far = len(known or ())
                    mask, derived = mask_of(event, None if known is None else dict(known))
                    if derived:
                        shelf.derived[event.event_id] = self._sharing.facts(derived)
                    kept.append(Kept(event, mask, before, derived, len(derived or ()) > so_far))
                shelf.masks = [each.mask for each in kept]
                shelf.look_again()
                yield from kept

    def forget(self, watermark: int, terms_of: TermsOf) -> None:
        """Forget what has been kept for long enough by the watermark (event time)."""
        for service, shelves in list(self._by_service.items()):
            gone = []
            for kind, shelf in shelves.items():
                if shelf.due >= watermark:
                    continue
                if not shelf.forget(watermark, {mask: terms_of(service, kind, mask) for mask in set(shelf.masks)}):
                    gone.append(kind)
            for kind in gone:
                del shelves[kind]
                self._with_kind[kind].discard(service)
            if not shelves:
                del self._by_service[service]


def _identity(event: Event) -> tuple[int, str, str]:
    return (event.time, event.source, event.id)


def _time(event: Event) -> int:
    return event.time
