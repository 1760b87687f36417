"""Passes one event to each part that handles it: matching, the net, the memory, the correlator, the judge.

Events come in event-time order; one from before the watermark is used where it belongs.
"""

from __future__ import annotations

from monitor.core.deciding.engine_parts import EngineParts
from monitor.core.deciding.judge import Judge
from monitor.core.matching.last_values import is_of_incident
from monitor.core.model.decisions import Ignore, Late
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.model.retention_policy import RETENTION
from monitor.core.state.alerts import ALERT_STATES, RECOVERIES
from monitor.core.state.byte_budget import ByteBudget
from monitor.core.state.ttl_by_kind import TTL_BY_KIND
from monitor.core.weighing.net import Net

_IMPACT_KINDS = frozenset({"impact.started", "impact.ended", "incident.opened", "incident.updated", "incident.closed"})


class EventHandler:
    """Handles the events of a state; what is decided is appended to `out`."""

    def __init__(self, parts: EngineParts, judge: Judge, budget: ByteBudget, net: Net | None) -> None:
        self._state, self._matcher, self._catalogue, self._retention = parts[:4]
        self._correlator, self._late_events, self._match, self._out = parts[4:]
        self._judge = judge
        self._budget = budget
        self._net = net
        self._recorded = parts.state.last_values.kinds

    def process(self, event: Event, *, late: bool = False) -> int:
        """Pass one event to each part that handles it; returns the mask of the steps that it matched."""
        state = self._state
        if event.kind == "impact.clear":
            self._looked_back(event)
            return 0
        self._budget.keep()
        event = state.last_values.placed(event)
        if is_of_incident(event):
            return 0  # its incident is unknown: it is not counted as impact on everyone
        event = state.memory.interned(event)
        mask, derived = self._match(event)
        kind = event.kind
        is_recorded = kind in self._recorded
        if is_recorded:
            state.record_last_values(event)
        caught = self._net.observe(event, late=late) if self._net is not None else ()
        self._budget.took(event, caught)
        # What the facts of later events rest on is remembered too: something may come late in between.
        is_wanted = mask or caught or is_recorded or kind in TTL_BY_KIND
        if not is_wanted and not state.is_watched(event.service):
            return 0
        if state.cuts.drops(event) or not (added := state.memory.add(event, mask, derived)).is_new:
            return 0
        state.new_facts.append((event, mask, derived))
        if mask:
            correlator, matched = self._correlator, self._matcher.matched(mask)
            correlator.hazards(matched, event)
            if matched.interventions:
                correlator.interventions(matched, event)
        for candidate in caught:
            self._correlator.maker.catch(candidate)
        if added.evicted is not None:
            self._correlator.evicted(*added.evicted)
        self._follow(event)
        return mask

    def _follow(self, event: Event) -> None:
        """What an alert's news and word of impact change about what is known already."""
        if event.kind in ALERT_STATES:
            if event.kind in RECOVERIES:
                self._recovered(event)
            if event.service in self._state.active:
                self._correlator.alert(event)
        elif event.kind in _IMPACT_KINDS:
            self._judge.withdrawals.impact_arrived(event, self._state.now)

    def _recovered(self, event: Event) -> None:
        """An alert's hazards are no longer pending; a firing that only its recovery reports is a late event."""
        if (firing := self._late_events.untold(event)) is not None:
            self._late_events.follow_up(firing, self.process(firing, late=True))
        self._state.pending_hazards.clear_alert(event)

    def late(self, event: Event) -> None:
        """An event from before the watermark: used where it belongs, against what is still remembered."""
        state = self._state
        behind = state.timeline.watermark - event.time
        if event.kind == "impact.clear":
            self._looked_back(event)
        elif state.memory.has(event) or self._late_events.is_told(event):
            return
        else:
            state.advance_to(state.timeline.watermark)
            if (
                behind > max(RETENTION.event, self._retention.longest(event.kind, self._match(event)[0]))
                and event.kind not in _IMPACT_KINDS
            ):
                at = Instant(self._state.now)
                self._out.append(
                    Ignore(NotOpened.TOO_OLD, at, (), event.service, (event.event_id,), "arrived too late")
                )
            else:
                event = state.last_values.placed(event)
                self._late_events.follow_up(event, self.process(event, late=True))
        self._out.append(Late(event.event_id, event.time, behind))

    def _looked_back(self, event: Event) -> None:
        """A feed reports a time that may have been judged without it."""
        if event.service is None or self._catalogue.counts(event.environment) is False:
            return
        if self._state.feeds.add(event):
            self._look_again(self._catalogue.downward(event.service))

    def _look_again(self, services: frozenset[str]) -> None:
        for episode in self._state.episodes_citing(services):
            self._correlator.grouper.changed(episode)
