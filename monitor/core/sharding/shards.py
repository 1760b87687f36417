"""Several engines, one a shard, under one watermark: what one partition of a routed journal is given to.

Decides which engine gets an event and when time goes on for all of them; what an event means is each engine's own
business. The same events in the same order give the same decisions, wherever batches end. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from monitor.core.deciding.engine import Engine
from monitor.core.deciding.engine_settings import EngineSettings
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.decisions import Decision, Ignore, Late
from monitor.core.model.events import SECOND, Event, Instant
from monitor.core.model.faults import Culprit
from monitor.core.model.packing import pack, unpack
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Rule
from monitor.core.model.watermark import BEGINNING, Timeline
from monitor.core.sharding.routing import BROADCAST, Route, Router
from monitor.core.sharding.shares import Shares
from monitor.core.state.cells import StateError
from monitor.core.weighing.weights import Weights

Cells = dict[str, bytes | None]
Waiting = list[tuple[Event, int]]
"""Events for one engine, each with the watermark when it came."""
_TIMELINE = "timeline:"
_META = "meta:"
ALL_TOGETHER_EVERY = SECOND
"""While a backlog is read, engines without events of their own get the time once in so much event time."""


def scope_of(shard: int) -> str:
    """The name under which the cells of a shard are kept."""
    return f"shard/{shard:03}"


class Shards:
    """The engines of the shards of one partition. One is made when the first event for its shard comes."""

    def __init__(
        self,
        name: str,
        shards: Sequence[int],
        rules: Sequence[Rule],
        catalogue: Catalogue,
        make_regex: MakeRegex,
        settings: EngineSettings = EngineSettings(),
        cells: Mapping[str, Mapping[str, bytes]] | None = None,
        compiled: Matcher | None = None,
        aside: Collection[Culprit] = (),
    ) -> None:
        """`name`: of the partition; what belongs to no single shard is kept under it.

        `cells`: what `take_changes` gave, by scope. `compiled`: these rules and this catalogue.
        `aside`: as for a single engine. `settings.state_bytes`: of all shards there are, of which these have their
        shares.

        Raises StateError where the cells cannot be read, and Fault.
        """
        self._aside = aside
        self._name = name
        self._shards = frozenset(shards)
        self._rules = tuple(rules)
        self._catalogue = catalogue
        self._make_regex = make_regex
        self._settings = msgspec.structs.replace(settings, external_watermark=True)
        self._router = Router(catalogue)
        self._shares = self._divided()
        self._compiled = compiled or Matcher(rules, catalogue, LastValues(), make_regex)
        self._engines: dict[int, Engine] = {}
        self._spoke: set[int] = set()
        saved = cells or {}
        self._timeline = _timeline(saved.get(name, {}))
        self._timeline.lateness = settings.lateness
        self._together_at = BEGINNING
        self._written = pack(self._timeline) if name in saved else b""
        for shard in sorted(self._shards):
            if found := saved.get(scope_of(shard)):
                self._engine(shard, found)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The names under which everything of this partition is kept."""
        return scopes_of(self._name, sorted(self._shards))

    def step(self, events: Sequence[Event], routes: Sequence[Route]) -> list[Decision]:
        """Take events in journal order, each with the shards that it goes to; those elsewhere are left out."""
        timeline = self._timeline
        waiting: dict[int, Waiting] = {}
        out: list[Decision] = []
        for event, route in zip(events, routes, strict=True):
            here = self._shards.intersection(route)
            if event.time < timeline.watermark:
                late: list[Decision] = []
                for shard in sorted(here):
                    # What came before it first, and all of it against the watermark at which it came.
                    out += self._give(shard, waiting.pop(shard, []))
                    if shard not in self._engines:
                        self._engine(shard, None)
                    out += self._tick(shard, timeline.watermark)
                    late += self._give(shard, [(event, timeline.watermark)])
                out += _once(late)
                continue
            for shard in here:
                waiting.setdefault(shard, []).append((event, timeline.watermark))
            if event.time > timeline.newest or not timeline.confirmed:
                timeline.see(event.time, event.source, event.received_at is not None)
        for shard in sorted(waiting):
            out += self._give(shard, waiting[shard])
        if timeline.watermark >= self._together_at:
            out += self._together()
        else:
            for shard in sorted(waiting):
                out += self._tick(shard, timeline.watermark)
        return out

    def replace(
        self,
        rules: Sequence[Rule],
        catalogue: Catalogue,
        compiled: Matcher | None = None,
        weights: Weights | None = None,
    ) -> list[Decision]:
        """Go on with these rules and this catalogue, every engine as a stop and a start with them would.

        `weights`: None keeps those in force.
        """
        if weights is not None:
            self._settings = msgspec.structs.replace(self._settings, weights=weights)
        self._rules, self._catalogue, self._router = tuple(rules), catalogue, Router(catalogue)
        self._shares = self._divided()
        self._compiled = compiled or Matcher(rules, catalogue, LastValues(), self._make_regex)
        out: list[Decision] = []
        for shard in sorted(self._engines):
            engine, share = self._engines[shard], self._shares.of(shard)
            if decided := engine.replace(self._rules, catalogue, self._compiled, weights, share):
                self._spoke.add(shard)
                out += decided
        return out

    def tick(self, at: Instant) -> list[Decision]:
        """Nothing older than `at` is to be expected any more, for any of the engines."""
        self._timeline.tick(at)
        return self._together()

    def _together(self) -> list[Decision]:
        watermark = self._timeline.watermark
        self._together_at = watermark + ALL_TOGETHER_EVERY
        return [decision for shard in sorted(self._engines) for decision in self._tick(shard, watermark)]

    def _give(self, shard: int, waiting: Waiting) -> list[Decision]:
        if not waiting:
            return []
        engine = self._engines.get(shard) or self._engine(shard, None)
        self._spoke.add(shard)
        events, passed = zip(*waiting, strict=True)
        return engine.step(events, passed)

    def _tick(self, shard: int, watermark: int) -> list[Decision]:
        decided = self._engines[shard].tick(Instant(watermark)) if shard in self._engines else []
        if decided:
            self._spoke.add(shard)
        return decided

    def _divided(self) -> Shares:
        homes = [self._router.shard_of(service) for service in self._catalogue.services]
        return Shares(self._settings.state_bytes, homes)

    def _engine(self, shard: int, cells: Mapping[str, bytes] | None) -> Engine:
        def is_home(event: Event) -> bool:
            return event.kind not in BROADCAST or self._router.home(event) == shard

        engine = self._engines[shard] = Engine(
            self._rules,
            self._catalogue,
            self._make_regex,
            msgspec.structs.replace(self._settings, state_bytes=self._shares.of(shard)),
            cells,
            compiled=self._compiled,
            is_home=is_home,
            aside=self._aside,
        )
        return engine

    # -- state -------------------------------------------------------------------------------------------------

    def take_changes(self) -> dict[str, Cells]:
        """By scope, the state cells that changed since the last call; None deletes one."""
        changed: dict[str, Cells] = {}
        for shard, engine in self._engines.items():
            cells = engine.take_changes()
            # That only time went on is written with the partition, once for all engines. What an engine said must not
            # be said again after a restart, so that its own time is written then.
            if shard in self._spoke or cells.keys() - {_META}:
                changed[scope_of(shard)] = cells
        self._spoke.clear()
        timeline = pack(self._timeline)
        if timeline != self._written:
            self._written = timeline
            changed[self._name] = {_TIMELINE: timeline}
        return changed

    @property
    def watermark(self) -> Instant | None:
        at = self._timeline.watermark
        return None if at == BEGINNING else Instant(at)

    def gauges(self) -> dict[str, float]:
        """Sizes for the metrics, of all engines together."""
        total: dict[str, float] = {}
        for engine in self._engines.values():
            for name, value in engine.gauges().items():
                total[name] = total.get(name, 0) + value
        return total


def scopes_of(name: str, shards: Sequence[int]) -> tuple[str, ...]:
    """The scopes that a partition of this name with these shards is kept under."""
    return (name, *(scope_of(shard) for shard in shards))


def _timeline(cells: Mapping[str, bytes]) -> Timeline:
    if _TIMELINE not in cells:
        return Timeline()
    try:
        return unpack(cells[_TIMELINE], Timeline)
    except msgspec.DecodeError as error:
        raise StateError(f"the saved watermark of the partition cannot be read: {error}") from error


def _once(decisions: list[Decision]) -> list[Decision]:
    """A late event that went to several engines is late once, and too old once."""
    seen: set[object] = set()
    kept: list[Decision] = []
    for decision in decisions:
        key: object = None
        if isinstance(decision, Late):
            key = decision.event
        elif isinstance(decision, Ignore) and decision.reason is NotOpened.TOO_OLD:
            key = decision.evidence
        if key is None or key not in seen:
            kept.append(decision)
        seen.add(key)
    return kept
