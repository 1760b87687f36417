"""Which hazards are pending, until when, and the outcome so far of each under each rule.

A hazard that is over, taken or past its window waits no longer, so that an action meets only what it could have ended.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable
from operator import itemgetter

import msgspec

from monitor.core.matching.matcher import MatchedSteps
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.watermark import BEGINNING
from monitor.core.state.alerts import alert_key
from monitor.core.state.memory import entry

FOREVER = 2**62
ANY_RULE = ""
CLEARED = "every alert had cleared before anyone acted"


class OutcomeSoFar(msgspec.Struct):
    """The outcome so far of a hazard under a rule: a candidate took it, or why an action was not its intervention.

    Under `ANY_RULE`: when its alert was cleared, where that is needed for longer than recoveries are stored.
    """

    taken: bool = False
    cleared_at: int = msgspec.field(default=FOREVER, name="over_at")
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


class ClearedAlerts:
    """Of one rule and service: how many alerts are over whose windows go on, and when somebody last acted too late."""

    __slots__ = ("acted_at", "count")

    def __init__(self) -> None:
        self.count = 0
        self.acted_at = BEGINNING


class RuleHazards:
    """The hazards of one rule by service: those that an action can still end, and where alerts are over."""

    __slots__ = ("cleared", "standing")

    def __init__(self) -> None:
        self.standing: dict[str, list[Hazard]] = {}
        self.cleared: dict[str, ClearedAlerts] = {}

    @property
    def is_in_use(self) -> bool:
        return bool(self.standing or self.cleared)

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
            alerts = self.cleared[service]
            alerts.acted_at = max(alerts.acted_at, at)

    def endable_at(self, service: str, start: int, end: int) -> list[Event]:
        """The hazards of a service from [start, end] that an action at `end` can have ended, in time order."""
        here = self.standing.get(service, ())
        found = [h.event for h in here if start <= h.event.time <= end <= h.cleared_at]
        if len(found) > 1:
            found.sort(key=entry)
        return found


class PendingHazards:
    """`by_rule` has the hazards by a rule's bit; `dirty` names the outcomes that changed since it was last cleared."""

    def __init__(self) -> None:
        self.by_rule: dict[int, RuleHazards] = {}
        self._queues: dict[int, deque[Hazard]] = {}
        self._alerts: dict[str, list[Hazard]] = {}
        self._leaving: list[Hazard] = []
        self._outcomes: dict[tuple[str, str], dict[str, OutcomeSoFar]] = {}
        self.dirty: set[Key] = set()

    # -- hazards -----------------------------------------------------------------------------------------------

    def add(self, event: Event, matched: MatchedSteps) -> Hazard:
        """Let a hazard wait under the rules that its mask names."""
        service = event.service
        assert service is not None  # `Correlator.hazards` and `_rebuild_pending` ask before
        hazard = Hazard(event, matched)
        queue = self._queues.get(matched.longest)
        if queue is None:
            queue = self._queues[matched.longest] = deque()
        if not queue or event.time >= queue[-1].event.time:
            queue.append(hazard)
        else:
            queue.insert(bisect_right(queue, event.time, key=_began), hazard)
        by_rule = self.by_rule
        for bit in matched.bits:
            pending = by_rule.get(bit)
            if pending is None:
                pending = by_rule[bit] = RuleHazards()
            here = pending.standing.get(service)
            if here is None:
                pending.standing[service] = [hazard]
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

    def withdraw(self, event: Event, matched: MatchedSteps) -> None:
        """The event, which had matched these steps, is to wait no longer, or under other rules."""
        queue = self._queues.get(matched.longest, ())
        found = next((hazard for hazard in queue if hazard.event.event_id == event.event_id), None)
        if found is not None:
            self.evict(found)
            self._queues[matched.longest].remove(found)

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
            self._mark_cleared(hazard, at)
            if hazard.matched.longest > RETENTION.recovery:
                self._outcome_of(ANY_RULE, hazard.event).cleared_at = at
        if later:
            self._alerts[alert_key(event)] = later

    def _mark_cleared(self, hazard: Hazard, at: int) -> None:
        hazard.cleared_at = at
        self._leaving.append(hazard)
        service = hazard.event.service or ""
        for bit in hazard.matched.bits:
            cleared = self.by_rule[bit].cleared
            alerts = cleared.get(service)
            if alerts is None:
                alerts = cleared[service] = ClearedAlerts()
            alerts.count += 1

    def _remove(self, hazard: Hazard) -> None:
        """From where actions look for it; the end of its window is still to come."""
        service = hazard.event.service or ""
        for bit in hazard.matched.bits:
            if not hazard.taken & bit:
                self.by_rule[bit].remove(service, hazard)

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

    def evict(self, hazard: Hazard) -> None:
        """Remove a hazard whose window has ended."""
        self._remove(hazard)
        if hazard.cleared_at != FOREVER:
            service = hazard.event.service or ""
            for bit in hazard.matched.bits:
                cleared = self.by_rule[bit].cleared
                cleared[service].count -= 1
                if not cleared[service].count:
                    del cleared[service]
        elif hazard.event.kind == "alert.fired":
            self._no_longer_fires(hazard)

    def _no_longer_fires(self, hazard: Hazard) -> None:
        key = alert_key(hazard.event)
        same = [other for other in self._alerts.get(key, ()) if other is not hazard]
        if same:
            self._alerts[key] = same
        else:
            self._alerts.pop(key, None)

    # -- outcomes ----------------------------------------------------------------------------------------------

    def take(self, rule: str, bit: int, event: Event) -> None:
        """A candidate took the hazard: under this rule it waits no longer."""
        self._outcome_of(rule, event).taken = True
        self._close(event, bit)

    def _close(self, event: Event, bit: int) -> None:
        service, pending = event.service or "", self.by_rule.get(bit)
        for hazard in pending.standing.get(service, ()) if pending is not None else ():
            if hazard.event.id == event.id and hazard.event.source == event.source:
                self._take(hazard, bit)
                return

    def _take(self, hazard: Hazard, bit: int) -> None:
        hazard.taken |= bit
        self.by_rule[bit].remove(hazard.event.service or "", hazard)

    def is_taken(self, rule: str, event: Event) -> bool:
        outcome = self._outcomes_of(event).get(rule)
        return outcome is not None and outcome.taken

    def _outcomes_of(self, event: Event) -> dict[str, OutcomeSoFar]:
        """The outcomes so far of a hazard, by rule."""
        return self._outcomes.get((event.source, event.id), _NOTHING)

    def record(self, rule: str, event: Event, reason: NotOpened, detail: str) -> None:
        """Remember why an action was not this hazard's intervention; the more telling reason stays."""
        outcome = self._outcome_of(rule, event)
        if PRECEDENCE.index(reason) >= PRECEDENCE.index(outcome.reason):
            outcome.reason, outcome.detail = reason, detail

    def _outcome_of(self, rule: str, event: Event) -> OutcomeSoFar:
        self.dirty.add((rule, event.source, event.id))
        outcomes = self._outcomes.get((event.source, event.id))
        if outcomes is None:
            outcomes = self._outcomes[event.source, event.id] = {}
        return outcomes.setdefault(rule, OutcomeSoFar())

    def pop_outcomes(self, event: Event) -> dict[str, OutcomeSoFar]:
        """Remove and return the outcomes of a hazard that expired, by rule."""
        outcomes = self._outcomes.pop((event.source, event.id), None)
        if outcomes is None:
            return _NOTHING
        self.dirty.update((rule, event.source, event.id) for rule in outcomes)
        return outcomes

    def drop_outcome(self, rule: str, event: Event) -> None:
        """Remove the outcome of a hazard under one rule."""
        outcomes = self._outcomes.get((event.source, event.id))
        if outcomes is not None and outcomes.pop(rule, None) is not None:
            self.dirty.add((rule, event.source, event.id))

    # -- saving ------------------------------------------------------------------------------------------------

    def cell(self, key: Key) -> OutcomeSoFar | None:
        rule, source, event_id = key
        return self._outcomes.get((source, event_id), _NOTHING).get(rule)

    def restore_outcome(self, key: Key, outcome: OutcomeSoFar) -> None:
        rule, source, event_id = key
        self._outcomes.setdefault((source, event_id), {})[rule] = outcome

    def drop(self, ids: Collection[tuple[str, str]]) -> list[tuple[Event, tuple[str, ...]]]:
        """Remove the hazards of these identities; in their order, each with the rules that no candidate took it for."""
        dropped = []
        for longest, queue in self._queues.items():
            gone = [hazard for hazard in queue if (hazard.event.source, hazard.event.id) in ids]
            if gone:
                self._queues[longest] = deque(
                    hazard for hazard in queue if (hazard.event.source, hazard.event.id) not in ids
                )
            for hazard in gone:
                outcomes = self.pop_outcomes(hazard.event)
                rules = tuple(
                    rule
                    for rule in hazard.matched.hazard_names
                    if (outcome := outcomes.get(rule)) is None or not outcome.taken
                )
                dropped.append((hazard.event, rules))
                self.evict(hazard)
        dropped.sort(key=lambda pair: entry(pair[0])[:3])
        return dropped

    def note_missed(self) -> None:
        """Keep as outcomes what is known of actions that came too late, before the events of those go."""
        for queue in self._queues.values():
            for hazard in queue:
                if hazard.cleared_at == FOREVER:
                    continue
                service = hazard.event.service or ""
                for rule, bit in zip(hazard.matched.hazard_names, hazard.matched.bits, strict=True):
                    if self.by_rule[bit].cleared[service].acted_at > hazard.cleared_at:
                        self.record(rule, hazard.event, NotOpened.CLEARED_BEFORE_ACTION, CLEARED)

    def clear(self) -> None:
        """Drop the hazards but keep their outcomes: the rules change."""
        self.by_rule.clear()
        self._queues.clear()
        self._alerts.clear()
        self._leaving.clear()

    def restore(self, event: Event, matched: MatchedSteps) -> None:
        """As `add`, for a hazard that may have an outcome already."""
        hazard = self.add(event, matched)
        outcomes = self._outcomes_of(event)
        if (ended := outcomes.get(ANY_RULE)) is not None:
            self._mark_cleared(hazard, ended.cleared_at)
            # No later recovery is this one's: it was the first that ended it.
            self._no_longer_fires(hazard)
        for rule, bit in zip(matched.hazard_names, matched.bits, strict=True):
            outcome = outcomes.get(rule)
            if outcome is not None and (outcome.taken or outcome.reason is NotOpened.CLEARED_BEFORE_ACTION):
                self._take(hazard, bit)

    def drop_stale_outcomes(self, known: Iterable[Key]) -> None:
        """Remove the outcomes of hazards that are not pending any more."""
        kept = set(known)
        for (source, event_id), outcomes in list(self._outcomes.items()):
            for rule in [rule for rule in outcomes if (rule, source, event_id) not in kept]:
                del outcomes[rule]
                self.dirty.add((rule, source, event_id))
            if not outcomes:
                del self._outcomes[source, event_id]

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())


def _began(hazard: Hazard) -> Instant:
    return hazard.event.time


_NOTHING: dict[str, OutcomeSoFar] = {}
_order = itemgetter(0, 1, 2)
