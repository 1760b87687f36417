"""Moves events from the journal through the engine into one transaction, for as long as the service runs.

Decides when to commit, when to tick and when to try again; what an event means is the engine's business. Nothing that
it holds is worth anything until it is committed: after a crash it starts again from what the store has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import TypeVar

import msgspec

from monitor.core.decisions import Decision
from monitor.core.engine import Engine
from monitor.core.events import SECOND, Event, Instant
from monitor.ops.logs import get_logger
from monitor.ops.metrics import Metrics
from monitor.pipeline.tally import Tally
from monitor.ports import Clock, Commit, EngineStore, JournalReader, Reject, Saved, Unavailable

_log = get_logger("engine")
Answer = TypeVar("Answer")

MakeEngine = Callable[[Mapping[str, bytes]], Engine]
"""An engine with the loaded rules that goes on from these saved state cells."""


class LoopSettings(msgspec.Struct, frozen=True):
    """Seconds are real ones, `lateness` is in microseconds of event time.

    `slice_events` bounds how long the engine keeps the event loop from answering webhooks. For `gather_seconds` events
    may collect at the journal's head before they are read: a read for each would cost more than the engine itself.
    """

    lateness: int = 60 * SECOND
    commit_seconds: float = 0.25
    commit_events: int = 5000
    read_events: int = 1000
    slice_events: int = 100
    gather_seconds: float = 0.1
    idle_seconds: float = 0.5
    first_retry_seconds: float = 0.1
    longest_retry_seconds: float = 5.0


class LoopState(StrEnum):
    """`paused`: the store is away and is tried again; nothing is lost meanwhile."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class _Uncommitted:
    """What the engine has done since the last commit."""

    def __init__(self, positions: Mapping[str, int]) -> None:
        self.positions = dict(positions)
        self.decisions: list[Decision] = []
        self.rejects: list[Reject] = []
        self.history: list[Event] = []
        self.events = 0
        self.since: float | None = None

    @property
    def is_worth_it(self) -> bool:
        """A tick that decided nothing is not: after a crash the next tick decides the same."""
        return bool(self.events or self.decisions or self.rejects)


class EngineLoop:
    """One engine at work on one journal.

    `keeps_history`: the journal is not itself the event history, so events are committed to it here.
    """

    def __init__(
        self,
        reader: JournalReader,
        store: EngineStore,
        make_engine: MakeEngine,
        clock: Clock,
        metrics: Metrics,
        settings: LoopSettings,
        *,
        owner: str,
        keeps_history: bool = False,
    ) -> None:
        self._reader = reader
        self._store = store
        self._make_engine = make_engine
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._owner = owner
        self._keeps_history = keeps_history
        self._tally = Tally(metrics)
        self._tick_from = clock.now()
        self.state = LoopState.STARTING

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then commit what is whole and return. Raises Fenced when another took over."""
        try:
            saved = await self._insist("acquire", lambda: self._store.acquire(self._owner), stop)
            if saved is not None:
                await self._work(saved, stop)
        finally:
            self.state = LoopState.STOPPED

    async def _work(self, saved: Saved, stop: asyncio.Event) -> None:
        engine = self._make_engine(saved.cells)
        _log.info("engine_started", epoch=saved.epoch, cells=len(saved.cells), positions=saved.positions)
        done = _Uncommitted(saved.positions)
        self._hold_ticks()
        while not stop.is_set():
            now = self._clock.now()
            batch = await self._insist("read", partial(self._reader.read, done.positions, self._read_events), stop)
            if batch is None:
                break
            await self._step(engine, batch.events, done)
            done.rejects += batch.rejects
            done.positions.update(batch.positions)
            if batch.at_head and now >= self._tick_from:
                # `now` was read before the journal was, so that all of it up to then has been seen.
                done.decisions += engine.tick(Instant(now - self._settings.lateness))
            if self._is_due(done):
                if not await self._commit(engine, done, saved.epoch, stop):
                    return
                done = _Uncommitted(done.positions)
            self._show(engine, now)
            if batch.at_head:
                await self._reader.wait(self._patience(done))
                await _stopped_within(stop, self._settings.gather_seconds)
        if done.is_worth_it:
            await self._commit(engine, done, saved.epoch, stop)

    @property
    def _read_events(self) -> int:
        return self._settings.read_events

    async def _step(self, engine: Engine, events: Sequence[Event], done: _Uncommitted) -> None:
        size = self._settings.slice_events
        for start in range(0, len(events), size):
            part = events[start : start + size]
            done.decisions += engine.step(part)
            done.events += len(part)
            # Webhooks are answered between two slices.
            await asyncio.sleep(0)
        if self._keeps_history:
            done.history += events

    def _is_due(self, done: _Uncommitted) -> bool:
        if not done.is_worth_it:
            return False
        if done.since is None:
            done.since = self._elapsed()
        return (
            done.events >= self._settings.commit_events or self._elapsed() - done.since >= self._settings.commit_seconds
        )

    def _patience(self, done: _Uncommitted) -> float:
        if done.since is None:
            return self._settings.idle_seconds
        left = self._settings.commit_seconds - (self._elapsed() - done.since)
        return min(max(left, 0.0), self._settings.idle_seconds)

    async def _commit(self, engine: Engine, done: _Uncommitted, epoch: int, stop: asyncio.Event) -> bool:
        """False when the store stayed away until the stop: the next start reads the same events again."""
        commit = Commit(
            decisions=tuple(done.decisions),
            cells=engine.take_changes(),
            positions=done.positions,
            epoch=epoch,
            at=self._clock.now(),
            history=tuple(done.history),
            rejects=tuple(done.rejects),
        )
        began = self._elapsed()
        # The same commit again, not a new one: were the first after all carried out, the second changes nothing.
        committed = await self._insist("commit", partial(self._store.commit, commit), stop)
        if committed is None:
            return False
        self._metrics.commits.inc()
        self._metrics.commit_duration.observe(self._elapsed() - began)
        self._tally.count(commit, done.events, committed)
        return True

    async def _insist(self, what: str, call: Callable[[], Awaitable[Answer]], stop: asyncio.Event) -> Answer | None:
        """Try until it works; None when the stop came first. It is tried at least once."""
        delay = self._settings.first_retry_seconds
        while True:
            try:
                answer = await call()
            except Unavailable as error:
                self._metrics.store_unavailable.inc()
                if self.state is not LoopState.PAUSED:
                    _log.warning("engine_paused", during=what, why=str(error))
                self.state = LoopState.PAUSED
                if await _stopped_within(stop, delay):
                    return None
                delay = min(delay * 2, self._settings.longest_retry_seconds)
            else:
                if self.state is LoopState.PAUSED:
                    _log.info("engine_resumed", during=what)
                    self._hold_ticks()
                self.state = LoopState.RUNNING
                return answer

    def _hold_ticks(self) -> None:
        """Senders that could not deliver while we were away repeat soon: let the clock not run ahead of them."""
        self._tick_from = Instant(self._clock.now() + self._settings.lateness)

    def _show(self, engine: Engine, now: Instant) -> None:
        self._metrics.set_engine_gauges(engine.gauges())
        if (watermark := engine.watermark) is not None:
            self._metrics.watermark_timestamp.set(watermark / SECOND)
            self._metrics.watermark_lag.set((now - watermark) / SECOND)

    def _elapsed(self) -> float:
        return asyncio.get_running_loop().time()


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True
