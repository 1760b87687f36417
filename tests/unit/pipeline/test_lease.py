"""A lease in virtual time: a killed owner is replaced within ttl + standby, a living one never."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from monitor.app.metrics import Metrics
from monitor.core.model.events import SECOND
from monitor.ops.tasks import Aside
from monitor.pipeline.lease import Lease, LeaseSettings, LoopState
from monitor.ports import WHOLE, Commit, Fenced, Held, Saved, Unavailable
from tests.support.virtual_time import run_in_virtual_time

SETTINGS = LeaseSettings()


class OneRow:
    """The row of one part, by the loop's clock."""

    def __init__(self) -> None:
        self.owner, self.epoch, self.seen_at = "", 0, 0.0
        self.away = False

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        now = asyncio.get_running_loop().time()
        if self.owner not in ("", owner) and (now - self.seen_at) * SECOND < lease:
            raise Held(self.owner)
        self.owner, self.epoch, self.seen_at = owner, self.epoch + 1, now
        return Saved(cells={}, positions={}, epoch=self.epoch)

    async def heartbeat(self, part: str, epoch: int) -> None:
        if self.away:
            raise Unavailable("injected")
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


@pytest.mark.parametrize("piece", [SETTINGS.ttl - 1, SETTINGS.ttl + 1, 600.0])
def test_a_piece_of_work_that_outlasts_the_lease_keeps_it(piece: float) -> None:
    """A start, a reload or a rebuild: were it taken over, the other would begin with the same piece, and so on."""

    async def story() -> tuple[int, LoopState]:
        pair = Pair()

        async def work(_: Saved) -> None:
            pair.waiting.begin("standby", pair.standby.begin(pair.stop))
            await asyncio.sleep(piece)
            await pair.owner.heartbeat(pair.stop)
            found.append((pair.row.epoch, pair.standby.state))
            pair.stop.set()

        found: list[tuple[int, LoopState]] = []
        await pair.owner.run(work, pair.stop)
        assert await pair.waiting.result() is None
        return found[0]

    assert run_in_virtual_time(story()) == (1, LoopState.STANDBY)


def test_who_could_not_renew_during_a_piece_is_replaced_and_learns_it_at_its_end() -> None:
    async def story() -> list[tuple[str, float]]:
        pair = Pair()
        took: list[tuple[str, float]] = []

        async def stand_by(_: Saved) -> None:
            took.append(("taken over", asyncio.get_running_loop().time()))
            pair.row.away = False
            await asyncio.sleep(100)
            pair.stop.set()

        async def work(_: Saved) -> None:
            pair.waiting.begin("standby", pair.standby.run(stand_by, pair.stop))
            pair.row.away = True
            await asyncio.sleep(60)
            try:
                await pair.owner.heartbeat(pair.stop)
            except Fenced:
                took.append(("fenced", asyncio.get_running_loop().time()))
                raise

        await pair.owner.run(work, pair.stop)
        await pair.waiting.result()
        return took

    (first, at), second = run_in_virtual_time(story())
    assert first == "taken over"
    assert SETTINGS.ttl <= at <= SETTINGS.ttl + SETTINGS.standby
    assert second == ("fenced", 60)


def test_a_renewal_ends_with_the_work() -> None:
    """Who owns nothing any more must not keep the part from others."""

    async def story() -> float:
        pair = Pair()

        async def work(_: Saved) -> None:
            await asyncio.sleep(20)
            pair.stop.set()

        await pair.owner.run(work, pair.stop)
        await asyncio.sleep(60)
        return pair.row.seen_at

    assert run_in_virtual_time(story()) <= 20
