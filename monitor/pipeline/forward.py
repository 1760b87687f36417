"""Moves events from a journal into another one, which several engines share, and lets time go on there.

Decides when to go on and until when all is told; must not know what events mean or where they are routed. An event may
be written twice, which changes nothing, and never not at all: the place in the source is committed after the events are
durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from monitor.core.model.events import SECOND, Event, Instant
from monitor.core.model.reasons import Rejected
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.pipeline.clock_skew import ClockSkewGuard
from monitor.pipeline.lease import Lease, LeaseSettings, LoopState
from monitor.pipeline.metrics import PipelineMetrics
from monitor.ports import (
    WHOLE,
    Appended,
    Batch,
    Clock,
    Commit,
    EngineStore,
    JournalReader,
    JournalWriter,
    Positions,
    Saved,
)

_log = get_logger("forward")
_READ_EVENTS = 1000
_GATHER_SECONDS = 0.05
_IDLE_SECONDS = 0.15
MARK_EVERY = SECOND // 5
"""How often engines are told that time went on: no draft opens later than this because of it."""


class SharedWriter(JournalWriter, Protocol):
    """The journal that several engines share. `newest`: the latest event time that this process has written there."""

    newest: Instant

    async def append(self, events: Sequence[Event], bodies: Sequence[bytes] = ()) -> Appended:
        """As `JournalWriter`. `bodies`: each event's JSON as `Batch` has it, which need not be written anew."""
        ...

    async def mark(self, at: Instant) -> None:
        """Say that everything up to `at` was written before. Raises Unavailable."""
        ...


class Forwarder:
    """One owner of one part of the source. While somebody else owns it, it stands by.

    At the head of the source, everything up to that moment has been carried over, and a mark says so. `lateness`
    (microseconds): after a start or a pause marks wait for so long, since senders that could not deliver repeat soon.
    """

    def __init__(
        self,
        reader: JournalReader,
        writer: SharedWriter,
        store: EngineStore,
        clock: Clock,
        metrics: PipelineMetrics,
        *,
        owner: str,
        part: str,
        lateness: int,
        settings: LeaseSettings,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._store = store
        self._clock = clock
        self._clock_guard = ClockSkewGuard(clock)
        self._metrics = metrics
        self._part = part
        self._lateness = lateness
        self._mark_from = 0
        self._lease = Lease(store, metrics, settings, owner=owner, part=part, on_resumed=self._hold_marks)

    @property
    def state(self) -> LoopState:
        return self._lease.state

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        await self._lease.run(lambda saved: self._work(saved, stop), stop)

    async def _work(self, saved: Saved, stop: asyncio.Event) -> None:
        lease, positions = self._lease, dict(saved.positions)
        self._hold_marks()
        while not stop.is_set():
            self._clock_guard.confirm(self._writer.newest)
            now = self._clock_guard.now()
            batch = await lease.retry("read", partial(self._reader.read, positions, _READ_EVENTS), stop)
            if batch is None:
                return
            if batch.events or batch.rejects or batch.positions != positions:
                if not await self._carry(batch, saved.epoch, stop):
                    return
                positions.update(batch.positions)
            await lease.heartbeat(stop)
            if batch.at_head:
                if now >= self._mark_from:
                    # `now` was read before the source was, so that all of it up to then has been carried over.
                    await lease.retry("mark", partial(self._writer.mark, now), stop)
                    self._mark_from = max(self._mark_from, now + MARK_EVERY)
                await self._reader.wait(_IDLE_SECONDS)
                await stopped_within(stop, _GATHER_SECONDS)

    def _hold_marks(self) -> None:
        self._mark_from = self._clock_guard.now() + self._lateness

    async def _carry(self, batch: Batch, epoch: int, stop: asyncio.Event) -> bool:
        """First the events, then the place after them. False when the stop came first."""
        lease = self._lease
        if await lease.retry("write", partial(self._writer.append, batch.events, batch.bodies), stop) is None:
            return False
        commit = Commit((), {}, batch.positions, epoch, self._clock.now(), rejects=batch.rejects, part=self._part)
        if await lease.retry("commit", partial(self._store.commit, commit), stop) is None:
            return False
        lease.has_committed()
        self._metrics.events_accepted.inc(len(batch.events))
        for reject in batch.rejects:
            self._metrics.events_rejected.inc(Rejected(reject.reason))
        return True


async def forward_rest(
    reader: JournalReader, writer: JournalWriter, store: EngineStore, clock: Clock, owner: str, lease: float
) -> int:
    """Write what no engine has read of a journal that is given up into the one that takes its place; how many events.

    `lease` in seconds. Raises Held while somebody works on it still, and Unavailable; what was carried until then is
    not carried again.
    """
    saved = await store.acquire(owner, WHOLE, (), round(lease * SECOND))
    positions, count = dict(saved.positions), 0
    try:
        while True:
            batch = await reader.read(positions, _READ_EVENTS)
            if batch.lost:
                _log.error("journal_gap", part=WHOLE, entries=batch.lost, before=batch.positions)
            is_empty = not (batch.events or batch.rejects)
            if is_empty and (batch.at_head or batch.positions == positions):
                return count
            await writer.append(batch.events)
            positions.update(batch.positions)
            count += len(batch.events)
            await store.commit(Commit((), {}, batch.positions, saved.epoch, clock.now(), rejects=batch.rejects))
    finally:
        await store.release(WHOLE, saved.epoch)


class NoTopics:
    """A source without anything in it: what arrives comes by webhook only, and time goes on all the same."""

    async def read(self, positions: Positions, limit: int) -> Batch:
        return Batch((), dict(positions), at_head=True)

    async def wait(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                await asyncio.Event().wait()
        except TimeoutError:
            return
