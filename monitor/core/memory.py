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


def _identity(kept: Entry) -> tuple[int, str, str]:
    return kept[:3]


class Memory:
    """Recent events in event-time order."""

    def __init__(self, horizons: dict[str, int], default_horizon: int) -> None:
        """`horizons`: by kind, how long an event is kept (microseconds); others the default."""
        self._by_service: dict[str, dict[str, list[Entry]]] = {}
        self._with_kind: dict[str, set[str]] = {}
        self._seen: set[tuple[str, str]] = set()
        self.horizons = horizons
        self.default_horizon = default_horizon

    def add(self, event: Event) -> bool:
        """Keep an event; False where this identity is here already, or everything around it is forgotten."""
        identity = (event.source, event.id)
        if identity in self._seen:
            return False
        kinds = self._by_service.setdefault(event.service or EVERYONE, {})
        entries = kinds.get(event.kind)
        if entries is None:
            entries = kinds[event.kind] = []
            self._with_kind.setdefault(event.kind, set()).add(event.service or EVERYONE)
        new = entry(event)
        if not entries or new[:3] > entries[-1][:3]:
            entries.append(new)
        elif len(entries) >= KEPT_PER_KIND and new[:3] < entries[-KEPT_PER_KIND][:3]:
            return False
        else:
            insort(entries, new, key=_identity)
        self._seen.add(identity)
        if len(entries) > 2 * KEPT_PER_KIND:
            self._forget(entries, len(entries) - KEPT_PER_KIND)
        return True

    def has(self, event: Event) -> bool:
        return (event.source, event.id) in self._seen

    def _forget(self, entries: list[Entry], count: int) -> None:
        for old in entries[:count]:
            self._seen.discard((old.source, old.id))
        del entries[:count]

    def between(self, services: Iterable[str], kinds: Iterable[str], start: int, end: int) -> Iterator[Event]:
        """Events of these services and kinds with start <= time <= end; ordered within a service and kind."""
        kinds = tuple(kinds)
        for service in services:
            by_kind = self._by_service.get(service)
            if by_kind is None:
                continue
            for kind in kinds:
                entries = by_kind.get(kind)
                if not entries or entries[-1].at < start:
                    continue
                for place in range(max(bisect_left(entries, (start,)), len(entries) - KEPT_PER_KIND), len(entries)):
                    if entries[place].at > end:
                        break
                    yield entries[place].event

    def services_with(self, *kinds: str) -> list[str]:
        """Services of which an event of one of these kinds is kept, in a fixed order."""
        return sorted(set().union(*(self._with_kind.get(kind, ()) for kind in kinds)))

    def forget_before(self, watermark: int) -> None:
        """Forget what is older than its kind's horizon."""
        for service in list(self._by_service):
            kinds = self._by_service[service]
            for kind in list(kinds):
                limit = watermark - self.horizons.get(kind, self.default_horizon)
                entries = kinds[kind]
                if entries[0].at < limit:
                    self._forget(entries, bisect_left(entries, (limit,)))
                    if not entries:
                        del kinds[kind]
                        self._with_kind[kind].discard(service)
            if not kinds:
                del self._by_service[service]

    def horizon(self, kind: str) -> int:
        return self.horizons.get(kind, self.default_horizon)
