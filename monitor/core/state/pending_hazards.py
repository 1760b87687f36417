"""Which hazards are pending, and until when; what became of each so far: `hazard_outcomes`.

A hazard that is over, taken or past its window waits no longer, so that an action meets only what it could have ended.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable
from operator import itemgetter

from monitor.core.matching.matcher import MatchedSteps
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.watermark import BEGINNING
from monitor.core.state.alerts import alert_key
from monitor.core.state.event_series import entry
from monitor.core.state.hazard_outcomes import ANY_RULE, CLEARED, FOREVER, HazardOutcomes


class Hazard:
    """A hazard that waits: its matched steps, the bits of the rules that took it, and when its alert was over."""

    __slots__ = ("cleared_at", "event", "matched", "taken")

    def __init__(self, event: Event, matched: MatchedSteps) -> None:
        self.event = event
        self.matched = matched
        self.taken = 0
        self.cleared_at = FOREVER


class ClearedAlerts:
    """Of one rule and service: how many alerts have cleared in open windows, and when the last action came too late."""

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
    """`by_rule` has the hazards by a rule's bit, `outcomes` what became of each so far."""

    def __init__(self) -> None:
        self.by_rule: dict[int, RuleHazards] = {}
        self._queues: dict[int, deque[Hazard]] = {}
        self._alerts: dict[str, list[Hazard]] = {}
        self._leaving: list[Hazard] = []
        self.outcomes = HazardOutcomes()

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

    def discard(self, event: Event, matched: MatchedSteps) -> None:
        """The event, which had matched these steps, is no longer a pending hazard, or is one of other rules."""
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
                self.outcomes.open(ANY_RULE, hazard.event).cleared_at = at
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
        """The hazards whose windows ended before `until`: (end, source, id, hazard), in this order, to be evicted."""
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

    def take(self, rule: str, bit: int, event: Event) -> None:
        """A candidate took the hazard: under this rule it waits no longer."""
        self.outcomes.open(rule, event).taken = True
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
                outcomes = self.outcomes.pop(hazard.event)
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
                        self.outcomes.record(rule, hazard.event, NotOpened.CLEARED_BEFORE_ACTION, CLEARED)

    def clear(self) -> None:
        """Drop the hazards but keep their outcomes: the rules change."""
        self.by_rule.clear()
        self._queues.clear()
        self._alerts.clear()
        self._leaving.clear()

    def restore(self, event: Event, matched: MatchedSteps) -> None:
        """As `add`, for a hazard that may have an outcome already."""
        hazard = self.add(event, matched)
        outcomes = self.outcomes.of(event)
        if (ended := outcomes.get(ANY_RULE)) is not None:
            self._mark_cleared(hazard, ended.cleared_at)
            # No later recovery is this one's: it was the first that ended it.
            self._no_longer_fires(hazard)
        for rule, bit in zip(matched.hazard_names, matched.bits, strict=True):
            outcome = outcomes.get(rule)
            if outcome is not None and (outcome.taken or outcome.reason is NotOpened.CLEARED_BEFORE_ACTION):
                self._take(hazard, bit)

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())


def _began(hazard: Hazard) -> Instant:
    return hazard.event.time


_order = itemgetter(0, 1, 2)
