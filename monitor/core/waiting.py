"""Hazards that wait for an intervention, by rule and service, and what was noted of them meanwhile.

Most hazards never meet an intervention, so one that waits costs no more than a place in a list and one in a queue.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from monitor.core.events import Event
from monitor.core.memory import entry
from monitor.core.reasons import NotOpened


class Noted(msgspec.Struct):
    """What was noted of a hazard under a rule: that a candidate took it, or why an action was not its intervention."""

    taken: bool = False
    reason: NotOpened = NotOpened.NO_INTERVENTION
    detail: str = ""


class Expired(NamedTuple):
    """A hazard whose window is over. Sorts by time, then rule and identity."""

    at: int
    rule: str
    source: str
    id: str
    event: Event
    noted: Noted | None


Key = tuple[str, str, str]
"""(rule, source, id)"""

PRECEDENCE = (
    NotOpened.NO_INTERVENTION,
    NotOpened.UNRELATED_INTERVENTION,
    NotOpened.CLEARED_BEFORE_ACTION,
    NotOpened.CONDITION_NOT_MET,
    NotOpened.ABSENCE_VIOLATED,
)
"""The closer a hazard came to its intervention, the more its reason says."""


class Waiting:
    """`dirty` names the notes that changed since it was last cleared."""

    def __init__(self) -> None:
        self.by_rule: dict[str, dict[str, list[Event]]] = {}
        self._queues: dict[str, deque[tuple[int, str, str, Event]]] = {}
        self.notes: dict[Key, Noted] = {}
        self.dirty: set[Key] = set()
        self.count = 0

    def add(self, rule: str, expires_at: int, event: Event, taken: bool = False) -> None:
        """Let a hazard wait until `expires_at`; one that is taken only keeps its note until then."""
        if not taken:
            services = self.by_rule.get(rule)
            if services is None:
                services = self.by_rule[rule] = {}
            assert event.service is not None
            events = services.get(event.service)
            if events is None:
                services[event.service] = [event]
            elif event.time >= events[-1].time:
                events.append(event)
            else:
                insort(events, event, key=entry)
            self.count += 1
        queue = self._queues.get(rule)
        if queue is None:
            queue = self._queues[rule] = deque()
        queued = (expires_at, event.source, event.id, event)
        if not queue or expires_at >= queue[-1][0]:
            queue.append(queued)
        else:
            queue.insert(bisect_right(queue, expires_at, key=_expiry), queued)

    def of(self, rule: str, service: str) -> list[Event]:
        return self.by_rule.get(rule, {}).get(service, [])

    def take(self, rule: str, event: Event) -> None:
        """A candidate took the hazard: it waits no longer."""
        note = self._note(rule, event)
        if not note.taken:
            note.taken = True
            self._remove(rule, event)

    def is_taken(self, rule: str, event: Event) -> bool:
        note = self.notes.get((rule, event.source, event.id))
        return note is not None and note.taken

    def note(self, rule: str, event: Event, reason: NotOpened, detail: str) -> None:
        """Remember why an action was not this hazard's intervention; the more telling reason stays."""
        note = self._note(rule, event)
        if PRECEDENCE.index(reason) >= PRECEDENCE.index(note.reason):
            note.reason, note.detail = reason, detail

    def _note(self, rule: str, event: Event) -> Noted:
        key = (rule, event.source, event.id)
        self.dirty.add(key)
        return self.notes.setdefault(key, Noted())

    def _remove(self, rule: str, event: Event) -> None:
        services = self.by_rule.get(rule, {})
        events = services.get(event.service or "")
        if events is not None and event in events:
            events.remove(event)
            self.count -= 1
            if not events:
                del services[event.service or ""]

    def expire(self, until: int) -> list[Expired]:
        """Let go of the hazards whose window ended before `until`, in order."""
        found = []
        for rule, queue in self._queues.items():
            while queue and queue[0][0] < until:
                at, source, event_id, event = queue.popleft()
                noted = self.notes.pop((rule, source, event_id), None)
                if noted is not None:
                    self.dirty.add((rule, source, event_id))
                if noted is None or not noted.taken:
                    self._drop_first(rule, event)
                found.append(Expired(at, rule, source, event_id, event, noted))
        found.sort(key=lambda expired: expired[:4])
        return found

    def _drop_first(self, rule: str, event: Event) -> None:
        """Mostly the oldest of its service, since a rule's windows all have one length."""
        services = self.by_rule[rule]
        assert event.service is not None
        events = services[event.service]
        if events[0] is event:
            del events[0]
        else:
            events.remove(event)
        self.count -= 1
        if not events:
            del services[event.service]

    def displace(self, event: Event) -> list[str]:
        """The event is one too many of its kind on its service: the rules under which it waited."""
        waited = [rule for rule, services in self.by_rule.items() if event in services.get(event.service or "", ())]
        for rule in waited:
            self._remove(rule, event)
            self._note(rule, event).taken = True
        return waited

    def forget_rule(self, rule: str) -> None:
        """The rule is gone or has changed."""
        self.count -= sum(len(events) for events in self.by_rule.pop(rule, {}).values())
        self._queues.pop(rule, None)
        for key in [key for key in self.notes if key[0] == rule]:
            del self.notes[key]
            self.dirty.add(key)

    def forget_notes(self, rules: frozenset[str], known: set[Key]) -> None:
        """Drop notes of hazards that are not remembered any more."""
        for key in [key for key in self.notes if key not in known and key[0] in rules]:
            del self.notes[key]
            self.dirty.add(key)

    def rules(self) -> Iterator[str]:
        return iter(self._queues)


def _expiry(queued: tuple[int, str, str, Event]) -> int:
    return queued[0]
