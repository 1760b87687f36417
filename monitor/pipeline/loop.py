"""Moves events from the journal through the engine into one transaction, for as long as the service runs.

Decides when to commit, when to tick and when to wait; what an event means is the engine's business. Nothing that
it holds is worth anything until it is committed: after a crash it starts again from what the store has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec

from monitor.core.deciding.engine import Engine
from monitor.core.model.decisions import Amend, Decision, Merge, Open, Withdraw
from monitor.core.model.events import MINUTE, SECOND, Event, Instant, to_text
from monitor.core.model.faults import memory_ended
from monitor.core.sharding.routing import Route
from monitor.core.sharding.shards import Shards
from monitor.core.state.cells import StateError
from monitor.decode.restate import Restating
from monitor.ops.logs import get_logger
from monitor.ops.sampling import Sampler
from monitor.ops.side_thread import Beside
from monitor.ops.stop import stopped_within
from monitor.ops.tasks import Aside
from monitor.pipeline.clock_skew import ClockSkewGuard
from monitor.pipeline.current_pack import Current
from monitor.pipeline.draining import draining
from monitor.pipeline.lease import Lease, LeaseSettings, LoopState, StartOver
from monitor.pipeline.metrics import PipelineMetrics
from monitor.pipeline.quarantine import Quarantine
from monitor.pipeline.tally import Tally
from monitor.ports import NOT_AT_HAND, WHOLE, Batch, Clock, Commit, EngineStore, JournalReader, Reject, Saved

__all__ = ["EngineLoop", "LoopSettings", "LoopState", "MakeEngine"]
_log = get_logger("engine")

_SHOWN = (Open, Amend, Withdraw, Merge)
"""Decisions that somebody may be looking at: where nothing waits to be read they are written at once."""
_AHEAD = 2
"""So many times what is usually committed may gather while a commit is being written."""
_SLICE_SECONDS = 0.025
"""So long at most the other engines of this process and the lease wait, unless a single event takes longer."""
_ENGINES = Beside("engine")
"""Where engines work, one at a time. In the event loop a slice would let everybody wait; on a machine without a free
core, or while a body is read in a thread, for ten times as long as it takes by itself."""
LEAST_MEMORY = 16 * 1024**2
MakeEngine = Callable[[Saved], Engine | Shards]
"""An engine with the loaded rules that goes on from what was saved: one for everything, or those of a part's shards."""


class LoopSettings(msgspec.Struct, frozen=True):
    """Seconds are real ones, `lateness` is in microseconds of event time.

    `slice_events`: so many events at most the engine takes before the lease is looked at; fewer where each takes long.
    For `gather_seconds` events may collect at the journal's head before they are read: a read for each would cost more
    than the engine itself. `read_bytes`, `commit_bytes`: so much of events is read at once, and waits for a commit, or
    hardly more: it takes memory beside the budget. `memory`: bytes that the engine may remember; halved each time that
    memory ends, down to `LEAST_MEMORY`.
    """

    lateness: int = 60 * SECOND
    future_tolerance: int = 5 * MINUTE
    commit_seconds: float = 0.25
    commit_events: int = 5000
    commit_bytes: int = 16 * 1024**2
    read_bytes: int = 8 * 1024**2
    read_events: int = 1000
    slice_events: int = 100
    gather_seconds: float = 0.1
    idle_seconds: float = 0.25
    lease: LeaseSettings = LeaseSettings()
    memory: int = 1024**3


class _Uncommitted:
    """What the engine has done since the last commit."""

    def __init__(self, positions: Mapping[str, int]) -> None:
        self.positions = dict(positions)
        self.began_at = dict(positions)
        self.decisions: list[Decision] = []
        self.rejects: list[Reject] = []
        self.history: list[Event] = []
        self.bodies: list[bytes] = []
        self.events = 0
        self.size = 0
        self.since: float | None = None

    @property
    def is_worth_it(self) -> bool:
        """A tick that decided nothing is not: after a crash the next tick decides the same."""
        return bool(self.events or self.decisions or self.rejects)


class EngineLoop:
    """One engine at work on one journal, or the engines of one part of it.

    `keeps_history`: the journal is not itself the event history, so events are committed to it here. `part` and
    `scopes` are what is owned; while somebody else owns it, the loop stands by. `current`: the
    rules and the catalogue to go by, which may be replaced between two batches; `make_engine` goes by it too.
    `is_paced`: marks in the journal let time go on, not the clock: the head of a journal that somebody else fills is no
    proof that nothing older will come.
    """

    def __init__(
        self,
        reader: JournalReader,
        store: EngineStore,
        make_engine: MakeEngine,
        clock: Clock,
        metrics: PipelineMetrics,
        settings: LoopSettings,
        *,
        owner: str,
        keeps_history: bool = False,
        part: str = WHOLE,
        scopes: Sequence[str] = (),
        current: Current | None = None,
        is_paced: bool = False,
    ) -> None:
        self._reader = reader
        self._store = store
        self._make_engine = make_engine
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._keeps_history = keeps_history
        self._part = part
        self._is_paced = is_paced
        self._lease = Lease(
            store, metrics, settings.lease, owner=owner, part=part, scopes=scopes, on_resumed=self._hold_ticks
        )
        self._current = current
        self._pack_number = 0
        self._tally = Tally(metrics, Sampler(clock))
        self._writing: Aside[bool] = Aside()
        self._clock_guard = ClockSkewGuard(clock)
        self._quarantine = Quarantine()
        self._restating = Restating(settings.future_tolerance)
        self._tick_from = clock.now()
        self._slice, self._read = settings.slice_events, settings.read_events
        self._memory = settings.memory

    @property
    def state(self) -> LoopState:
        return self._lease.state

    @property
    def silence(self) -> float:
        """Seconds since the store last took or answered something of ours."""
        return self._lease.silence

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then commit what is whole and return; stand by while somebody else works."""
        await self._lease.run(lambda saved: self._work(saved, stop), stop)

    async def _work(self, saved: Saved, stop: asyncio.Event) -> None:
        self._pack_number = self._current.number if self._current is not None else 0
        cells = len(saved.cells) + sum(len(cells) for cells in saved.scopes.values())
        self._metrics.state_limit.set(self._memory)
        given = msgspec.structs.replace(saved, aside=self._quarantine.aside, memory=self._memory)
        try:
            with self._guarded(()):
                engine = await _ENGINES.do(self._make_engine, draining(given))
            _log.info("engine_started", part=self._part, epoch=saved.epoch, cells=cells, positions=saved.positions)
            self._hold_ticks()
            await self._go_on(engine, saved, stop)
        except MemoryError as error:
            self._metrics.out_of_memory.inc()
            if self._memory <= LEAST_MEMORY:
                raise
            self._memory = max(self._memory // 2, LEAST_MEMORY)
            raise StartOver(f"memory ended; from now on the engine remembers {self._memory:,} bytes") from error
        finally:
            await self._writing.drop()

    async def _go_on(self, engine: Engine | Shards, saved: Saved, stop: asyncio.Event) -> None:
        """Raises Fenced. While there is more to read, a commit is written while the engine goes on with what follows.

        One at a time, and what follows is bounded, so that what is held is too, however slow the store is.
        """
        done = _Uncommitted(saved.positions)
        done.rejects += self._quarantine.take_rejects()
        while not stop.is_set():
            now = self._clock_guard.now()
            batch = await self._lease.retry("read", partial(self._reader.read, done.positions, self._most_read), stop)
            if batch is None:
                break
            if batch.lost:
                self._metrics.journal_entries_lost.inc(batch.lost)
                _log.error("journal_gap", part=self._part, entries=batch.lost, before=batch.positions)
            batch = self._quarantine.without(self._restated(batch, now))
            with self._guarded(batch.events):
                done.decisions += await self._renewed(engine)
            await self._step(engine, batch, done, stop)
            size = batch.size or sum(map(len, batch.bodies))
            done.size += size
            if size:
                fitting = len(batch.events) * self._settings.read_bytes // size
                self._read = max(1, min(self._settings.read_events, fitting))
            done.rejects += batch.rejects
            done.positions.update(batch.positions)
            # `now` was read before the journal was, so that all of it up to then has been seen.
            by_clock = now if batch.at_head and now >= self._tick_from else None
            if (until := batch.clock if self._is_paced else by_clock) is not None:
                with self._guarded(batch.events):
                    done.decisions += await _ENGINES.do(engine.tick, Instant(until - self._settings.lateness))
            if self._is_due(done) or (batch.at_head and any(isinstance(each, _SHOWN) for each in done.decisions)):
                if not await self._is_written():
                    return
                with self._guarded(batch.events):
                    commit = await self._commit_of(engine, done, saved.epoch)
                self._writing.begin("commit", self._write(commit, done.events, stop))
                done = _Uncommitted(done.positions)
            is_idle = batch.at_head or not (batch.events or batch.rejects)
            if is_idle and not await self._is_written():
                return
            if not self._writing.is_under_way:
                await self._lease.heartbeat(stop)
            self._show(engine, now)
            if engine.watermark is not None:
                self._clock_guard.confirm(engine.watermark + self._settings.lateness)
            if is_idle:
                await self._reader.wait(self._patience(done))
                await stopped_within(stop, self._settings.gather_seconds)
        if await self._is_written() and done.is_worth_it:
            with self._guarded(()):
                commit = await self._commit_of(engine, done, saved.epoch)
            await self._write(commit, done.events, stop)

    def _restated(self, batch: Batch, now: Instant) -> Batch:
        """The batch with the times that were capped only since our clock was behind then."""
        if (kept := self._restating.overdue(now)) is not None:
            since = to_text(kept.since)
            _log.error(
                "times_capped_by_our_clock", events=kept.count, since=since, cure=f"nearmiss rewind --to {since}"
            )
            self._metrics.capped_by_our_clock.inc(kept.count)
        if not (found := self._restating.correct(batch.events, now)):
            return batch
        events = tuple(found.get(place, event) for place, event in enumerate(batch.events))
        bodies = tuple(NOT_AT_HAND if place in found else body for place, body in enumerate(batch.bodies))
        return msgspec.structs.replace(batch, events=events, bodies=bodies)

    @contextmanager
    def _guarded(self, batch: Sequence[Event]) -> Iterator[None]:
        """Whatever the engine fails at is put aside. Raises StartOver, for the rest to go on from the last commit.

        Where nothing can be blamed the error goes through: it is no event's fault. Where memory ends nothing is blamed
        as long as the engine could remember less. Raises MemoryError.
        """
        try:
            yield
        except StateError:
            raise
        except Exception as error:
            no_memory = memory_ended(error)
            could_shrink = no_memory and self._memory > LEAST_MEMORY
            if not could_shrink and self._quarantine.blame(error, batch, self._clock.now()):
                raise StartOver(str(error)) from error
            if no_memory:
                raise MemoryError(str(error)) from error
            raise

    @property
    def _most_read(self) -> int:
        return 1 if self._quarantine.is_careful else self._read

    async def _is_written(self) -> bool:
        """False when the last commit did not come through until the stop: the next start reads the same events again.

        Raises Fenced.
        """
        return await self._writing.result() is not False

    async def _renewed(self, engine: Engine | Shards) -> list[Decision]:
        """Let the engine go by the pack in force, where that is another by now; what was decided by that."""
        current = self._current
        if current is None or current.number == self._pack_number:
            return []
        self._pack_number, pack = current.number, current.pack
        decided = await _ENGINES.do(engine.replace, pack.rules, pack.catalogue, pack.compiled, pack.weights)
        _log.info("engine_renewed", rules_hash=pack.rules_hash, catalogue_hash=pack.catalogue_hash)
        return decided

    async def _step(self, engine: Engine | Shards, batch: Batch, done: _Uncommitted, stop: asyncio.Event) -> None:
        events, start, elapsed = batch.events, 0, asyncio.get_running_loop().time

        def step(part: Sequence[Event], routes: Sequence[Route]) -> tuple[list[Decision], float]:
            # The engine's time alone: how long the event loop was busy is no reason for a smaller slice.
            began = elapsed()
            decided = engine.step(part, routes) if isinstance(engine, Shards) else engine.step(part)
            return decided, elapsed() - began

        while start < len(events):
            end = start + self._slice
            part = events[start:end]
            # The engine alone: that the lease is lost is no event's fault.
            with self._guarded(events):
                decided, took = await _ENGINES.do(step, part, batch.routes[start:end])
            done.decisions += decided
            done.events += len(part)
            start = end
            self._slice = slice_after(len(part), took, self._settings.slice_events)
            if not self._writing.is_under_way:
                # A batch of costly events takes longer than a lease lasts: another would take the same one over.
                await self._lease.heartbeat(stop)
        if self._keeps_history:
            done.history += events
            done.bodies += batch.bodies or (NOT_AT_HAND,) * len(events)

    def _is_due(self, done: _Uncommitted) -> bool:
        if not done.is_worth_it:
            # Where to go on, for whoever looks at the lag, instead of a heartbeat.
            return self._lease.is_heartbeat_due and done.positions != done.began_at
        if done.since is None:
            done.since = self._elapsed()
        if self._quarantine.is_careful:
            return True
        if done.size >= self._settings.commit_bytes:
            # Large events are not gathered, however slow the store is.
            return True
        if self._writing.is_under_way:
            # Until the store is done with what came before, more may gather: it costs less together.
            return done.events >= self._settings.commit_events * _AHEAD
        return (
            done.events >= self._settings.commit_events or self._elapsed() - done.since >= self._settings.commit_seconds
        )

    def _patience(self, done: _Uncommitted) -> float:
        if done.since is None:
            return self._settings.idle_seconds
        left = self._settings.commit_seconds - (self._elapsed() - done.since)
        return min(max(left, 0.0), self._settings.idle_seconds)

    async def _commit_of(self, engine: Engine | Shards, done: _Uncommitted, epoch: int) -> Commit:
        return Commit(
            decisions=tuple(done.decisions),
            cells={} if isinstance(engine, Shards) else await _ENGINES.do(engine.take_changes),
            scopes=await _ENGINES.do(engine.take_changes) if isinstance(engine, Shards) else {},
            part=self._part,
            positions=dict(done.positions),
            epoch=epoch,
            at=self._clock.now(),
            history=tuple(done.history),
            bodies=tuple(done.bodies),
            rejects=tuple(done.rejects),
        )

    async def _write(self, commit: Commit, events: int, stop: asyncio.Event) -> bool:
        """False when the store stayed away until the stop. Raises Fenced."""
        began = self._elapsed()
        # The same commit again, not a new one: were the first after all carried out, the second changes nothing.
        committed = await self._lease.retry("commit", partial(self._store.commit, commit), stop)
        if committed is None:
            return False
        self._lease.has_committed()
        self._quarantine.is_kept(commit.rejects)
        self._metrics.commits.inc()
        self._metrics.commit_duration.observe(self._elapsed() - began)
        self._tally.count(commit, events, committed)
        return True

    def _hold_ticks(self) -> None:
        """Senders that could not deliver while we were away repeat soon: let the clock not run ahead of them."""
        self._tick_from = Instant(self._clock_guard.now() + self._settings.lateness)

    def _show(self, engine: Engine | Shards, now: Instant) -> None:
        self._metrics.set_engine_gauges(engine.gauges(), self._part)
        if (watermark := engine.watermark) is not None:
            self._metrics.set_watermark(watermark / SECOND, now / SECOND, self._part)

    def _elapsed(self) -> float:
        return asyncio.get_running_loop().time()


def slice_after(size: int, seconds: float, most: int) -> int:
    """How many events the engine shall take next, after it took `seconds` for so many: 1 to `most`."""
    fitting = size * _SLICE_SECONDS / seconds if seconds > 0 else most
    # Twice as many at most: what comes next may be of the costly ones again.
    return max(1, min(most, 2 * size, int(fitting)))
