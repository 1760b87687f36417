"""What happened lately, by service and kind: the events that rules or the verdict may still look back at.

Bounded by time and by count per service and kind; the identity of an event that is still here makes a second copy
change nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from monitor.core.events import Event

KEPT_PER_KIND = 256
"""Events of one kind of one service that can be asked for: the newest so many. (Twice as many may lie here, so that
forgetting is cheap; what lies beyond is never returned, so that it does not matter when it is forgotten.)"""

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


class Memory:
    """Recent events in event-time order."""

    def __init__(self, horizons: dict[str, int], default_horizon: int) -> None:
        """`horizons`: by kind, how long an event is kept (microseconds); others the default."""
        self._by_service: dict[str, dict[str, list[Event]]] = {}
        self._with_kind: dict[str, set[str]] = {}
        self._seen: set[tuple[str, str]] = set()
        self.displaced: Event | None = None
        self.horizons = horizons
        self.default_horizon = default_horizon

    def add(self, event: Event) -> bool:
        """Keep an event; False where this identity is here already, or everything around it is forgotten.

        Where it displaces an older one from what can be asked for, that one is `displaced` until the next call.
        """
        self.displaced = None
        identity = (event.source, event.id)
        if identity in self._seen:
            return False
        service, kind = event.service or EVERYONE, event.kind
        kinds = self._by_service.get(service)
        if kinds is None:
            kinds = self._by_service[service] = {}
        events = kinds.get(kind)
        if events is None:
            kinds[kind] = [event]
            self._with_kind.setdefault(kind, set()).add(service)
            self._seen.add(identity)
            return True
        if event.time > events[-1].time:
            events.append(event)
        elif len(events) >= KEPT_PER_KIND and entry(event) < entry(events[-KEPT_PER_KIND]):
            return False
        else:
            insort(events, event, key=entry)
        self._seen.add(identity)
        if len(events) > KEPT_PER_KIND:
            self.displaced = events[-KEPT_PER_KIND - 1]
            if len(events) > 2 * KEPT_PER_KIND:
                self._forget(events, len(events) - KEPT_PER_KIND)
        return True

    def has(self, event: Event) -> bool:
        return (event.source, event.id) in self._seen

    def _forget(self, events: list[Event], count: int) -> None:
        for old in events[:count]:
            self._seen.discard((old.source, old.id))
        del events[:count]

    def between(self, services: Iterable[str], kinds: Iterable[str], start: int, end: int) -> Iterator[Event]:
        """Events of these services and kinds with start <= time <= end; ordered within a service and kind."""
        kinds = tuple(kinds)
        for service in services:
            by_kind = self._by_service.get(service)
            if by_kind is None:
                continue
            for kind in kinds:
                events = by_kind.get(kind)
                if not events or events[-1].time < start:
                    continue
                first = max(bisect_left(events, start, key=_time), len(events) - KEPT_PER_KIND)
                for place in range(first, len(events)):
                    if events[place].time > end:
                        break
                    yield events[place]

    def services_with(self, *kinds: str) -> list[str]:
        """Services of which an event of one of these kinds is kept, in a fixed order."""
        return sorted(set().union(*(self._with_kind.get(kind, ()) for kind in kinds)))

    def everything(self) -> Iterator[Event]:
        """All events that can be asked for, service by service and kind by kind."""
        for kinds in self._by_service.values():
            for events in kinds.values():
                yield from events[-KEPT_PER_KIND:]

    def forget_before(self, watermark: int) -> None:
        """Forget what is older than its kind's horizon."""
        for service in list(self._by_service):
            kinds = self._by_service[service]
            for kind in list(kinds):
                limit = watermark - self.horizon(kind)
                events = kinds[kind]
                if events[0].time < limit:
                    self._forget(events, bisect_left(events, limit, key=_time))
                    if not events:
                        del kinds[kind]
                        self._with_kind[kind].discard(service)
            if not kinds:
                del self._by_service[service]

    def horizon(self, kind: str) -> int:
        return self.horizons.get(kind, self.default_horizon)


def _time(event: Event) -> int:
    return event.time
