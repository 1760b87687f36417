"""The one algorithm: events and ticks in, decisions out. It serves the service, replay, tests, evaluate and explain.

Events that may matter wait until the watermark has passed them and are then processed in event-time order, together
with timers; so within the lateness the result is a function of the set of events. No I/O, no clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import repeat

from monitor.core.deciding.correlator import Correlator
from monitor.core.deciding.engine_settings import EngineSettings
from monitor.core.deciding.hazard_expiry import HazardExpiry
from monitor.core.deciding.judge import Judge
from monitor.core.deciding.late_events import LateEvents
from monitor.core.matching.facts import DerivedFacts, is_drill
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.decisions import Decision, Ignore, Late
from monitor.core.model.events import MINUTE, Event, Instant
from monitor.core.model.faults import SWEEP, Culprit, Fault, fault_of
from monitor.core.model.reasons import NotOpened
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.rule import Rule
from monitor.core.model.watermark import BEGINNING, Timeline
from monitor.core.resolving.resolver import Resolver
from monitor.core.state.alerts import ALERT_STATES, RECOVERIES
from monitor.core.state.byte_budget import ByteBudget
from monitor.core.state.candidates import Instance
from monitor.core.state.cells import restore, take_changes
from monitor.core.state.engine_state import EngineState
from monitor.core.state.memory import RememberedEvent, entry
from monitor.core.state.open_work import Timer
from monitor.core.state.pending_hazards import ANY_RULE
from monitor.core.state.retention import Retention
from monitor.core.state.ttl_by_kind import CONTEXT_KINDS, TTL_BY_KIND
from monitor.core.weighing.net import WATCHED, Net
from monitor.core.weighing.shapes import SHAPES
from monitor.core.weighing.weights import Weights

__all__ = ["Engine", "EngineSettings"]
FOREVER = 2**62
EXPIRE_EVERY = 5 * MINUTE
"""Hazards that wait are let go at multiples of this event time, not one by one."""
_IN_TURN = frozenset({*CONTEXT_KINDS, "impact.clear"})
"""Kinds that wait for their turn although no rule asks for them; of the reports of feeds those that look back."""
_IMPACT_KINDS = frozenset({"impact.started", "impact.ended", "incident.opened", "incident.updated", "incident.closed"})


class Engine:
    """Deterministic: the same events and ticks in the same order give the same decisions, wherever it was stopped."""

    def __init__(
        self,
        rules: Sequence[Rule],
        catalogue: Catalogue,
        make_regex: MakeRegex,
        settings: EngineSettings = EngineSettings(),
        cells: Mapping[str, bytes] | None = None,
        compiled: Matcher | None = None,
        is_home: Callable[[Event], bool] | None = None,
        aside: Collection[Culprit] = (),
    ) -> None:
        """`cells`: what `take_changes` gave, all together. Raises StateError where they cannot be read.

        `compiled`: the same rules and catalogue, already compiled for another engine. `is_home`: whether an event may
        be a hazard here; of several engines that get one event, one may take it for that. `aside`: what an
        engine failed at before; it is left out of the cells, and `step` must not be given it.

        Raises Fault, like everything that decides: such an engine must not be used any more.
        """
        self._aside = aside
        self._at_work_on: Event | None = None
        self._make_regex = make_regex
        self._is_home = is_home
        self._weights = settings.weights
        self._out: list[Decision] = []
        is_restored = bool(cells)  # They may be gone once they were read.
        self.state, written = restore(cells, aside) if cells else (EngineState(Timeline()), {})
        self.state.timeline.lateness = settings.lateness
        self.state.timeline.external_watermark = settings.external_watermark
        self._state_bytes = settings.state_bytes
        self._housekeeping_at = BEGINNING
        self._looked_until: int | None = None
        self._wire(rules, catalogue, compiled)
        if is_restored:
            self._write_again(self._rebuild_indexes(), lambda kept: written[kept.event.event_id] - kept.event.time)

    def _wire(self, rules: Sequence[Rule], catalogue: Catalogue, compiled: Matcher | None) -> None:
        self.catalogue = catalogue
        self._resolver = Resolver(catalogue)
        last_values = self.state.last_values
        matcher = compiled.seeing(last_values) if compiled else Matcher(rules, catalogue, last_values, self._make_regex)
        self._matcher = matcher
        self._match = matcher.match if self._is_home is None else self._match_here
        self._retention = Retention(matcher, catalogue)
        last_values.want(matcher.facts_asked)
        self._recorded = recorded = last_values.kinds
        self._relevant = matcher.kinds | TTL_BY_KIND.keys() | ALERT_STATES | recorded | _IN_TURN
        weights = self._weights
        self._net = None if weights is None else Net(self.state.observed, catalogue, weights, self._is_home)
        if self._net is not None:
            self._relevant |= WATCHED
        self.budget = ByteBudget(self.state, catalogue, self._state_bytes, self._out)
        self._correlator = Correlator(self.state, matcher, catalogue, self._out)
        self._late_events = LateEvents(self.state, matcher, catalogue, self._correlator, self._match)
        self._expiry = HazardExpiry(self.state.pending_hazards, matcher, self._out)
        self._judge = Judge(self.state, matcher, catalogue, self._correlator, self._out, self._net)

    def _match_here(self, event: Event, derived: DerivedFacts | None = None) -> tuple[int, DerivedFacts | None]:
        """The steps that an event matches for this engine, which is one of several."""
        mask, derived = self._matcher.match(event, derived)
        if mask and self._is_home is not None and not self._is_home(event):
            return mask & ~self._matcher.hazard_bits, derived
        return mask, derived

    def replace(
        self,
        rules: Sequence[Rule],
        catalogue: Catalogue,
        compiled: Matcher | None = None,
        weights: Weights | None = None,
        state_bytes: int | None = None,
    ) -> list[Decision]:
        """Go on by these rules and this catalogue, exactly as a stop and a start with them would.

        What waits under a rule that stayed the same waits on. A rule that changed begins anew with the events that are
        remembered; what the rules before did not want was not kept.

        `compiled`: as for a new engine; `weights`, `state_bytes`: None keeps what is in force.
        """
        before = self._retention.longest
        if state_bytes is not None:
            self._state_bytes = state_bytes
        if weights is not None:
            self._weights = weights
        self._wire(rules, catalogue, compiled)
        remembered = self._rebuild_indexes()
        self._write_again(remembered, lambda kept: before(kept.event.kind, kept.before))
        return self._take()

    def _write_again(self, remembered: list[RememberedEvent], written_for: Callable[[RememberedEvent], int]) -> None:
        """Write events again that were written with a shorter TTL or with fewer derived facts."""
        state, most = self.state, self._retention.longest
        unwritten = {event.event_id for event, _, _ in state.new_facts}
        state.new_facts = [
            (kept.event, kept.mask, kept.derived)
            for kept in remembered
            if kept.is_news or kept.event.event_id in unwritten or most(kept.event.kind, kept.mask) > written_for(kept)
        ]

    def _rebuild_indexes(self) -> list[RememberedEvent]:
        """Let the candidates of rules that are gone or changed go, and look at what is remembered again."""
        self._at_work_on = None
        try:
            return self._look_at_all()
        except Exception as error:
            raise fault_of(self._at_work_on) from error

    def _look_at_all(self) -> list[RememberedEvent]:
        state, rules = self.state, self._matcher.rules
        dropped = [
            i
            for i in state.instances.values()
            if i.rule not in SHAPES and (i.rule not in rules or rules[i.rule].rule.version != i.version)
        ]
        for instance in dropped:
            episode = state.episodes[instance.episode]
            episode.instances.remove(instance.id)
            state.touch_episode(episode)
            state.remove_instance(instance)
            for hazard in instance.hazards.events:
                state.pending_hazards.drop_outcome(instance.rule, hazard)
        remembered = self._rebuild_pending()
        state.advance_to(state.timeline.watermark)
        for instance in dropped:
            self._at_work_on = instance.hazards.earliest
            if instance.rule in rules:
                around = self.catalogue.around(instance.service)
                self._late_events.retry(rules[instance.rule], around, instance.first_sign_at)
        for episode_id in sorted({instance.episode for instance in dropped}):
            self._say_gone(episode_id, [instance for instance in dropped if instance.episode == episode_id])
        return remembered

    def _say_gone(self, episode_id: str, dropped: list[Instance]) -> None:
        """Name the reason where no candidate is left of what no decision has been made about."""
        episode = self.state.episodes.get(episode_id)
        if episode is None or episode.instances or episode.outcome or episode.closed:
            return
        ids = tuple(instance.hazards.earliest.event_id for instance in dropped)
        names = tuple(sorted({instance.rule for instance in dropped}))
        at = Instant(self.state.now)
        detail = "the rule was removed or changed before the window ended"
        self._out.append(Ignore(NotOpened.RULE_GONE, at, names, dropped[0].service, ids, detail))
        self.state.remove_episode(episode)

    def _match_again(self, event: Event, derived: DerivedFacts | None) -> tuple[int, DerivedFacts | None]:
        self._at_work_on = event
        return self._match(event, derived)

    def _rebuild_pending(self) -> list[RememberedEvent]:
        """Which hazards wait follows from the remembered events; only their outcomes so far are saved."""
        state = self.state
        state.pending_hazards.clear()
        known = []
        remembered = sorted(state.memory.remask(self._match_again), key=lambda kept: entry(kept.event))
        for event, mask, *_ in remembered:
            self._at_work_on = event
            if event.kind in RECOVERIES:
                state.pending_hazards.clear_alert(event)
            matched = self._matcher.matched(mask)
            self._correlator.acted(matched, event)
            if not matched.hazards or event.service is None or is_drill(event):
                continue
            if event.time + matched.longest >= state.expired_until:
                state.pending_hazards.restore(event, matched)
                known += [(name, event.source, event.id) for name in (ANY_RULE, *matched.hazard_names)]
        self._at_work_on = None
        state.pending_hazards.drop_stale_outcomes(known)
        state.memory.evict(state.evicted_at, self._retention.ttl_of(state))
        return remembered

    # -- input -------------------------------------------------------------------------------------------------

    def step(self, events: Sequence[Event], passed: Sequence[int] = ()) -> list[Decision]:
        """Take events in journal order, in the words of their tools; where a batch ends does not matter.

        `passed`: the watermark outside when each came, where that is another's and only `tick` tells it here.
        """
        state, timeline = self.state, self.state.timeline
        pending, feeds, relevant = state.pending, state.feeds, self._relevant
        counts = self.catalogue.counts
        arrivals = state.arrivals
        event: Event | None = None
        try:
            for event, outside in self._arrived(events, passed):
                at = event.time
                if at < timeline.watermark:
                    state.arrivals = arrivals
                    self._advance(timeline.watermark)
                    self._late(event)
                    continue
                kind = event.kind
                if kind == "impact.clear" and event.covers_from is None:
                    if event.service is not None and counts(event.environment) is not False:
                        feeds.add(event)
                elif kind in relevant and (waits := self.budget.admit(event, outside)) is not None:
                    pending.append((at, event.source, event.id, arrivals, waits))
                    arrivals += 1
                if at > timeline.newest or not timeline.confirmed:
                    timeline.see(at, event.source, event.received_at is not None)
        except Fault:
            raise
        except Exception as error:
            raise fault_of(event) from error
        state.arrivals = arrivals
        self._advance(timeline.watermark)
        return self._take()

    def _arrived(self, events: Sequence[Event], passed: Sequence[int]) -> Iterable[tuple[Event, int]]:
        """The events in the organisation's words, of which one can become several; each with what had passed."""
        if not passed:
            return zip(self._resolver.all(events), repeat(BEGINNING))
        return [(each, at) for event, at in zip(events, passed, strict=True) for each in self._resolver.all((event,))]

    def tick(self, at: Instant) -> list[Decision]:
        """Nothing older than `at` is to be expected any more: the reader stands at the head of its journal."""
        self.state.timeline.tick(at)
        self._advance(self.state.timeline.watermark)
        return self._take()

    def end(self) -> list[Decision]:
        """The stream is over: close all windows. What lies behind the last event counts as not looked at."""
        times = [entry[0] for entry in self.state.pending]
        self._looked_until = max([self.state.timeline.newest, *times])
        self._advance(FOREVER)
        return self._take()

    def _take(self) -> list[Decision]:
        taken = list(self._out)
        self._out.clear()
        return taken

    # -- in event-time order -----------------------------------------------------------------------------------

    def _advance(self, limit: int) -> None:
        """Process what lies before `limit`: events first, then the timers of the same moment."""
        state = self.state
        pending, timers = state.pending, state.timers
        pending.sort()
        place, count = 0, len(pending)
        fired: Timer | None = None
        event_at, timer_at, now = FOREVER, FOREVER, BEGINNING
        try:
            while True:
                event_at = pending[place][0] if place < count else FOREVER
                timer_at = timers[0][0] if timers else FOREVER
                now = event_at if event_at <= timer_at else timer_at
                if now >= self._housekeeping_at:
                    self._housekeep(min(now, limit))
                if now >= limit:
                    break
                if now > state.now:
                    state.now = now
                if event_at <= timer_at:
                    self._process(pending[place][4])
                    place += 1
                else:
                    fired = heapq.heappop(timers)
                    self._fire(*fired)
        except Exception as error:
            # Nothing is noted on the way, which would cost every event: what was at work follows from where it ended.
            if now >= self._housekeeping_at:
                fault = fault_of(self._expiry.at_work_on, SWEEP)
            elif event_at <= timer_at:
                fault = fault_of(pending[place][4])
            else:
                fault = self.state.fault_of(fired)
            raise fault from error
        del pending[:place]

    def _housekeep(self, now: int) -> None:
        """At fixed event times, so that it never depends on batches: expire what waits, evict what is old.

        After the last event nothing is evicted: an engine that has ended takes nothing more.
        """
        if now >= FOREVER:
            self._expiry.expire(FOREVER)
            return
        boundary = now - now % EXPIRE_EVERY
        if boundary > self.state.expired_until:
            self._expiry.expire(boundary)
            self.state.expired_until = boundary
        is_due = self._looked_until is None and now >= self.state.evicted_at + RETENTION.evict_every
        if is_due and SWEEP not in self._aside:
            self.state.evict_expired(now, self._retention.ttl_of(self.state), self.catalogue.domain_of)
            self.budget.count()
        self._housekeeping_at = boundary + EXPIRE_EVERY

    def _fire(self, at: int, kind: str, what: str) -> None:
        now = self.state.now
        episode = self.state.episodes.get(what)
        if episode is None:
            return
        if what in self._aside:
            self.state.drop_episode(episode)
        elif kind == "wake" and episode.wake_at is not None and episode.wake_at <= now:
            self._judge.wake(episode, now, self._looked_until)
        elif kind == "close":
            self._judge.close(episode, now)

    def _process(self, event: Event, *, late: bool = False) -> int:
        """Give one event to whoever may want it; the mask of the steps that it matched."""
        state, kind = self.state, event.kind
        if kind == "impact.clear":
            self._looked_back(event)
            return 0
        self.budget.keep()
        mask, derived = self._match(event := state.last_values.placed(event))
        is_recorded = kind in self._recorded
        if is_recorded:
            state.record_last_values(event)
        caught = self._net.observe(event, late=late) if self._net is not None else ()
        self.budget.took(event, caught)
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
        if kind in ALERT_STATES:
            if kind in RECOVERIES:
                self._recovered(event)
            if event.service in state.active:
                self._correlator.alert(event)
        elif kind in _IMPACT_KINDS:
            self._judge.withdrawals.impact_arrived(event, self.state.now)
        return mask

    def _recovered(self, event: Event) -> None:
        """An alert's hazards wait no longer; what only its end tells of is processed as what came late."""
        if (firing := self._late_events.untold(event)) is not None:
            self._late_events.follow_up(firing, self._process(firing, late=True))
        self.state.pending_hazards.clear_alert(event)

    # -- late events -------------------------------------------------------------------------------------------

    def _late(self, event: Event) -> None:
        """An event from before the watermark: used where it belongs, against what is still remembered."""
        state = self.state
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
                at = Instant(self.state.now)
                self._out.append(
                    Ignore(NotOpened.TOO_OLD, at, (), event.service, (event.event_id,), "arrived too late")
                )
            else:
                event = state.last_values.placed(event)
                self._late_events.follow_up(event, self._process(event, late=True))
        self._out.append(Late(event.event_id, event.time, behind))

    def _looked_back(self, event: Event) -> None:
        """A feed tells of a past that may have been judged without it."""
        if event.service is None or self.catalogue.counts(event.environment) is False:
            return
        if self.state.feeds.add(event):
            self._look_again(self.catalogue.downward(event.service))

    def _look_again(self, services: frozenset[str]) -> None:
        for episode in self.state.episodes_citing(services):
            self._correlator.grouper.changed(episode)

    # -- state -------------------------------------------------------------------------------------------------

    def take_changes(self) -> dict[str, bytes | None]:
        """State cells that changed since the last call; None deletes one. All cells together restore the engine."""
        return take_changes(self.state, self._retention.longest)

    def forget_changes(self) -> None:
        """For runs that save nothing, so that what changed does not pile up."""
        self.state.forget_changes()

    @property
    def watermark(self) -> Instant | None:
        at = self.state.timeline.watermark
        return None if at == BEGINNING else Instant(at)

    def gauges(self) -> dict[str, float]:
        """Sizes for the metrics."""
        return self.state.gauges()
