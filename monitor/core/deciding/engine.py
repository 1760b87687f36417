"""The one algorithm: events and ticks in, decisions out. It serves the service, replay, tests, evaluate and explain.

Events that may matter wait until the watermark has passed them and are then processed in event-time order, together
with timers; so within the lateness the result is a function of the set of events. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import repeat

from monitor.core.deciding.correlator import Correlator
from monitor.core.deciding.engine_parts import EngineParts
from monitor.core.deciding.engine_settings import EngineSettings
from monitor.core.deciding.event_handler import EventHandler
from monitor.core.deciding.event_time_order import FOREVER, EventTimeOrder
from monitor.core.deciding.hazard_expiry import HazardExpiry
from monitor.core.deciding.index_rebuild import IndexRebuild
from monitor.core.deciding.judge import Judge
from monitor.core.deciding.late_events import LateEvents
from monitor.core.matching.facts import DerivedFacts
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.decisions import Decision
from monitor.core.model.events import Event, Instant
from monitor.core.model.faults import Culprit, Fault, fault_of
from monitor.core.model.rule import Rule
from monitor.core.model.watermark import BEGINNING, Timeline
from monitor.core.resolving.resolver import Resolver
from monitor.core.state.alerts import ALERT_STATES
from monitor.core.state.byte_budget import ByteBudget
from monitor.core.state.cells import restore, take_changes
from monitor.core.state.engine_state import EngineState
from monitor.core.state.ttl_by_kind import CONTEXT_KINDS, TTL_BY_KIND
from monitor.core.state.ttls import RuleTtls
from monitor.core.weighing.net import WATCHED, Net
from monitor.core.weighing.weights import Weights

__all__ = ["Engine", "EngineSettings"]
_IN_TURN = frozenset({*CONTEXT_KINDS, "impact.clear"})
"""Kinds that wait for their turn although no rule asks for them; of the reports of feeds those that look back."""


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

        `compiled`: the same rules, already compiled for another engine. `is_home`: whether an event may
        be a hazard here; of several engines that get one event, one may treat it as one. `aside`: what an
        engine failed at before; it is left out of the cells, and `step` must not be given it.

        Raises Fault, like everything that decides: such an engine must not be used any more.
        """
        self._aside = aside
        self._make_regex = make_regex
        self._is_home = is_home
        self._weights, self._met = settings.weights, settings.met
        self._out: list[Decision] = []
        is_restored = bool(cells)  # They may be gone once they were read.
        self.state, written = restore(cells, aside) if cells else (EngineState(Timeline()), {})
        self.state.timeline.lateness = settings.lateness
        self.state.timeline.external_watermark = settings.external_watermark
        self._state_bytes = settings.state_bytes
        self._wire(rules, catalogue, compiled)
        if is_restored:
            self._rebuild.write_again(self._rebuild.run(), lambda kept: written[kept.event.event_id] - kept.event.time)

    def _wire(
        self,
        rules: Sequence[Rule],
        catalogue: Catalogue,
        compiled: Matcher | None,
        before: EventTimeOrder | None = None,
    ) -> None:
        """Put the parts together; `before`: the order to continue from."""
        self.catalogue = catalogue
        self._resolver = Resolver(catalogue)
        last_values = self.state.last_values
        matcher = (
            compiled.seeing(last_values, catalogue)
            if compiled
            else Matcher(rules, catalogue, last_values, self._make_regex)
        )
        self._matcher = matcher
        self._match = matcher.match if self._is_home is None else self._match_here
        state, out, match = self.state, self._out, self._match
        self._retention = retention = RuleTtls(matcher, catalogue)
        last_values.want(matcher.facts_asked)
        self._relevant = matcher.kinds | TTL_BY_KIND.keys() | ALERT_STATES | last_values.kinds | _IN_TURN
        weights = self._weights
        net = None if weights is None else Net(state.observed, catalogue, weights, self._is_home)
        if net is not None:
            self._relevant |= WATCHED
        self.budget = budget = ByteBudget(state, catalogue, self._state_bytes, out)
        correlator = Correlator(state, matcher, catalogue, out, self._met)
        late_events = LateEvents(state, matcher, catalogue, correlator, match)
        judge = Judge(state, matcher, catalogue, correlator, out, net)
        self._maker = correlator.maker
        parts = EngineParts(state, matcher, catalogue, retention, correlator, late_events, match, out)
        self._rebuild = IndexRebuild(parts)
        self._handler = handler = EventHandler(parts, judge, budget, net)
        expiry = HazardExpiry(state.pending_hazards, matcher, out)
        self._order = EventTimeOrder(state, catalogue, retention, budget, handler, judge, expiry, self._aside)
        if before is not None:
            self._order.housekeeping_at, self._order.looked_until = before.housekeeping_at, before.looked_until

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
        """Switch to these rules and this catalogue, exactly as a restart would.

        Hazards stay pending under a rule that stayed the same. A rule that changed starts over with the events that are
        remembered; what the rules before did not want was not kept.

        `compiled`: as for a new engine; `weights`, `state_bytes`: None keeps what is in force.
        """
        before = self._retention.longest
        if state_bytes is not None:
            self._state_bytes = state_bytes
        if weights is not None:
            self._weights = weights
        self._wire(rules, catalogue, compiled, self._order)
        remembered = self._rebuild.run()
        self._rebuild.write_again(remembered, lambda kept: before(kept.event.kind, kept.before))
        return self._take()

    def release(self, names: Collection[str]) -> None:
        """No action will meet what waits under these rules now; what comes from here on waits as usual."""
        for compiled in (rule for name, rule in self._matcher.rules.items() if name in names):
            for hazard in self._maker.waiting(compiled, None, BEGINNING, FOREVER):
                self.state.pending_hazards.take(compiled.name, compiled.hazard.bit, hazard)

    # -- input -------------------------------------------------------------------------------------------------

    def step(self, events: Sequence[Event], passed: Sequence[int] = ()) -> list[Decision]:
        """Take events in journal order, in the words of their tools; where a batch ends does not matter.

        `passed`: the watermark outside when each came, where that is another's and only `tick` tells it here.
        """
        state, timeline = self.state, self.state.timeline
        pending, feeds, relevant = state.awaiting_watermark, state.feeds, self._relevant
        counts = self.catalogue.counts
        arrivals = state.arrivals
        event: Event | None = None
        try:
            for event, outside in self._arrived(events, passed):
                at = event.time
                if at < timeline.watermark:
                    state.arrivals = arrivals
                    self._order.advance(timeline.watermark)
                    self._handler.late(event)
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
        self._order.advance(timeline.watermark)
        return self._take()

    def _arrived(self, events: Sequence[Event], passed: Sequence[int]) -> Iterable[tuple[Event, int]]:
        """The events in the organisation's words, of which one can become several; each with what had passed."""
        if not passed:
            return zip(self._resolver.all(events), repeat(BEGINNING))
        return [(each, at) for event, at in zip(events, passed, strict=True) for each in self._resolver.all((event,))]

    def tick(self, at: Instant) -> list[Decision]:
        """Nothing older than `at` is to be expected any more: the reader stands at the head of its journal."""
        self.state.timeline.tick(at)
        self._order.advance(self.state.timeline.watermark)
        return self._take()

    def end(self) -> list[Decision]:
        """The stream is over: close all windows. The time after the last event counts as not observed."""
        times = [entry[0] for entry in self.state.awaiting_watermark]
        self._order.looked_until = max([self.state.timeline.newest, *times])
        self._order.advance(FOREVER)
        return self._take()

    def _take(self) -> list[Decision]:
        taken = list(self._out)
        self._out.clear()
        return taken

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
