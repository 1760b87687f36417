"""A lease in virtual time: a killed owner is replaced within ttl + standby, a living one never."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from monitor.app.metrics import Metrics
from monitor.core.model.events import SECOND
from monitor.ops.tasks import Aside
from monitor.pipeline.lease import Lease, LeaseSettings, LoopState
from monitor.ports import WHOLE, Commit, Fenced, Held, Saved
from tests.support.virtual_time import run_in_virtual_time

SETTINGS = LeaseSettings()


class OneRow:
    """The row of one part, by the loop's clock."""

    def __init__(self) -> None:
        self.owner, self.epoch, self.seen_at = "", 0, 0.0

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        now = asyncio.get_running_loop().time()
        if self.owner not in ("", owner) and (now - self.seen_at) * SECOND < lease:
            raise Held(self.owner)
        self.owner, self.epoch, self.seen_at = owner, self.epoch + 1, now
        return Saved(cells={}, positions={}, epoch=self.epoch)

    async def heartbeat(self, part: str, epoch: int) -> None:
        if epoch != self.epoch:
            raise Fenced("another took over")
        self.seen_at = asyncio.get_running_loop().time()

    async def commit(self, commit: Commit) -> int:
        raise NotImplementedError

    async def release(self, part: str, epoch: int) -> None:
        if epoch == self.epoch:
            self.owner = ""


class Pair:
    """An owner that works, and one that stands by from the beginning."""

    def __init__(self) -> None:
        self.row, self.stop = OneRow(), asyncio.Event()
        self.owner = Lease(self.row, Metrics(), SETTINGS, owner="first")
        self.standby = Lease(self.row, Metrics(), SETTINGS, owner="second")
        self.waiting: Aside[Saved | None] = Aside()

    async def work_for(self, seconds: float) -> None:
        """The first works; every half second it looks whether a heartbeat is due."""
        await self.owner.begin(self.stop)
        ends_at = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < ends_at:
            await self.owner.heartbeat(self.stop)
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("worked", [0.5, 1.0, 2.5, 7.0, 61.5])
def test_a_killed_owner_is_replaced_within_ttl_and_standby(worked: float) -> None:
    async def story() -> float:
        pair = Pair()
        await pair.work_for(0)
        pair.waiting.begin("standby", pair.standby.begin(pair.stop))
        await pair.work_for(worked)
        killed_at = asyncio.get_running_loop().time()
        await pair.waiting.result()
        return asyncio.get_running_loop().time() - killed_at

    took = run_in_virtual_time(story())
    assert SETTINGS.ttl - SETTINGS.heartbeat - 0.5 <= took <= SETTINGS.ttl + SETTINGS.standby


def test_an_owner_that_sends_heartbeats_is_never_replaced() -> None:
    async def story() -> tuple[str, LoopState]:
        pair = Pair()
        await pair.work_for(0)
        pair.waiting.begin("standby", pair.standby.begin(pair.stop))
        await pair.work_for(3600)
        found = pair.row.owner, pair.standby.state
        pair.stop.set()
        assert await pair.waiting.result() is None
        return found

    assert run_in_virtual_time(story()) == ("first", LoopState.STANDBY)


def test_a_released_part_is_taken_at_the_next_question() -> None:
    async def story() -> float:
        pair = Pair()
        await pair.work_for(0)
        pair.waiting.begin("standby", pair.standby.begin(pair.stop))
        await pair.work_for(10)
        released_at = asyncio.get_running_loop().time()
        await pair.owner.end()
        await pair.waiting.result()
        return asyncio.get_running_loop().time() - released_at

    assert run_in_virtual_time(story()) <= SETTINGS.standby
