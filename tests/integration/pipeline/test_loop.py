"""The loop on real databases: what it commits is what the engine alone decides, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from monitor.app.metrics import Metrics
from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Actor, Event, Instant
from monitor.core.model.near_miss import public_line
from monitor.core.model.reasons import Rejected
from monitor.core.state.memory import Added, Memory
from monitor.decode.normalise import normalise
from monitor.demo.story import CATALOGUE, story
from monitor.lab.ledger import Ledger
from monitor.ops.clock import ManualClock
from monitor.ops.tasks import WatchedTasks
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.pipeline.engine_guard import LEAST_MEMORY
from monitor.pipeline.lease import LeaseSettings, LoopState
from monitor.pipeline.loop import EngineLoop, LoopSettings
from monitor.ports import WHOLE, Batch, Commit, Positions, Query, Reject, Saved, Unavailable
from monitor.store.database import Store
from monitor.store.journal import PARTITION
from tests.support.shipped import compiled_shipped, read_shipped

NOW = Instant(1_792_000_000 * SECOND)
RULES = read_shipped()
SHOP = load_catalogue(CATALOGUE)[0]
PATIENT = LeaseSettings(first_retry=0.001, longest_retry=0.002, standby=0.01)
QUICK = LoopSettings(gather_seconds=0, lease=PATIENT)


class Scripted:
    """A reader that carries out one step of a script each time the loop has nothing to do, and stops it at the end."""

    def __init__(self, store: Store, stop: asyncio.Event, steps: Sequence[Callable[[], Any]] = ()) -> None:
        self._journal = store.journal
        self._stop = stop
        self._steps = list(steps)
        self.rejects: tuple[Reject, ...] = ()

    async def read(self, positions: Positions, limit: int) -> Batch:
        batch = await self._journal.read(positions, limit)
        rejects, self.rejects = self.rejects, ()
        return Batch(batch.events, batch.positions, batch.at_head, rejects, size=batch.size)

    async def wait(self, timeout: float) -> None:
        if not self._steps:
            self._stop.set()
            return
        if (done := self._steps.pop(0)()) is not None:
            await done


class Behind:
    """The real store behind something that may happen to a commit."""

    def __init__(self, store: Store) -> None:
        self._store = store.engine_store

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        return await self._store.acquire(owner, part, scopes, lease)

    async def heartbeat(self, part: str, epoch: int) -> None:
        await self._store.heartbeat(part, epoch)

    async def release(self, part: str, epoch: int) -> None:
        await self._store.release(part, epoch)


class Replaced(Behind):
    """Another takes the part over while the first batch is in the engine."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.calls = 0

    async def heartbeat(self, part: str, epoch: int) -> None:
        self.calls += 1
        if self.calls == 1:
            await self._store.acquire("another", part)
            await self._store.release(part, epoch + 1)
        await super().heartbeat(part, epoch)

    async def commit(self, commit: Commit) -> int:
        return await self._store.commit(commit)


class Interrupted(Behind):
    """The connection breaks: at the named calls before or after the work was done."""

    def __init__(self, store: Store, before: frozenset[int] = frozenset(), after: frozenset[int] = frozenset()) -> None:
        super().__init__(store)
        self._before = before
        self._after = after
        self.calls = 0

    async def commit(self, commit: Commit) -> int:
        call = self.calls
        self.calls += 1
        if call in self._before:
            raise Unavailable("cut off before the work")
        contradicted = await self._store.commit(commit)
        if call in self._after:
            raise Unavailable("cut off before the answer")
        return contradicted


class Starved(Behind):
    """There is no memory for the first commits, nor at first to own the part again."""

    def __init__(self, store: Store, commits: int) -> None:
        super().__init__(store)
        self._refused = commits
        self._calls = 0

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        self._calls += 1
        if self._calls == 2:
            raise MemoryError("injected")
        return await super().acquire(owner, part, scopes, lease)

    async def commit(self, commit: Commit) -> int:
        self._refused -= 1
        if self._refused >= 0:
            raise MemoryError("injected")
        return await self._store.commit(commit)


def _engine(saved: Saved | None = None) -> Engine:
    cells = None if saved is None else saved.cells
    return Engine(RULES, SHOP, make_regex, EngineSettings(), cells, compiled=compiled_shipped())


async def _run(
    store: Store,
    *steps: Callable[[], Any],
    memory: Any = None,
    clock: ManualClock | None = None,
    settings: LoopSettings = QUICK,
    metrics: Metrics | None = None,
) -> EngineLoop:
    """Run a loop until the journal is read and the script is done."""
    stop = asyncio.Event()
    loop = EngineLoop(
        Scripted(store, stop, steps),
        memory or store.engine_store,
        _engine,
        clock or ManualClock(NOW),
        metrics or Metrics(),
        settings,
        owner="test",
    )
    await loop.run(stop)
    return loop


async def _stored(store: Store) -> list[dict[str, object]]:
    page = await store.near_misses.page(Query(), None, 200)
    assert page.next is None
    return sorted(
        (public_line(record.draft, record.state, record.reason) for record in page.records),
        key=lambda line: str(line["id"]),
    )


def _alone(events: Sequence[Event]) -> list[dict[str, object]]:
    ledger = Ledger()
    ledger.record(_engine().step(events))
    return sorted((entry.line() for entry in ledger.entries()), key=lambda line: str(line["id"]))


async def test_what_is_committed_is_what_the_engine_decides(store: Store) -> None:
    events = story(NOW)
    await store.journal.append(events)
    metrics = Metrics(rules=[rule.name for rule in RULES])
    loop = await _run(store, metrics=metrics)
    stored = await _stored(store)
    assert len(stored) > 10
    assert stored == _alone(events)
    assert loop.state is LoopState.STOPPED
    assert metrics.registry.get_sample_value("nearmiss_events_processed_total") == len(events)
    opened = metrics.registry.get_sample_value("nearmiss_drafts_opened_total", {"rule": "flag-flipped-back"})
    assert opened == 2
    assert metrics.registry.get_sample_value("nearmiss_drafts_withdrawn_total", {"reason": "impact_in_window"}) == 1


async def test_stopped_and_started_again_and_again_is_as_if_never_stopped(store: Store) -> None:
    events = story(NOW)
    for start in range(0, len(events), 700):
        await store.journal.append(events[start : start + 700])
        await _run(store, settings=LoopSettings(gather_seconds=0, read_events=130, slice_events=7, commit_events=200))
    assert await _stored(store) == _alone(events)


async def test_a_store_that_comes_and_goes_loses_and_doubles_nothing(store: Store) -> None:
    events = story(NOW)
    await store.journal.append(events)
    broken = Interrupted(store, before=frozenset({0, 1, 4}), after=frozenset({2, 6, 7}))
    settings = LoopSettings(gather_seconds=0, read_events=300, commit_events=300, lease=PATIENT)
    metrics = Metrics()
    await _run(store, memory=broken, settings=settings, metrics=metrics)
    assert broken.calls > 10
    assert await _stored(store) == _alone(events)
    assert metrics.registry.get_sample_value("nearmiss_store_unavailable_total") == 6
    ids = [line["id"] for line in await _stored(store)]
    trails = [[entry.action for entry in await store.near_misses.audit(str(each))] for each in ids]
    assert all(trail.count(trail[0]) == 1 for trail in trails)


async def test_whoever_was_replaced_writes_nothing_and_stands_by(store: Store) -> None:
    events = story(NOW)
    await store.journal.append(events[:1500])
    taken: list[Saved] = []

    async def another_takes_over() -> None:
        taken.append(await store.engine_store.acquire("another"))
        await store.journal.append(events[1500:])

    async def nothing_was_written() -> None:
        # By now the other one has shown no life for its lease, and its part was taken back.
        assert metrics.registry.get_sample_value("nearmiss_fenced_total") == 1

    metrics = Metrics()
    patient = msgspec.structs.replace(PATIENT, ttl=0.3)
    # Only so many events make a commit, however fast they were read: the first part alone does not.
    settings = msgspec.structs.replace(QUICK, lease=patient, commit_seconds=3600.0, commit_events=2000)
    await _run(store, another_takes_over, nothing_was_written, settings=settings, metrics=metrics)
    # The first part was not committed: the other one began where the last commit was.
    assert taken[0].positions == {}
    assert (await store.engine_store.acquire("the next")).epoch == taken[0].epoch + 2
    assert await _stored(store) == _alone(events)


async def test_a_lease_lost_between_two_slices_is_no_event_s_fault(store: Store) -> None:
    """The heartbeat between two slices says so; the engine failed at nothing, and nothing is put aside."""
    events = story(NOW)
    await store.journal.append(events)
    metrics, memory = Metrics(), Replaced(store)
    # A heartbeat is due whenever it is asked for.
    settings = msgspec.structs.replace(QUICK, lease=msgspec.structs.replace(PATIENT, heartbeat=0.0))
    await _run(store, memory=memory, settings=settings, metrics=metrics)
    assert metrics.registry.get_sample_value("nearmiss_fenced_total") == 1
    assert await _stored(store) == _alone(events)


async def test_a_key_that_goes_quiet_gets_its_decision_from_the_clock(store: Store) -> None:
    base = Instant(NOW - 30 * MINUTE)

    def flag(number: int, value: str, at: Instant) -> Event:
        return Event(
            id=f"f{number}",
            source="flags",
            time=at,
            kind="change.flag_set",
            service="account",
            environment="production",
            subject="new-form",
            actor=Actor("dev-1", "human"),
            labels={"flag": "new-form", "enabled": value},
        )

    await store.journal.append([flag(1, "true", base), flag(2, "false", Instant(base + 5 * MINUTE))])
    clock = ManualClock(NOW)
    seen: list[int] = []

    async def look() -> None:
        seen.append(len(await _stored(store)))
        clock.advance(30 * SECOND)

    async def much_later() -> None:
        clock.advance(3 * HOUR)

    # First the clock holds still as long as senders may repeat what they could not deliver; then hours pass.
    await _run(
        store, look, look, much_later, look, clock=clock, settings=LoopSettings(gather_seconds=0, commit_seconds=0)
    )
    assert seen == [0, 0, 1]
    assert [line["service"] for line in await _stored(store)] == ["account"]


async def test_while_it_catches_up_the_clock_decides_nothing(store: Store) -> None:
    """A backlog of days is decided by its own events: impact that stands further on in it is not overtaken."""
    events = story(NOW)
    await store.journal.append(events)
    clock = ManualClock(NOW + 24 * HOUR)
    await _run(store, clock=clock, settings=LoopSettings(gather_seconds=0, read_events=50, lateness=0))
    lines = await _stored(store)
    assert [line["state"] for line in lines] == [line["state"] for line in _alone(events)]


async def test_rejects_of_a_batch_are_kept_with_its_positions(store: Store) -> None:
    stop = asyncio.Event()
    reader = Scripted(store, stop)
    reader.rejects = (Reject("kafka/ops", str(Rejected.NOT_JSON), "no JSON", b"{", NOW),)
    metrics = Metrics()
    loop = EngineLoop(reader, store.engine_store, _engine, ManualClock(NOW), metrics, QUICK, owner="test")
    await loop.run(stop)
    assert [(kept.source, kept.body) for kept in await store.rejects.page(None, 10)] == [("kafka/ops", b"{")]
    assert metrics.registry.get_sample_value("nearmiss_events_rejected_total", {"reason": "not_json"}) == 1


class Slow(Behind):
    """A commit takes until it is let through."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.waiting = asyncio.Event()
        self.gate = asyncio.Event()

    async def commit(self, commit: Commit) -> int:
        self.waiting.set()
        await self.gate.wait()
        return await self._store.commit(commit)


class Counting(Scripted):
    """Tells when the loop has not asked for more although there is more."""

    def __init__(self, store: Store, stop: asyncio.Event) -> None:
        super().__init__(store, stop)
        self.handed = 0

    async def read(self, positions: Positions, limit: int) -> Batch:
        batch = await super().read(positions, limit)
        self.handed += len(batch.events)
        return batch


@pytest.mark.parametrize(("commit_bytes", "held"), [(1 << 30, 600), (1, 200)])
async def test_while_the_store_is_slow_reading_pauses_and_what_is_held_is_bounded(
    store: Store, commit_bytes: int, held: int
) -> None:
    events = story(NOW)
    await store.journal.append(events)
    stop = asyncio.Event()
    reader, slow = Counting(store, stop), Slow(store)
    settings = LoopSettings(gather_seconds=0, read_events=100, commit_events=200, commit_seconds=3600.0, lease=PATIENT)
    settings = msgspec.structs.replace(settings, commit_bytes=commit_bytes)
    loop = EngineLoop(reader, slow, _engine, ManualClock(NOW), Metrics(), settings, owner="test")
    async with WatchedTasks() as tasks:
        tasks.start("loop", loop.run(stop), may_end=True)
        await slow.waiting.wait()
        # One commit is on its way, and twice as much may gather behind it, or one batch where events are large; then
        # nothing more is asked for.
        handed = -1
        while handed != reader.handed or handed < held:
            handed = reader.handed
            for _ in range(1000):
                await asyncio.sleep(0)
        assert handed == held
        slow.gate.set()
        await stop.wait()
        await tasks.end(grace=30.0)
    assert await _stored(store) == _alone(events)


async def test_of_large_events_fewer_are_read_at_once(store: Store) -> None:
    await store.journal.append(story(NOW))
    sizes: list[int] = []

    class Asked(Scripted):
        async def read(self, positions: Positions, limit: int) -> Batch:
            batch = await super().read(positions, limit)
            sizes.append(batch.size)
            return batch

    stop = asyncio.Event()
    settings = msgspec.structs.replace(QUICK, read_bytes=20_000)
    loop = EngineLoop(
        Asked(store, stop), store.engine_store, _engine, ManualClock(NOW), Metrics(), settings, owner="test"
    )
    await loop.run(stop)
    assert sizes[0] > 100_000
    assert max(sizes[1:]) < 40_000


async def test_an_event_at_which_the_engine_fails_is_kept_aside_and_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = story(NOW)
    poison = next(event for event in events if event.kind == "alert.fired")
    real = Memory.add

    def add(memory: Memory, event: Event, *rest: Any) -> Added:
        kept = real(memory, event, *rest)
        if event.event_id == poison.event_id:
            raise KeyError("injected")
        return kept

    monkeypatch.setattr(Memory, "add", add)
    await store.journal.append(events)
    metrics = Metrics()
    await _run(store, metrics=metrics)
    assert await _stored(store) == _alone([event for event in events if event is not poison])
    (reject,) = await store.rejects.page(None, 10)
    assert (reject.source, reject.reason) == (poison.source, Rejected.QUARANTINED)
    assert reject.detail.endswith("KeyError: 'injected'\n")
    assert 'nearmiss_events_rejected_total{reason="quarantined"} 1.0' in metrics.render().decode()
    await _run(store)
    assert await store.rejects.count() == 1, "it is not met again"


async def test_what_a_clock_that_was_a_day_behind_took_in_is_decided_at_its_true_time(store: Store) -> None:
    events = story(NOW)
    await store.journal.append([normalise(each, Instant(each.time - DAY), 5 * MINUTE) for each in events])
    await _run(store)
    assert await _stored(store) == _alone(events)


async def test_what_was_decided_by_a_clock_that_was_behind_is_repaired_by_a_rewind(store: Store) -> None:
    """Live: a part comes, is decided, and the next one comes."""
    events, clock = story(NOW), ManualClock(Instant(story(NOW)[0].time - DAY))

    def taken_in(part: Sequence[Event]) -> Callable[[], Any]:
        clock_then = Instant(part[-1].time - DAY)

        def append() -> Any:
            clock.advance(max(0, clock_then - clock.now()))
            return store.journal.append([normalise(each, Instant(each.time - DAY), 5 * MINUTE) for each in part])

        return append

    await _run(store, *(taken_in(events[start : start + 300]) for start in range(0, len(events), 300)), clock=clock)
    expected, wrong = ({str(line["id"]): line for line in lines} for lines in (_alone(events), await _stored(store)))
    account = next(each for each, line in expected.items() if line["service"] == "account")
    assert (wrong[account]["reason"], expected[account]["reason"]) == ("impact_afterwards", "impact_in_window")
    epochs = await store.rewind.own(0)
    await store.rewind.rewind({PARTITION: 1}, events[0].time, NOW)
    await store.rewind.leave(epochs)
    await _run(store)
    assert {str(line["id"]): line for line in await _stored(store)} == expected


async def test_where_memory_ends_the_engine_goes_back_remembers_less_and_loses_nothing(store: Store) -> None:
    events, metrics = story(NOW), Metrics()
    await store.journal.append(events)
    few = LoopSettings(gather_seconds=0, lease=PATIENT, memory=3 * LEAST_MEMORY)
    await _run(store, memory=Starved(store, commits=5), settings=few, metrics=metrics)
    assert await _stored(store) == _alone(events)
    assert await store.rejects.count() == 0, "no event is to blame"
    assert metrics.registry.get_sample_value("nearmiss_out_of_memory_total") == 5
    assert metrics.registry.get_sample_value("nearmiss_engine_state_limit_bytes") == LEAST_MEMORY
