"""The one algorithm: events and ticks in, decisions out. It serves the service, replay, tests, evaluate and explain.

Events that may matter wait until the watermark has passed them and are then processed in event-time order, together
with timers; so within the lateness the result is a function of the set of events. No I/O, no clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from operator import itemgetter

import msgspec

from monitor.core.catalogue import Catalogue
from monitor.core.conditions import MakeRegex
from monitor.core.correlate import Correlator
from monitor.core.decisions import Decision, Ignore, Late
from monitor.core.events import SECOND, Event, Instant
from monitor.core.instances import Instance
from monitor.core.judge import Judge
from monitor.core.matching import Matcher
from monitor.core.reasons import NotOpened
from monitor.core.rule import Rule
from monitor.core.state import ALWAYS_KEPT, MEMORY_HORIZON, SWEEP_EVERY, State
from monitor.core.timeline import BEGINNING, Timeline

FOREVER = 2**62
_LINEAGE_KINDS = frozenset({"change.deployed", "change.rolled_back", "change.flag_set"})
_IMPACT_KINDS = frozenset({"impact.started", "impact.ended", "incident.opened", "incident.updated", "incident.closed"})
_MAINTENANCE_KINDS = frozenset({"maintenance.started", "maintenance.ended"})
_in_order = itemgetter(0, 1, 2, 3)


class EngineSettings(msgspec.Struct, frozen=True):
    """`lateness`: how far behind the newest event another may arrive and still be in its place (microseconds)."""

    lateness: int = 60 * SECOND


class Engine:
    """Deterministic: the same events and ticks in the same order give the same decisions, wherever it was stopped."""

    def __init__(
        self,
        rules: Sequence[Rule],
        catalogue: Catalogue,
        make_regex: MakeRegex,
        settings: EngineSettings = EngineSettings(),
        cells: Mapping[str, bytes] | None = None,
    ) -> None:
        """`cells`: what `take_changes` gave, all together. Raises StateError where they cannot be read."""
        self._make_regex = make_regex
        self._out: list[Decision] = []
        matcher = Matcher(rules, catalogue, make_regex)
        horizons = {kind: reach + MEMORY_HORIZON for kind, reach in matcher.longest_look_back().items()}
        if cells:
            self.state = State.restore(cells, horizons, catalogue)
        else:
            self.state = State(Timeline(lateness=settings.lateness), horizons)
        self.state.timeline.lateness = settings.lateness
        self._wire(matcher, catalogue)
        self._drop_orphans()

    def _wire(self, matcher: Matcher, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._matcher = matcher
        self._correlator = Correlator(self.state, matcher, catalogue, self._out)
        self._judge = Judge(self.state, matcher, catalogue, self._correlator, self._out)

    def replace_rules(self, rules: Sequence[Rule], catalogue: Catalogue) -> None:
        """Go on with other rules; instances of rules whose version is unchanged stay open."""
        matcher = Matcher(rules, catalogue, self._make_regex)
        for kind, reach in matcher.longest_look_back().items():
            self.state.memory.horizons[kind] = max(
                self.state.memory.horizons.get(kind, 0), reach + MEMORY_HORIZON, ALWAYS_KEPT.get(kind, 0)
            )
        self._wire(matcher, catalogue)
        self._drop_orphans()

    def _drop_orphans(self) -> None:
        """Instances of rules that are gone or changed cannot be judged any more."""
        for instance in list(self.state.instances.values()):
            compiled = self._matcher.rules.get(instance.rule)
            if compiled is None or compiled.rule.version != instance.version:
                if instance.episode:
                    episode = self.state.episodes[instance.episode]
                    episode.instances.remove(instance.id)
                    self.state.touch_episode(episode)
                self.state.remove_instance(instance)

    # -- input -------------------------------------------------------------------------------------------------

    def step(self, events: Sequence[Event]) -> list[Decision]:
        """Take events in journal order; where a batch ends does not matter."""
        state, timeline = self.state, self.state.timeline
        pending, feeds = state.pending, state.feeds
        counts = self.catalogue.counts
        for event in events:
            at = event.time
            if at < timeline.watermark:
                self._advance(timeline.watermark)
                pending = state.pending
                self._late(event)
                continue
            if event.kind == "impact.clear":
                if event.service is not None and counts(event.environment) is not False:
                    feeds.add(event)
            else:
                pending.append((at, event.source, event.id, state.arrivals, event))
                state.arrivals += 1
            if at > timeline.newest or not timeline.confirmed:
                timeline.see(at, event.source, event.received_at is not None)
        self._advance(timeline.watermark)
        return self._take()

    def tick(self, at: Instant) -> list[Decision]:
        """Nothing older than `at` is to be expected any more: the reader stands at the head of its journal."""
        self.state.timeline.tick(at)
        self._advance(self.state.timeline.watermark)
        return self._take()

    def end(self) -> list[Decision]:
        """The stream is over: close all windows. What lies behind the last event counts as not looked at."""
        times = [entry[0] for entry in self.state.pending]
        self._judge.looked_until = max([self.state.timeline.newest, *times])
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
        pending.sort(key=_in_order)
        place, count = 0, len(pending)
        while True:
            event_at = pending[place][0] if place < count else FOREVER
            timer_at = timers[0][0] if timers else FOREVER
            now = min(event_at, timer_at)
            if now >= limit:
                break
            if now >= state.swept_at + SWEEP_EVERY:
                state.sweep(now)
            if event_at <= timer_at:
                self._correlator.now = max(event_at, self._correlator.now)
                self._process(pending[place][4])
                place += 1
            else:
                self._fire(*heapq.heappop(timers))
        del pending[:place]

    def _fire(self, at: int, kind: str, what: str) -> None:
        now = self._correlator.now = max(at, self._correlator.now)
        if kind == "expire":
            if (instance := self.state.instances.get(what)) is not None:
                self._correlator.expire(instance)
            return
        episode = self.state.episodes.get(what)
        if episode is None:
            return
        if kind == "wake" and episode.wake_at is not None and episode.wake_at <= now:
            self._judge.wake(episode, now)
        elif kind == "close":
            self._judge.close(episode, now)

    def _process(self, event: Event) -> list[Instance]:
        """Give one event to whoever may want it; the instances that it opened."""
        state, kind = self.state, event.kind
        hits = self._matcher.hits(event, state.lineage)
        if kind in _LINEAGE_KINDS:
            state.record_lineage(event)
        if not hits and kind not in ALWAYS_KEPT and not state.is_watched(event.service):
            return []
        if not state.memory.add(event):
            return []
        state.new_facts.append(event)
        opened = []
        for hit in hits:
            if hit.step.part == "hazard" and (instance := self._correlator.hazard(hit, event)) is not None:
                opened.append(instance)
        for hit in hits:
            if hit.step.part == "intervention":
                self._correlator.intervention(hit.step, event)
        if kind.startswith("alert."):
            self._correlator.alert(event)
        elif kind in _IMPACT_KINDS:
            self._judge.impact_told(event, self._correlator.now)
            self._incident_moved(event)
        return opened

    def _incident_moved(self, event: Event) -> None:
        """An incident's closing can be what makes an episode safe."""
        if event.kind == "incident.closed" and event.service is not None:
            for episode in self.state.episodes_citing(frozenset({event.service})):
                self._correlator.changed(episode)

    # -- late events -------------------------------------------------------------------------------------------

    def _late(self, event: Event) -> None:
        """An event from before the watermark: used where it belongs, against what is still remembered."""
        state = self.state
        behind = state.timeline.watermark - event.time
        if event.kind == "impact.clear":
            if event.service is not None and self.catalogue.counts(event.environment) is not False:
                state.feeds.add(event)
                self._look_again(self.catalogue.downward(event.service))
        elif state.memory.has(event):
            return
        else:
            self._correlator.now = max(self._correlator.now, state.timeline.watermark)
            if behind > state.memory.horizon(event.kind) and event.kind not in _IMPACT_KINDS:
                at = Instant(self._correlator.now)
                self._out.append(Ignore(NotOpened.TOO_OLD, at, (), event.service, (event.event_id,), "arrived too late"))
            else:
                self._process_late(event)
        self._out.append(Late(event.event_id, event.time, behind))

    def _process_late(self, event: Event) -> None:
        opened = self._process(event)
        if event.service is None:
            return
        around = self.catalogue.neighbours(event.service) | self.catalogue.siblings(event.service)
        if self._intervenes(event):
            opened += self._reopen_hazards(event, around)
        for instance in opened:
            self._catch_up(instance)
        if event.kind in _MAINTENANCE_KINDS or event.kind.startswith(("alert.", "note.", "responder.")):
            self._look_again(around)

    def _intervenes(self, event: Event) -> bool:
        return any(hit.step.part == "intervention" for hit in self._matcher.hits(event, self.state.lineage))

    def _reopen_hazards(self, event: Event, around: frozenset[str]) -> list[Instance]:
        """Hazards that expired for want of this very action get another chance."""
        opened = []
        open_hazards = {known.event_id for i in self.state.instances.values() for known in i.hazards.events}
        for compiled in self._matcher.rules.values():
            rule = compiled.rule
            start = event.time - rule.intervention.within
            for hazard in self.state.memory.between(sorted(around), sorted(rule.hazard.kinds), start, event.time):
                if hazard.event_id in open_hazards or hazard.event_id == event.event_id:
                    continue
                for hit in self._matcher.hits(hazard, self.state.lineage):
                    if hit.step is compiled.hazard and (new := self._correlator.hazard(hit, hazard)) is not None:
                        opened.append(new)
        return opened

    def _catch_up(self, instance: Instance) -> None:
        """Show a late instance what has happened since its hazard."""
        compiled = self._matcher.rules[instance.rule]
        start, end = instance.first_sign_at, self._correlator.now
        around = self.catalogue.neighbours(instance.service) | self.catalogue.siblings(instance.service)
        memory = self.state.memory
        alerts = memory.between((instance.service,), ("alert.fired", "alert.resolved", "alert.cancelled"), start, end)
        actions = memory.between(sorted(around), sorted(compiled.intervention.kinds), start, end)
        for event in sorted([*alerts, *actions], key=lambda event: (event.time, event.source, event.id)):
            if event.kind.startswith("alert."):
                self._correlator.alert(event)
            elif self._matcher.satisfies(compiled.intervention, event, self.state.lineage):
                self._correlator.offer(instance, compiled, event)

    def _look_again(self, services: frozenset[str]) -> None:
        for episode in self.state.episodes_citing(services):
            if not episode.closed:
                self._correlator.changed(episode)

    # -- state -------------------------------------------------------------------------------------------------

    def take_changes(self) -> dict[str, bytes | None]:
        """State cells that changed since the last call; None deletes one. All cells together restore the engine."""
        return self.state.take_changes()

    def forget_changes(self) -> None:
        """For runs that save nothing, so that what changed does not pile up."""
        self.state.forget_changes()

    @property
    def watermark(self) -> Instant | None:
        at = self.state.timeline.watermark
        return None if at == BEGINNING else Instant(at)

    def gauges(self) -> dict[str, float]:
        """Sizes for the metrics."""
        state = self.state
        return {
            "open_instances": len(state.instances),
            "open_episodes": sum(1 for episode in state.episodes.values() if not episode.closed),
            "standing_drafts": sum(1 for e in state.episodes.values() if e.draft is not None and not e.withdrawn),
            "pending_events": len(state.pending),
            "feeds": len(state.feeds),
        }
