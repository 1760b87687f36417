"""Looks again at what a late event can change, and at nothing else: what rests on it, what it may be paired with.

The event itself was processed before. Decides nothing.
"""

from __future__ import annotations

import msgspec

from monitor.core.deciding.clauses import key_of
from monitor.core.deciding.correlator import Correlator
from monitor.core.matching.facts import is_drill
from monitor.core.matching.last_values import TABLES
from monitor.core.matching.matcher import CompiledRule, MatchedSteps, Matcher
from monitor.core.matching.relations import among, reach
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import MINUTE, Event
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.rule import MOST_COUNTED
from monitor.core.state.alerts import alert_key
from monitor.core.state.engine_state import EngineState
from monitor.core.state.event_series import MaskOf
from monitor.core.state.ttl_by_kind import CONTEXT_KINDS, TTL_BY_KIND

MOST_TRIED = 256
_A_GROUP = 4
"""What a late event may cost: an action that is tried again counts one, a group of hazards that it is offered to four.

A sender may state any time, and 256 hazards with 256 actions of each kind make too many pairs.
"""
UNBOUNDED = 2**62
UNTOLD = "began/"
"""How the id of a firing begins of which only its recovery tells."""
SAME_BEGINNING = MINUTE
"""A recovery and its firing may round the beginning differently."""
MOST_ID = 255
SHOWN_KINDS = (frozenset(TTL_BY_KIND) | frozenset(CONTEXT_KINDS)) - {"alert.fired"}
"""Kinds that a draft cites, or that its verdict rests on, although no step wants them."""


class LateEvents:
    """Follows up late events of a state."""

    def __init__(
        self, state: EngineState, matcher: Matcher, catalogue: Catalogue, correlator: Correlator, match: MaskOf
    ) -> None:
        """`match`: the mask of an event with the facts that were derived for it before."""
        self._state = state
        self._matcher = matcher
        self._catalogue = catalogue
        self._correlator = correlator
        self._match = match
        self._left = UNBOUNDED

    def follow_up(self, event: Event, mask: int) -> None:
        """Offer the event to what came after it; `mask`: the steps that it matched."""
        if event.service is None:
            return
        matched = self._matcher.matched(mask)
        self._left = MOST_TRIED
        self._offer(matched, event)
        self._rederive(event)
        if self._left <= 0:
            self._correlator.tried_enough(event)
        self._left = UNBOUNDED
        if matched.clauses or event.kind in SHOWN_KINDS:
            for episode in self._state.episodes_citing(self._catalogue.around(event.service)):
                self._correlator.grouper.changed(episode)

    def untold(self, recovery: Event) -> Event | None:
        """The firing that a recovery reports with its beginning and that no tool has sent, as far as remembered."""
        began, service, state = recovery.began_at, recovery.service, self._state
        if recovery.kind != "alert.resolved" or began is None or service is None or began >= recovery.time:
            return None
        if began < state.now - RETENTION.event:
            return None  # it may have been sent and evicted since
        key = alert_key(recovery)
        fired = list(state.memory.between((service,), ("alert.fired",), 0, recovery.time))
        if any(event.time >= began - SAME_BEGINNING and alert_key(event) == key for event in fired):
            return None
        if len(fired) >= MOST_COUNTED:
            return None  # the same: of so many the eldest are evicted
        told = f"{UNTOLD}{recovery.subject or ''}/{int(began)}"
        said = {**recovery.resolved_from, "kind": "its recovery, which says the beginning"}
        firing = msgspec.structs.replace(
            recovery, id=told[:MOST_ID], kind="alert.fired", time=began, began_at=None, resolved_from=said
        )
        return None if state.memory.has(firing) or state.cuts.drops(firing) else firing

    def is_told(self, firing: Event) -> bool:
        """Whether a recovery has reported this firing already."""
        if firing.kind != "alert.fired" or firing.service is None:
            return False
        key, around = alert_key(firing), (firing.time - SAME_BEGINNING, firing.time + SAME_BEGINNING)
        fired = self._state.memory.between((firing.service,), ("alert.fired",), *around)
        return any(event.id.startswith(UNTOLD) and alert_key(event) == key for event in fired)

    def _offer(self, matched: MatchedSteps, event: Event) -> None:
        """A hazard waits for later actions; a step without which an action counted for nothing was seen after all."""
        assert event.service is not None  # `follow_up` asks before
        around = self._catalogue.around(event.service)
        for compiled in matched.hazards:
            self.retry(compiled, around, event.time, event)
        for step in matched.clauses:
            if step.clause is not None and step.clause.at_least:
                self.retry(step.rule, around, event.time - step.rule.within)

    def retry(self, compiled: CompiledRule, around: frozenset[str], start: int, late: Event | None = None) -> None:
        """Something came late: offer the actions since `start` again, each to what has not taken it.

        `late`: only to what shares the key of this hazard. Where nothing waits and no candidate is open, nothing is
        done. What a late event may cost bounds it; the earliest actions come first.
        """
        step, state, memory = compiled.intervention, self._state, self._state.memory
        key = None if late is None else key_of(compiled, late)
        open_here = state.open_by_rule.get(compiled.name, {})
        pending = state.pending_hazards.by_rule.get(compiled.hazard.bit)
        for service in sorted(around):
            actions = memory.matching(service, step.kinds, step.bit, start, state.now)
            if not actions:
                continue
            services = reach(self._catalogue, service, compiled.rule.intervention.reach)
            known = [state.candidates[name] for s in among(services, open_here) for name in sorted(open_here[s])]
            first = actions[0].time - compiled.within if late is None else late.time
            free = self._correlator.maker.waiting(compiled, services, first, actions[-1].time)
            if key is not None:
                known = [candidate for candidate in known if candidate.key == key]
                free = [hazard for hazard in free if key_of(compiled, hazard) == key]
            for action in actions:
                if self._left <= 0:
                    return
                self._left -= 1
                if pending is not None and pending.cleared and not is_drill(action):
                    pending.act(among(services, pending.cleared), action.time)
                for candidate in known:
                    if not candidate.interventions.knows(action):
                        self._correlator.maker.add_action(candidate, compiled, action)
                near = [h for h in free if action.time - compiled.within <= h.time <= action.time]
                near = [hazard for hazard in near if self._correlator.maker.is_free(compiled.name, hazard)]
                if near:
                    self._left -= _A_GROUP * self._correlator.maker.offer(compiled, near, action)

    def _rederive(self, event: Event) -> None:
        """Derive again what later events of the same thing rest on; offer those that match more steps by it."""
        for name, table in TABLES.items():
            wanted = table.facts & self._matcher.facts_asked
            if not wanted or event.kind not in table.kinds or table.value(event) is None:
                continue
            kinds = self._matcher.kinds if name == "rotation" else self._matcher.kinds & table.kinds
            key, services = table.key(event), (event.service or "",)
            for later in list(self._state.memory.between(services, sorted(kinds), event.time, self._state.now)):
                if later.event_id != event.event_id and table.key(later) == key:
                    self._amend(later, wanted)

    def _amend(self, event: Event, wanted: frozenset[str]) -> None:
        memory = self._state.memory
        before, known = memory.known(event)
        mask, derived = self._match(event, {name: value for name, value in known.items() if name not in wanted})
        if derived is None or all(derived.get(name) in (None, known.get(name)) for name in wanted):
            return  # what rested on values that were evicted since stays as it was derived
        memory.revise(event, mask, derived)
        self._state.new_facts.append((event, mask, derived))
        if mask == before:
            return
        gained = self._matcher.matched(mask & ~before)
        self._wait_anew(event, self._matcher.matched(before), self._matcher.matched(mask))
        self._correlator.join(gained, event)
        if gained.interventions:
            self._correlator.interventions(gained, event)
        self._offer(gained, event)

    def _wait_anew(self, event: Event, before: MatchedSteps, now: MatchedSteps) -> None:
        """Let an event wait under the rules for which it is a hazard now, and no others."""
        pending = self._state.pending_hazards
        if before.hazards:
            pending.discard(event, before)
        is_open = now.hazards and event.time + now.longest >= self._state.expired_until
        if is_open and event.service is not None and not is_drill(event):
            pending.restore(event, now)
            self._correlator.recover(event)
