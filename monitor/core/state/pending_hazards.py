"""Which hazards wait for an intervention, until when, and what was noted of them meanwhile.

A hazard that is over, taken or past its window waits no longer, so that an action meets only what it could have ended.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from operator import itemgetter

import msgspec

from monitor.core.matching.matcher import MatchedSteps
from monitor.core.model.events import DAY, Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.model.watermark import BEGINNING
from monitor.core.state.alerts import alert_key
from monitor.core.state.memory import entry

FOREVER = 2**62
REMEMBERED_RECOVERY = DAY
"""Recoveries are remembered for longer than this; of a hazard that waits longer it is noted when it was over."""
OF_NO_RULE = ""
OVER = "every alert was over before anybody acted"


class Noted(msgspec.Struct):
    """What was noted of a hazard under a rule: that a candidate took it, or why an action was not its intervention.

    Under no rule (`""`): when its alert was over, where that has to be known for longer than recoveries are remembered.
    """

    taken: bool = False
    over_at: int = FOREVER
    reason: NotOpened = NotOpened.NO_INTERVENTION
    detail: str = ""


Key = tuple[str, str, str]
"""(rule, source, id)"""

PRECEDENCE = (
    NotOpened.NO_INTERVENTION,
    NotOpened.CLEARED_BEFORE_ACTION,
    NotOpened.UNRELATED_INTERVENTION,
    NotOpened.CONDITION_NOT_MET,
    NotOpened.ABSENCE_VIOLATED,
)
"""The closer a hazard came to its intervention, the more its reason says."""


class Hazard:
    """A hazard that waits: its matched steps, the bits of the rules that took it, and when its alert was over."""

    __slots__ = ("cleared_at", "event", "matched", "taken")

    def __init__(self, event: Event, matched: MatchedSteps) -> None:
        self.event = event
        self.matched = matched
        self.taken = 0
        self.cleared_at = FOREVER


class Over:
    """Of one rule and service: how many alerts are over whose windows go on, and when somebody last acted too late."""

    __slots__ = ("acted_at", "alerts")

    def __init__(self) -> None:
        self.alerts = 0
        self.acted_at = BEGINNING


class Room:
    """The hazards of one rule by service: those that an action can still end, and where alerts are over."""

    __slots__ = ("over", "standing")

    def __init__(self) -> None:
        self.standing: dict[str, list[Hazard]] = {}
        self.over: dict[str, Over] = {}

    @property
    def is_in_use(self) -> bool:
        return bool(self.standing or self.over)

    def remove(self, service: str, hazard: Hazard) -> None:
        """It stands no longer; nothing happens where it did not."""
        here = self.standing.get(service)
        if here is not None and hazard in here:
            if len(here) == 1:
                del self.standing[service]
            else:
                here.remove(hazard)

    def act(self, services: Iterable[str], at: int) -> None:
        for service in services:
            over = self.over[service]
            over.acted_at = max(over.acted_at, at)

    def open_to(self, service: str, start: int, end: int) -> list[Event]:
        """The hazards of a service from [start, end] that an action at `end` can have ended, in time order."""
        here = self.standing.get(service, ())
        found = [h.event for h in here if start <= h.event.time <= end <= h.cleared_at]
        if len(found) > 1:
            found.sort(key=entry)
        return found


class Waiting:
    """`rooms` has the hazards by a rule's bit; `dirty` names the notes that changed since it was last cleared."""

    def __init__(self) -> None:
        self.rooms: dict[int, Room] = {}
        self._queues: dict[int, deque[Hazard]] = {}
        self._alerts: dict[str, list[Hazard]] = {}
        self._leaving: list[Hazard] = []
        self._notes: dict[tuple[str, str], dict[str, Noted]] = {}
        self.dirty: set[Key] = set()

    # -- hazards -----------------------------------------------------------------------------------------------

    def add(self, event: Event, matched: MatchedSteps) -> Hazard:
        """Let a hazard wait under the rules that its mask names."""
        service = event.service
        assert service is not None
        hazard = Hazard(event, matched)
        queue = self._queues.get(matched.longest)
        if queue is None:
            queue = self._queues[matched.longest] = deque()
        if not queue or event.time >= queue[-1].event.time:
            queue.append(hazard)
        else:
            queue.insert(bisect_right(queue, event.time, key=_began), hazard)
        rooms = self.rooms
        for bit in matched.bits:
            room = rooms.get(bit)
            if room is None:
                room = rooms[bit] = Room()
            here = room.standing.get(service)
            if here is None:
                room.standing[service] = [hazard]
            else:
                here.append(hazard)
        if event.kind == "alert.fired":
            key = alert_key(event)
            same = self._alerts.get(key)
            if same is None:
                self._alerts[key] = [hazard]
            else:
                same.append(hazard)
        return hazard

    def clear_alert(self, event: Event) -> None:
        """An alert is over: no action after this moment can have ended it."""
        leaving = self._leaving
        if leaving and leaving[-1].cleared_at < event.time:
            # An action at the very moment of a recovery still met the alert, so only what was over before goes.
            self._leaving = []
            for hazard in leaving:
                self._remove(hazard)
        same = self._alerts.pop(alert_key(event), None)
        if same is None:
            return
        at, later = event.time, []
        for hazard in same:
            if hazard.event.time > at:
                later.append(hazard)
                continue
            self._over_since(hazard, at)
            if hazard.matched.longest > REMEMBERED_RECOVERY:
                self._note(OF_NO_RULE, hazard.event).over_at = at
        if later:
            self._alerts[alert_key(event)] = later

    def _over_since(self, hazard: Hazard, at: int) -> None:
        hazard.cleared_at = at
        self._leaving.append(hazard)
        service = hazard.event.service or ""
        for bit in hazard.matched.bits:
            overs = self.rooms[bit].over
            over = overs.get(service)
            if over is None:
                over = overs[service] = Over()
            over.alerts += 1

    def _remove(self, hazard: Hazard) -> None:
        """From where actions look for it; the end of its window is still to come."""
        service = hazard.event.service or ""
        for bit in hazard.matched.bits:
            if not hazard.taken & bit:
                self.rooms[bit].remove(service, hazard)

    def expire(self, until: int) -> list[tuple[int, str, str, Hazard]]:
        """The hazards whose windows ended before `until`: (end, source, id, hazard), in this order, to be let go."""
        found = []
        for longest, queue in self._queues.items():
            limit = until - longest
            while queue and queue[0].event.time < limit:
                hazard = queue.popleft()
                event = hazard.event
                found.append((event.time + longest, event.source, event.id, hazard))
        found.sort(key=_order)
        return found

    def let_go(self, hazard: Hazard) -> None:
        """Its window has ended, and what became of it is known."""
        self._remove(hazard)
        if hazard.cleared_at != FOREVER:
            service = hazard.event.service or ""
            for bit in hazard.matched.bits:
                overs = self.rooms[bit].over
                overs[service].alerts -= 1
                if not overs[service].alerts:
                    del overs[service]
        elif hazard.event.kind == "alert.fired":
            self._no_longer_fires(hazard)

    def _no_longer_fires(self, hazard: Hazard) -> None:
        key = alert_key(hazard.event)
        same = [other for other in self._alerts.get(key, ()) if other is not hazard]
        if same:
            self._alerts[key] = same
        else:
            self._alerts.pop(key, None)

    # -- notes -------------------------------------------------------------------------------------------------

    def take(self, rule: str, bit: int, event: Event) -> None:
        """A candidate took the hazard: under this rule it waits no longer."""
        self._note(rule, event).taken = True
        self._close(event, bit)

    def _close(self, event: Event, bit: int) -> None:
        service, room = event.service or "", self.rooms.get(bit)
        for hazard in room.standing.get(service, ()) if room is not None else ():
            if hazard.event.id == event.id and hazard.event.source == event.source:
                self._take(hazard, bit)
                return

    def _take(self, hazard: Hazard, bit: int) -> None:
        hazard.taken |= bit
        self.rooms[bit].remove(hazard.event.service or "", hazard)

    def is_taken(self, rule: str, event: Event) -> bool:
        note = self._noted(event).get(rule)
        return note is not None and note.taken

    def _noted(self, event: Event) -> dict[str, Noted]:
        """What was noted of a hazard, by rule."""
        return self._notes.get((event.source, event.id), _NOTHING)

    def note(self, rule: str, event: Event, reason: NotOpened, detail: str) -> None:
        """Remember why an action was not this hazard's intervention; the more telling reason stays."""
        note = self._note(rule, event)
        if PRECEDENCE.index(reason) >= PRECEDENCE.index(note.reason):
            note.reason, note.detail = reason, detail

    def _note(self, rule: str, event: Event) -> Noted:
        self.dirty.add((rule, event.source, event.id))
        notes = self._notes.get((event.source, event.id))
        if notes is None:
            notes = self._notes[event.source, event.id] = {}
        return notes.setdefault(rule, Noted())

    def settle(self, event: Event) -> dict[str, Noted]:
        """What was noted of a hazard that waits no longer, by rule; forgets it."""
        notes = self._notes.pop((event.source, event.id), None)
        if notes is None:
            return _NOTHING
        self.dirty.update((rule, event.source, event.id) for rule in notes)
        return notes

    def forget_note(self, rule: str, event: Event) -> None:
        """Forget what was noted of a hazard under one rule."""
        notes = self._notes.get((event.source, event.id))
        if notes is not None and notes.pop(rule, None) is not None:
            self.dirty.add((rule, event.source, event.id))

    # -- saving ------------------------------------------------------------------------------------------------

    def cell(self, key: Key) -> Noted | None:
        rule, source, event_id = key
        return self._notes.get((source, event_id), _NOTHING).get(rule)

    def restore_note(self, key: Key, noted: Noted) -> None:
        rule, source, event_id = key
        self._notes.setdefault((source, event_id), {})[rule] = noted

    def empty(self) -> None:
        """Forget who waits, but not what was noted: the rules change."""
        self.rooms.clear()
        self._queues.clear()
        self._alerts.clear()
        self._leaving.clear()

    def add_again(self, event: Event, matched: MatchedSteps) -> None:
        """As `add`, for a hazard of which something may have been noted."""
        hazard = self.add(event, matched)
        notes = self._noted(event)
        if (over := notes.get(OF_NO_RULE)) is not None:
            self._over_since(hazard, over.over_at)
            # No later recovery is this one's: it was the first that ended it.
            self._no_longer_fires(hazard)
        for rule, bit in zip(matched.hazard_names, matched.bits, strict=True):
            noted = notes.get(rule)
            if noted is not None and (noted.taken or noted.reason is NotOpened.CLEARED_BEFORE_ACTION):
                self._take(hazard, bit)

    def forget_notes(self, known: Iterable[Key]) -> None:
        """Drop the notes of hazards that do not wait any more."""
        kept = set(known)
        for (source, event_id), notes in list(self._notes.items()):
            for rule in [rule for rule in notes if (rule, source, event_id) not in kept]:
                del notes[rule]
                self.dirty.add((rule, source, event_id))
            if not notes:
                del self._notes[source, event_id]

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())


def _began(hazard: Hazard) -> Instant:
    return hazard.event.time


_NOTHING: dict[str, Noted] = {}
_order = itemgetter(0, 1, 2)
