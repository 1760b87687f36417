"""Moves events from the journal through the engine into one transaction, for as long as the service runs.

Decides when to commit, when to tick and when to wait; what an event means is the engine's business. Nothing that
it holds is worth anything until it is committed: after a crash it starts again from what the store has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import msgspec

from monitor.core.model.decisions import Amend, Decision, Merge, Open, Withdraw
from monitor.core.model.events import MINUTE, SECOND, Instant
from monitor.ops.logs import get_logger
from monitor.ops.sampling import Sampler
from monitor.ops.stop import stopped_within
from monitor.pipeline.commit_writer import CommitWriter
from monitor.pipeline.current_pack import Current
from monitor.pipeline.draining import draining
from monitor.pipeline.engine_guard import EngineGuard
from monitor.pipeline.engine_thread import MakeEngine, ThreadedEngine
from monitor.pipeline.lease import Lease, LeaseSettings, LoopState, StartOver
from monitor.pipeline.metrics import PipelineMetrics
from monitor.pipeline.quarantine import Quarantine
from monitor.pipeline.stated_times import StatedTimes
from monitor.pipeline.tally import Tally
from monitor.pipeline.ticks import Ticks
from monitor.pipeline.uncommitted import Uncommitted
from monitor.ports import NOT_AT_HAND, WHOLE, Batch, Clock, Commit, EngineStore, JournalReader, Saved

_log = get_logger("engine")

_SHOWN = (Open, Amend, Withdraw, Merge)
"""Decisions that somebody may be looking at: where nothing waits to be read they are written at once."""
_AHEAD = 2
"""So many times what is usually committed may gather while a commit is being written."""
_SLICE_SECONDS = 0.025
"""So long at most the other engines of this process and the lease wait, unless a single event takes longer."""


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
        self._make_engine = make_engine
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._keeps_history = keeps_history
        self._part = part
        self._ticks = Ticks(clock, settings.lateness, is_paced=is_paced)
        self._lease = Lease(
            store, metrics, settings.lease, owner=owner, part=part, scopes=scopes, on_resumed=self._ticks.hold
        )
        self._current = current
        self._pack_number = 0
        self._quarantine = Quarantine()
        self._guard = EngineGuard(self._quarantine, clock, metrics, settings.memory)
        self._writer = CommitWriter(store, self._lease, self._quarantine, metrics, Tally(metrics, Sampler(clock)))
        self._stated_times = StatedTimes(settings.future_tolerance, metrics)
        self._slice, self._read = settings.slice_events, settings.read_events

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
        self._metrics.state_limit.set(self._guard.memory)
        given = msgspec.structs.replace(saved, aside=self._quarantine.aside, memory=self._guard.memory)
        try:
            with self._guard.around(()):
                engine = await ThreadedEngine.made(self._make_engine, draining(given))
            _log.info("engine_started", part=self._part, epoch=saved.epoch, cells=cells, positions=saved.positions)
            self._ticks.hold()
            await self._go_on(engine, saved, stop)
        except MemoryError as error:
            if not self._guard.remember_less():
                raise
            raise StartOver(f"memory ended; from now on the engine remembers {self._guard.memory:,} bytes") from error
        finally:
            await self._writer.drop()

    async def _go_on(self, engine: ThreadedEngine, saved: Saved, stop: asyncio.Event) -> None:
        """Raises Fenced. While there is more to read, a commit is written while the engine goes on with what follows.

        One at a time, and what follows is bounded, so that what is held is too, however slow the store is.
        """
        done = Uncommitted(saved.positions)
        done.rejects += self._quarantine.take_rejects()
        while not stop.is_set():
            now = self._ticks.now()
            batch = await self._lease.retry("read", partial(self._reader.read, done.positions, self._most_read), stop)
            if batch is None:
                break
            if batch.lost:
                self._metrics.journal_entries_lost.inc(batch.lost)
                _log.error("journal_gap", part=self._part, entries=batch.lost, before=batch.positions)
            batch = self._quarantine.without(self._stated_times.of(batch, now))
            with self._guard.around(batch.events):
                done.decisions += await self._renewed(engine)
            await self._step(engine, batch, done, stop)
            size = batch.size or sum(map(len, batch.bodies))
            done.size += size
            if size:
                fitting = len(batch.events) * self._settings.read_bytes // size
                self._read = max(1, min(self._settings.read_events, fitting))
            done.rejects += batch.rejects
            done.positions.update(batch.positions)
            if (until := self._ticks.until(batch, now)) is not None:
                with self._guard.around(batch.events):
                    done.decisions += await engine.tick(until)
            if self._is_due(done) or (batch.at_head and any(isinstance(each, _SHOWN) for each in done.decisions)):
                if not await self._writer.is_written():
                    return
                with self._guard.around(batch.events):
                    commit = await self._commit_of(engine, done, saved.epoch)
                self._writer.begin(commit, done.events, stop)
                done = Uncommitted(done.positions)
            is_idle = batch.at_head or not (batch.events or batch.rejects)
            if is_idle and not await self._writer.is_written():
                return
            if not self._writer.is_under_way:
                await self._lease.heartbeat(stop)
            self._show(engine, now)
            self._ticks.confirm(engine.watermark)
            if is_idle:
                left = done.left(self._elapsed(), self._settings.commit_seconds, self._settings.idle_seconds)
                await self._reader.wait(left)
                await stopped_within(stop, self._settings.gather_seconds)
        if await self._writer.is_written() and done.is_worth_it:
            with self._guard.around(()):
                commit = await self._commit_of(engine, done, saved.epoch)
            await self._writer.write(commit, done.events, stop)

    @property
    def _most_read(self) -> int:
        return 1 if self._quarantine.is_careful else self._read

    async def _renewed(self, engine: ThreadedEngine) -> list[Decision]:
        """Let the engine go by the pack in force, where that is another by now; what was decided by that."""
        current = self._current
        if current is None or current.number == self._pack_number:
            return []
        self._pack_number, pack = current.number, current.pack
        decided = await engine.replace(pack)
        _log.info("engine_renewed", rules_hash=pack.rules_hash, catalogue_hash=pack.catalogue_hash)
        return decided

    async def _step(self, engine: ThreadedEngine, batch: Batch, done: Uncommitted, stop: asyncio.Event) -> None:
        events, start = batch.events, 0
        while start < len(events):
            end = start + self._slice
            part = events[start:end]
            # The engine alone: that the lease is lost is no event's fault.
            with self._guard.around(events):
                decided, took = await engine.step(part, batch.routes[start:end])
            done.decisions += decided
            done.events += len(part)
            start = end
            self._slice = slice_after(len(part), took, self._settings.slice_events)
            if not self._writer.is_under_way:
                # A batch of costly events takes longer than a lease lasts: another would take the same one over.
                await self._lease.heartbeat(stop)
        if self._keeps_history:
            done.history += events
            done.bodies += batch.bodies or (NOT_AT_HAND,) * len(events)

    def _is_due(self, done: Uncommitted) -> bool:
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
        if self._writer.is_under_way:
            # Until the store is done with what came before, more may gather: it costs less together.
            return done.events >= self._settings.commit_events * _AHEAD
        return (
            done.events >= self._settings.commit_events or self._elapsed() - done.since >= self._settings.commit_seconds
        )

    async def _commit_of(self, engine: ThreadedEngine, done: Uncommitted, epoch: int) -> Commit:
        cells, scopes = await engine.take_changes()
        return done.commit(self._part, epoch, self._clock.now(), cells, scopes)

    def _show(self, engine: ThreadedEngine, now: Instant) -> None:
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
