"""What happened lately, by service and kind: the events that rules or the verdict may still look back at.

Bounded by time and by count per service and kind; the identity of an event that is still here makes a second copy
change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from monitor.core.matching.facts import DerivedFacts
from monitor.core.model.events import Event
from monitor.core.state.event_series import MOST_PER_KIND, UNCOUNTED, EventSeries, MaskOf, RememberedEvent, TtlOf, entry
from monitor.core.state.interning import Interner

INCIDENT_KINDS = ("incident.opened", "incident.updated", "incident.closed")
USERS_HURT = "users"
"""What a record says of impact where users are hurt."""
EVERYONE = ""
"""Where events are kept that name no service."""


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
        self._hurt: set[str] = set()
        self._interner = Interner()

    def add(self, event: Event, mask: int, derived: DerivedFacts | None = None) -> Added:
        """Store an event, best one from `interned`, unless its identity is here or all around it was evicted.

        `derived`: its derived facts, to be used when its mask is computed again.
        """
        service, kind = event.service or EVERYONE, event.kind
        self._listen(service, event)
        by_kind = self._by_service.get(service)
        if by_kind is None:
            by_kind = self._by_service[service] = {}
        series = by_kind.get(kind)
        if series is None:
            series = by_kind[kind] = EventSeries(event, mask)
            self._with_kind.setdefault(kind, set()).add(service)
            if derived:
                series.derived[event.event_id] = self._interner.facts(derived)
            return _ADDED
        events = series.events
        series.size = UNCOUNTED
        if event.time > events[-1].time:
            events.append(event)
            series.masks.append(mask)
        else:
            if (len(events) >= MOST_PER_KIND and entry(event) < entry(events[-MOST_PER_KIND])) or series.holds(event):
                return _KNOWN
            series.insert(event, mask)
        if derived:
            series.derived[event.event_id] = self._interner.facts(derived)
        series.came(event.time, mask)
        beyond = series.cap()
        return _ADDED if beyond is None else Added(True, beyond)

    def _series_of(self, event: Event) -> EventSeries | None:
        return self._by_service.get(event.service or EVERYONE, {}).get(event.kind)

    def restore(self, event: Event, derived: DerivedFacts | None) -> bool:
        """Keep an event of a saved state; False where it is here already.

        More may come than were kept in the end: what was forgotten one by one was not written so. Hence none is one too
        many before `forget` has been here.
        """
        service, kind = event.service or EVERYONE, event.kind
        self._listen(service, event)
        by_kind = self._by_service.setdefault(service, {})
        series = by_kind.get(kind)
        event = self._interner.intern(event, None if series is None else series.events[-1])
        if series is None:
            series = by_kind[kind] = EventSeries(event, 0)
            self._with_kind.setdefault(kind, set()).add(service)
        elif series.holds(event):
            return False
        else:
            series.insert(event, 0)
        if derived:
            series.derived[event.event_id] = self._interner.facts(derived)
        return True

    def equal(self, event: Event) -> Event | None:
        """The event that is kept here and says the same in every field, if there is one."""
        series = self._series_of(event)
        if series is None or not series.holds(event):
            return None
        known = series.events[series.place(event)]
        return known if known == event else None

    def interned(self, event: Event) -> Event:
        """An equal event that shares its texts with those of its service and kind here."""
        series = self._series_of(event)
        return self._interner.intern(event, None if series is None else series.events[-1])

    def set_facts(self, event: Event, derived: DerivedFacts) -> None:
        """More facts were derived for an event that is here."""
        series = self._series_of(event)
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
        series = self._series_of(event)
        return series is not None and series.holds(event)

    def between(self, services: Iterable[str], kinds: Iterable[str], start: int, end: int) -> Iterator[Event]:
        """Events of these services and kinds with start <= time <= end; ordered within a service and kind."""
        kinds = tuple(kinds)
        for service in services:
            by_kind = self._by_service.get(service)
            if by_kind is None:
                continue
            for kind in kinds:
                if (series := by_kind.get(kind)) is not None:
                    yield from series.between(start, end)

    def series(self) -> Iterator[EventSeries]:
        return (series for by_kind in self._by_service.values() for series in by_kind.values())

    def matching(self, service: str, kinds: tuple[str, ...], bit: int, start: int, end: int) -> list[Event]:
        """Events of a service with start <= time <= end that match the step of this bit, in time order."""
        by_kind = self._by_service.get(service)
        if by_kind is None:
            return []
        found: list[Event] = []
        for kind in kinds:
            if (series := by_kind.get(kind)) is not None:
                found += series.matching(bit, start, end)
        if len(found) > 1:
            found.sort(key=entry)
        return found

    def services_with(self, *kinds: str, only: str | None = None) -> set[str]:
        """Services of which an event of one of these kinds is kept; `only`: that one, if it is among them."""
        if only is not None:
            return {only} if any(only in self._with_kind.get(kind, ()) for kind in kinds) else set()
        return set().union(*(self._with_kind.get(kind, ()) for kind in kinds))

    def services_hurt(self, only: str | None = None) -> set[str]:
        """As `services_with`, of those with a record of an incident that said, if only once, that users are hurt."""
        return self._hurt & self.services_with(*INCIDENT_KINDS, only=only)

    def _listen(self, service: str, event: Event) -> None:
        if event.kind in INCIDENT_KINDS and event.labels.get("impact") == USERS_HURT:
            self._hurt.add(service)

    def services(self) -> list[str]:
        """Every service of which an event is kept, in a fixed order."""
        return sorted(self._by_service)

    def remask(self, mask_of: MaskOf) -> Iterator[RememberedEvent]:
        """Compute every event's mask again, for other rules, and return the events."""
        for series in self.series():
            yield from series.remask(mask_of, self._interner.facts)

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
            self._drop(service, [kind])
        return gone

    def _drop(self, service: str, kinds: Iterable[str]) -> None:
        """Nothing of these kinds is left."""
        by_kind = self._by_service[service]
        for kind in kinds:
            del by_kind[kind]
            self._with_kind[kind].discard(service)
        if not by_kind:
            del self._by_service[service]
            self._hurt.discard(service)

    def evict(self, watermark: int, ttl_of: TtlOf) -> None:
        """Forget what has been kept for long enough by the watermark (event time)."""
        for service, by_kind in list(self._by_service.items()):
            gone = []
            for kind, series in by_kind.items():
                if series.due >= watermark:
                    continue
                if not series.evict(watermark, {mask: ttl_of(service, kind, mask) for mask in set(series.masks)}):
                    gone.append(kind)
            if gone:
                self._drop(service, gone)
