"""A call that is given up half way does all or nothing, and leaves the connections in order."""

from __future__ import annotations

import asyncio

import pytest

from monitor.core.model.decisions import Open
from monitor.core.model.near_miss import Move, State
from monitor.ops.tasks import WatchedTasks
from monitor.ports import Commit, Decide
from monitor.store.database import Store
from tests.support.records import MONDAY, draft, event


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 13, 21, 34])
async def test_a_decision_that_is_given_up_is_made_or_not(store: Store, steps: int) -> None:
    epoch = (await store.engine_store.acquire("engine")).epoch
    await store.engine_store.commit(Commit((Open(draft()),), {}, {}, epoch, MONDAY))
    async with WatchedTasks() as tasks:
        tasks.start("decision", store.near_misses.decide(Decide("nm-1", Move.ACCEPT, "reviewer", MONDAY)))
        for _ in range(steps):
            await asyncio.sleep(0)
    record = await store.near_misses.get("nm-1")
    trail = [each.action for each in await store.near_misses.audit("nm-1")]
    assert (record.state, trail) in ((State.DRAFT, ["open"]), (State.ACCEPTED, ["open", "accept"]))
    assert store.records_database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # of every queue pool
    await store.engine_store.commit(Commit((Open(draft("nm-2")),), {}, {}, epoch, MONDAY))


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 13])
async def test_a_commit_that_is_given_up_is_carried_out_or_not(store: Store, steps: int) -> None:
    epoch = (await store.engine_store.acquire("engine")).epoch
    commit = Commit((Open(draft()),), {"a": b"1"}, {"journal": 5}, epoch, MONDAY, (event("a", "note.added", 1),))
    async with WatchedTasks() as tasks:
        tasks.start("commit", store.engine_store.commit(commit))
        for _ in range(steps):
            await asyncio.sleep(0)
    saved = await store.engine_store.acquire("next")
    count = sum((await store.near_misses.counts()).values())
    assert (count, saved.cells, saved.positions) in ((0, {}, {}), (1, {"a": b"1"}, {"journal": 5}))
