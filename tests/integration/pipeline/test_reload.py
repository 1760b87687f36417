"""A reload between two batches, on real databases: what is committed is what the engine alone decides."""

from __future__ import annotations

import asyncio

from monitor.app.metrics import Metrics
from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.decisions import Decision
from monitor.core.model.events import SECOND, Event, Instant
from monitor.core.model.near_miss import public_line
from monitor.core.model.rule import Rule
from monitor.demo.story import CATALOGUE, story
from monitor.lab.ledger import Ledger
from monitor.ops.clock import ManualClock
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import content_hash
from monitor.pipeline.current_pack import Current, Pack
from monitor.pipeline.loop import EngineLoop, LoopSettings
from monitor.ports import Batch, Positions, Query, Saved
from monitor.store.database import Store
from tests.support.shipped import read_shipped

NOW = Instant(1_792_000_000 * SECOND)
RULES = read_shipped()
SHOP = load_catalogue(CATALOGUE)[0]
FEWER = tuple(rule for rule in RULES if rule.name != "flag-flipped-back")


def pack(rules: tuple[Rule, ...]) -> Pack:
    return Pack(rules, SHOP, content_hash(rules), "catalogue", Matcher(rules, SHOP, LastValues(), make_regex))


class Reloading:
    """A reader in whose middle the pack changes, and that stops the loop when the journal is read."""

    def __init__(self, store: Store, stop: asyncio.Event, current: Current, reloads: dict[int, Pack]) -> None:
        self._journal, self._stop, self._current, self._reloads = store.journal, stop, current, reloads
        self._reads = 0

    async def read(self, positions: Positions, limit: int) -> Batch:
        batch = await self._journal.read(positions, limit)
        if (new := self._reloads.get(self._reads)) is not None:
            self._current.put(new)
        self._reads += 1
        return batch

    async def wait(self, timeout: float) -> None:
        self._stop.set()


async def _run(store: Store, metrics: Metrics, first: Pack, reloads: dict[int, Pack]) -> None:
    stop, clock = asyncio.Event(), ManualClock(NOW)
    current = Current(first, clock, metrics)

    def make(saved: Saved) -> Engine:
        now = current.pack
        return Engine(now.rules, now.catalogue, make_regex, EngineSettings(), saved.cells, compiled=now.compiled)

    settings = LoopSettings(gather_seconds=0, read_events=200, commit_events=100)
    loop = EngineLoop(
        Reloading(store, stop, current, reloads),
        store.engine_store,
        make,
        clock,
        metrics,
        settings,
        owner="test",
        current=current,
    )
    await loop.run(stop)


async def _stored(store: Store) -> list[dict[str, object]]:
    page = await store.near_misses.page(Query(), None, 200)
    lines = (public_line(record.draft, record.state, record.reason) for record in page.records)
    return sorted(lines, key=lambda line: str(line["id"]))


def _alone(events: list[Event], turns: list[tuple[int, tuple[Rule, ...]]]) -> list[dict[str, object]]:
    """What one engine decides that is given other rules after so many events."""
    engine = Engine(turns[0][1], SHOP, make_regex, EngineSettings())
    decided: list[Decision] = []
    places = [place for place, _ in turns[1:]] + [len(events)]
    start = 0
    for turn, end in enumerate(places):
        decided += engine.step(events[start:end])
        if turn + 1 < len(turns):
            decided += engine.replace(turns[turn + 1][1], SHOP)
        start = end
    ledger = Ledger()
    ledger.record(decided)
    return sorted((entry.line() for entry in ledger.entries()), key=lambda line: str(line["id"]))


async def test_what_is_committed_over_reloads_is_what_the_engine_decides(store: Store) -> None:
    events = story(NOW)
    await store.journal.append(events)
    metrics = Metrics()
    await _run(store, metrics, pack(FEWER), {4: pack(RULES), 9: pack(FEWER)})
    stored = await _stored(store)
    assert stored == _alone(events, [(0, FEWER), (4 * 200, RULES), (9 * 200, FEWER)])
    assert len(stored) > 5


async def test_a_reload_survives_a_stop(store: Store) -> None:
    """The second start loads the newest pack, as a process that is started again does."""
    events = story(NOW)
    await store.journal.append(events[:1000])
    await _run(store, Metrics(), pack(RULES), {2: pack(FEWER)})
    await store.journal.append(events[1000:])
    await _run(store, Metrics(), pack(FEWER), {})
    assert await _stored(store) == _alone(events, [(0, RULES), (400, FEWER)])
