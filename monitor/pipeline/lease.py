"""The lease on one part of the journal: acquire or stand by, send heartbeats, retry what the store refuses.

While a piece of work takes longer than a heartbeat may, the lease renews itself beside it: a standby that took the part
over meanwhile would only begin with the same piece. Whether we still own it the store decides, at each commit.

Decides who may work, when to ask again and when to give up; must not know what is done with what is owned.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import TypeVar

import msgspec

from monitor.core.model.events import SECOND
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ops.tasks import Aside
from monitor.pipeline.metrics import PipelineMetrics
from monitor.ports import WHOLE, EngineStore, Fenced, Held, Saved, Unavailable

_log = get_logger("owner")
Answer = TypeVar("Answer")


class LoopState(StrEnum):
    """`standby`: another works, we take over when it ends. `paused`: what we need is unavailable and is retried."""

    STARTING = "starting"
    STANDBY = "standby"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class StartOver(Exception):
    """What was done since the last commit is worth nothing: own the part again and go on from what is committed."""


class LeaseSettings(msgspec.Struct, frozen=True):
    """Seconds. An owner that was silent for `ttl` may be replaced; it sends a heartbeat every `heartbeat`.

    `standby`: how often one that stands by asks. A killed owner is replaced within ttl + standby.
    """

    ttl: float = 6.0
    heartbeat: float = 2.0
    standby: float = 1.0
    first_retry: float = 0.1
    longest_retry: float = 5.0


class Lease:
    """One owner of one part, from acquire to release."""

    def __init__(
        self,
        store: EngineStore,
        metrics: PipelineMetrics,
        settings: LeaseSettings,
        *,
        owner: str,
        part: str = WHOLE,
        scopes: Sequence[str] = (),
        on_resumed: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_resumed` is called when work goes on that had been paused."""
        self._store = store
        self._metrics = metrics
        self._settings = settings
        self._owner = owner
        self._scopes = tuple(scopes)
        self._on_resumed = on_resumed
        self._heartbeat_at = 0.0
        self._epoch: int | None = None
        self._lost: Fenced | None = None
        self._kept: Aside[None] = Aside()
        self._away: set[str] = set()
        self.part = part
        self.state = LoopState.STARTING

    async def run(self, work: Callable[[Saved], Awaitable[None]], stop: asyncio.Event) -> None:
        """Own the part and `work` on it until the stop; an owner that was replaced stands by and starts over.

        So does one whose memory ended, after a while: to end the process would only fill it with the same again.
        """
        try:
            while not stop.is_set():
                try:
                    if (saved := await self.begin(stop)) is None:
                        return
                    self._kept.begin("lease", self._keep(saved.epoch))
                    await work(saved)
                except Fenced as error:
                    # Uncommitted work is lost; the new owner does it again.
                    self._metrics.fenced.inc()
                    _log.warning("fenced", part=self.part, why=str(error))
                except StartOver as error:
                    _log.warning("started_over", part=self.part, why=str(error))
                except MemoryError as error:
                    _log.error("out_of_memory", part=self.part, again_in=self._settings.longest_retry, why=str(error))
                    self.state = LoopState.PAUSED
                    await stopped_within(stop, self._settings.longest_retry)
                else:
                    return
                finally:
                    await self._kept.drop()
                    await self.end()
                    self._metrics.forget_part(self.part)
                # What was held is let go before as much is read again.
                saved = None
                gc.collect()
        finally:
            self.state = LoopState.STOPPED

    async def begin(self, stop: asyncio.Event) -> Saved | None:
        """Own the part, as soon as nobody else does; None when the stop came first."""
        lease = round(self._settings.ttl * SECOND)
        claim = partial(self._store.acquire, self._owner, self.part, self._scopes, lease)
        told = False
        self._heartbeat_at = _elapsed()
        while True:
            try:
                saved = await self.retry("acquire", claim, stop)
            except Held as error:
                self._heartbeat_at = _elapsed()
                if not told:
                    _log.info("standing_by", part=self.part, owner=error.owner)
                told = True
                self.state = LoopState.STANDBY
                if await stopped_within(stop, self._settings.standby):
                    return None
                continue
            if saved is not None:
                self._epoch, self._lost = saved.epoch, None
                self._heartbeat_at = _elapsed()
                self._metrics.owns(self.part, True)
            return saved

    async def heartbeat(self, stop: asyncio.Event) -> None:
        """Send a heartbeat when it is due. Raises Fenced."""
        if self._lost is not None:
            raise self._lost
        if self._epoch is not None and self.is_heartbeat_due:
            await self.retry("heartbeat", partial(self._store.heartbeat, self.part, self._epoch), stop)
            self.has_committed()

    async def _keep(self, epoch: int) -> None:
        """Send the heartbeats for which the work has no time, until they come too late or the work ends."""
        every = self._settings.heartbeat / 2
        while True:
            await asyncio.sleep(every)
            if self.silence < self._settings.heartbeat + every:
                continue
            try:
                await self._store.heartbeat(self.part, epoch)
            except (Unavailable, MemoryError) as error:
                # The work hears of it too, at its next commit, and says so.
                _log.debug("lease_not_renewed", part=self.part, why=str(error))
            except Fenced as error:
                self._lost = error
                return
            else:
                self.has_committed()

    @property
    def is_heartbeat_due(self) -> bool:
        return _elapsed() - self._heartbeat_at >= self._settings.heartbeat

    @property
    def silence(self) -> float:
        """Seconds since the store last took or answered something of ours."""
        return _elapsed() - self._heartbeat_at

    def has_committed(self) -> None:
        """A commit is a heartbeat too."""
        self._heartbeat_at = _elapsed()

    async def end(self) -> None:
        """Release the part, if the store answers; else the lease expires."""
        epoch, self._epoch = self._epoch, None
        self._metrics.owns(self.part, False)
        if epoch is None:
            return
        try:
            await self._store.release(self.part, epoch)
        except (Unavailable, MemoryError) as error:
            _log.warning("release_failed", part=self.part, why=str(error))

    async def retry(self, what: str, call: Callable[[], Awaitable[Answer]], stop: asyncio.Event) -> Answer | None:
        """Retry until it works; None when the stop came first. It is tried at least once.

        Two calls may be under way at a time, of different names: we are paused as long as either is refused.
        """
        delay = self._settings.first_retry
        try:
            while True:
                try:
                    answer = await call()
                except Unavailable as error:
                    self._metrics.store_unavailable.inc()
                    if what not in self._away:
                        _log.warning("engine_paused", part=self.part, during=what, why=str(error))
                    self._away.add(what)
                    self.state = LoopState.PAUSED
                    if await stopped_within(stop, delay):
                        return None
                    delay = min(delay * 2, self._settings.longest_retry)
                else:
                    if what in self._away:
                        _log.info("engine_resumed", part=self.part, during=what)
                        self._on_resumed()
                    if not self._away - {what}:
                        self.state = LoopState.RUNNING
                    return answer
        finally:
            self._away.discard(what)


def _elapsed() -> float:
    return asyncio.get_running_loop().time()
