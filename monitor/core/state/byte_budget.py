"""Keeps all that the engine remembers within one budget in bytes: counts it, and evicts the least worth of it by name.

Every event adds to a bound from above, which costs little; only where the bound reaches the budget is everything
counted. All of it is a function of the events in their order, so that a replay evicts what the service evicted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Evicted, Ignore
from monitor.core.model.events import Event, EventId, Instant
from monitor.core.model.reasons import NotOpened, StateKind
from monitor.core.state.costs import AROUND_EVENT, event_bytes
from monitor.core.state.cuts import EVIDENCE_KINDS, OTHERS
from monitor.core.state.engine_state import EngineState
from monitor.core.state.episodes import Episode
from monitor.core.state.event_series import entry as order_of
from monitor.core.state.holdings import HOLDINGS, Evictable, least
from monitor.core.state.sizes import caught_bytes
from monitor.core.state.waiting import SHARE, Waiting
from monitor.core.weighing.option import Caught

FULL = 0.9
"""From this share of the budget on there is eviction,"""
LOW = 0.75
"""and down to this one, so that it is rare."""
FIRST = (
    StateKind.EVENTS,
    StateKind.PLACES,
    StateKind.HABITS,
    StateKind.LAST_VALUES,
    StateKind.FEEDS,
    StateKind.PAST_DRAFTS,
    StateKind.CLOSED_EPISODES,
)
"""What a unit gives up first, of each the same share; then candidates, then evidence of impact, which guards others."""
_WAITING = "more waited for the watermark than the engine's memory budget allows"
_HAZARD = "the engine's memory budget was reached before its window ended"
_CANDIDATE = "the engine's memory budget was reached, and nothing else was left to evict"

Sizes = Counter[StateKind]


class HeldBytes:
    """What is remembered, in bytes: by unit, and of each by kind. A unit: a service of the catalogue, or all others."""

    def __init__(self) -> None:
        self.units: dict[str, Sizes] = {}

    def add(self, unit: str, kind: StateKind, size: int) -> None:
        sizes = self.units.get(unit)
        if sizes is None:
            sizes = self.units[unit] = Counter()
        sizes[kind] += size

    @property
    def total(self) -> int:
        return sum(sizes.total() for sizes in self.units.values())

    def level(self, target: int) -> int:
        """What no unit may be beyond for all to be within the target: the large ones pay for the small."""
        sizes = sorted(sizes.total() for sizes in self.units.values())
        for place, size in enumerate(sizes):
            if size * (len(sizes) - place) >= target:
                return max(0, target // (len(sizes) - place))
            target -= size
        return sizes[-1] if sizes else 0


class ByteBudget:
    """The budget of one engine, over its state. `limit`: bytes; None: none, and nothing is counted.

    What it evicts is appended to `out`: an `Evicted` a kind, and an `Ignore` for each hazard and candidate.
    """

    def __init__(
        self,
        state: EngineState,
        catalogue: Catalogue,
        limit: int | None,
        out: list[Decision],
    ) -> None:
        self._state = state
        self._catalogue = catalogue
        self._domains = {catalogue.domain_of(service) for service in catalogue.services}
        self.limit = limit
        self._out = out
        self._waiting: Waiting | None = None
        if limit is not None:
            state.split_chunks_by(catalogue.knows)
            waiting = (waits[4] for waits in state.awaiting_watermark)
            self._waiting = Waiting(limit // SHARE, catalogue.knows, waiting, state.timeline.watermark)

    def admit(self, event: Event, passed: int) -> Event | None:
        """The event as it may wait for the watermark; None where it may not, with a reason in `out`.

        `passed`: what will wait no longer at the next tick, where only ticks move the watermark.
        """
        if self._waiting is None:
            return event
        event, how = self._waiting.admit(event, max(self._state.timeline.watermark, passed))
        if how == "whole":
            return event
        at = event.time
        self._out.append(Evicted(at, StateKind.WAITING, 1))
        if how == "thinned":
            return event
        self._out.append(Ignore(NotOpened.EVICTED, at, (), event.service, (event.event_id,), _WAITING))
        return None

    def took(self, event: Event, caught: Iterable[Caught]) -> None:
        """An event was taken: the bound grows by no less than it added."""
        if self.limit is not None:
            # Memory, a place and a candidate may each keep it, and each is counted as if alone.
            self._state.grown += 3 * event_bytes(event) + AROUND_EVENT
            for candidate in caught:
                self._state.grown += 3 * caught_bytes(candidate)

    def keep(self) -> None:
        """Count if the bound is beyond the budget, and evict down to `LOW` where more than `FULL` is held.

        Only before an event is taken: at no other moment is the state the same wherever batches end.
        """
        state, limit = self._state, self.limit
        if limit is None or state.held + state.grown <= limit:
            return
        held = self.measured(state.now)
        if held.total > limit * FULL:
            held = self._evict(held, int(limit * LOW))
        state.held, state.grown = held.total, 0

    def count(self) -> None:
        """Count again after an eviction, so that the bound stays close to what is held."""
        if self.limit is not None:
            self._state.held, self._state.grown = self.measured(self._state.evicted_at).total, 0

    def _unit(self, service: str) -> str:
        return service if self._catalogue.knows(service) or service in self._domains else OTHERS

    def measured(self, now: int) -> HeldBytes:
        held, state = HeldBytes(), self._state
        for service, kind, size in state.memory.sizes():
            held.add(self._unit(service), StateKind.IMPACT if kind in EVIDENCE_KINDS else StateKind.EVENTS, size)
        for kind, holding in HOLDINGS.items():
            for service, size in holding.sizes(state, now):
                held.add(self._unit(service), kind, size)
        return held

    # -- eviction ----------------------------------------------------------------------------------------------

    def _evict(self, held: HeldBytes, target: int) -> HeldBytes:
        gone = Counter[StateKind]()
        self._state.pending_hazards.note_missed()
        for kinds in (FIRST, (StateKind.CANDIDATES,), (StateKind.IMPACT,)):
            if held.total > target:
                level = held.level(target)
                for unit, sizes in sorted(held.units.items()):
                    if (over := sizes.total() - level) > 0:
                        gone.update(self._reduce(unit, sizes, kinds, over))
                held = self.measured(self._state.now)
        at = Instant(self._state.now)
        self._out += [Evicted(at, kind, gone[kind]) for kind in StateKind if gone[kind]]
        return held

    def _reduce(self, unit: str, sizes: Sizes, kinds: Iterable[StateKind], over: int) -> Counter[StateKind]:
        """Let a unit give up so many bytes, of each kind the same share; how many things that were."""
        gone = Counter[StateKind]()
        there = sum(sizes[kind] for kind in kinds)
        for kind in kinds:
            if share := sizes[kind] * min(over, there) // there if there else 0:
                if kind in HOLDINGS:
                    entries = HOLDINGS[kind].entries(self._state, self._state.now)
                    chosen = least((entry for entry in entries if self._unit(entry.service) == unit), share)
                    if kind is StateKind.CANDIDATES:
                        self._say_gone(chosen)
                    HOLDINGS[kind].drop(self._state, chosen)
                    gone[kind] += len(chosen)
                else:
                    gone[kind] += self._cut(unit, kind, share)
        return gone

    def _cut(self, unit: str, kind: StateKind, share: int) -> int:
        """Evict the oldest events of a unit, with the hazards that they are; how many."""
        state, evidence = self._state, kind is StateKind.IMPACT
        mine = [
            (service, name)
            for service, name, _ in state.memory.sizes()
            if (name in EVIDENCE_KINDS) is evidence and self._unit(service) == unit
        ]
        entries = [
            Evictable(service, order_of(event)[:3], size, None)
            for service, name in mine
            for event, size in state.memory.entries(service, name)
        ]
        if not (chosen := least(entries, share)):
            return 0
        until = chosen[-1].order[0] + 1
        removed = [event for service, name in mine for event in state.memory.drop_before(service, name, until)]
        is_blind = evidence and any(map(_speaks_of_users, removed))
        state.cuts.cut(unit, until, self._catalogue.services, evidence=evidence, is_blind=is_blind)
        state.drop_loose_chunks()
        at = Instant(state.now)
        for event, rules in state.pending_hazards.drop({(event.source, event.id) for event in removed}):
            self._ignore(rules, event.service, (event.event_id,), _HAZARD, at)
        return len(removed)

    def _say_gone(self, chosen: list[Evictable]) -> None:
        """Name the reason for candidates without a draft; a draft stays, as after the end of its episode."""
        for entry in chosen:
            if isinstance(episode := entry.what, Episode) and episode.draft is None:
                known = [self._state.candidates[name] for name in episode.candidates]
                ids = tuple(event.event_id for each in known for event in each.hazards.events)
                ids += tuple(event.event_id for each in known for event in each.interventions.events)
                names = tuple(sorted({candidate.rule for candidate in known}))
                self._ignore(names, entry.service, ids, _CANDIDATE, Instant(self._state.now))

    def _ignore(
        self, rules: tuple[str, ...], service: str | None, ids: tuple[EventId, ...], detail: str, at: Instant
    ) -> None:
        if rules:
            self._out.append(Ignore(NotOpened.EVICTED, at, rules, service, ids, detail))


def _speaks_of_users(event: Event) -> bool:
    """Whether it may be why another service gets no draft: an incident without a statement is not."""
    return not event.kind.startswith("incident.") or event.labels.get("impact") == "users"
