"""Until when hazards wait for an intervention, and what was noted of them meanwhile.

The hazards themselves lie in the memory; most never meet an intervention, so waiting costs one place in a queue.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from operator import itemgetter

import msgspec

from monitor.core.events import Event, Instant
from monitor.core.reasons import NotOpened


class Noted(msgspec.Struct):
    """What was noted of a hazard under a rule: that a candidate took it, or why an action was not its intervention."""

    taken: bool = False
    reason: NotOpened = NotOpened.NO_INTERVENTION
    detail: str = ""


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
        self._queues: dict[tuple[tuple[str, ...], int], deque[Event]] = {}
        self.notes: dict[Key, Noted] = {}
        self.dirty: set[Key] = set()

    def add(self, rules: tuple[str, ...], longest: int, event: Event) -> None:
        """Let a hazard wait under these rules, the longest of whose windows is given (microseconds)."""
        queue = self._queues.get((rules, longest))
        if queue is None:
            queue = self._queues[rules, longest] = deque()
        if not queue or event.time >= queue[-1].time:
            queue.append(event)
        else:
            queue.insert(bisect_right(queue, event.time, key=_time), event)

    def take(self, rule: str, event: Event) -> None:
        """A candidate took the hazard: it waits no longer."""
        self._note(rule, event).taken = True

    def is_taken(self, rule: str, event: Event) -> bool:
        note = self.notes.get((rule, event.source, event.id))
        return note is not None and note.taken

    def is_settled(self, rule: str, event: Event) -> bool:
        """Whether no later action can be its intervention: a candidate took it, or the alert was over."""
        note = self.notes.get((rule, event.source, event.id))
        return note is not None and (note.taken or note.reason is NotOpened.CLEARED_BEFORE_ACTION)

    def note(self, rule: str, event: Event, reason: NotOpened, detail: str) -> None:
        """Remember why an action was not this hazard's intervention; the more telling reason stays."""
        note = self._note(rule, event)
        if PRECEDENCE.index(reason) >= PRECEDENCE.index(note.reason):
            note.reason, note.detail = reason, detail

    def _note(self, rule: str, event: Event) -> Noted:
        key = (rule, event.source, event.id)
        self.dirty.add(key)
        return self.notes.setdefault(key, Noted())

    def expire(self, until: int) -> list[tuple[int, str, str, Event, tuple[str, ...]]]:
        """Let go of the hazards whose windows ended before `until`: (end, source, id, hazard, rules), in this order."""
        found = []
        for (rules, longest), queue in self._queues.items():
            limit = until - longest
            while queue and queue[0].time < limit:
                event = queue.popleft()
                found.append((event.time + longest, event.source, event.id, event, rules))
        found.sort(key=_order)
        return found

    def settle(self, rule: str, event: Event) -> Noted | None:
        """What was noted of a hazard that waits no longer; forgets it."""
        key = (rule, event.source, event.id)
        noted = self.notes.pop(key, None)
        if noted is not None:
            self.dirty.add(key)
        return noted

    def clear(self) -> None:
        """Forget who waits, but not what was noted: the rules change."""
        self._queues.clear()

    def forget_notes(self, known: Iterable[Key]) -> None:
        """Drop the notes of hazards that do not wait any more."""
        for key in self.notes.keys() - set(known):
            del self.notes[key]
            self.dirty.add(key)

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())


def _time(event: Event) -> Instant:
    return event.time


_order = itemgetter(0, 1, 2)
