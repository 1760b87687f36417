"""What many people decide at the same moment: one commit for all who wait, and each is whole by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from monitor.core.model.decisions import Open
from monitor.core.model.near_miss import Move, State
from monitor.ops.tasks import WatchedTasks
from monitor.ports import Commit, Decide, NotFound, Unavailable, VersionConflict
from monitor.store.access import broken_at
from monitor.store.database import Store
from tests.support.records import MONDAY, draft

NAMES = [f"nm-{number}" for number in range(20)]


async def opened(store: Store) -> None:
    epoch = (await store.engine_store.acquire("engine")).epoch
    await store.engine_store.commit(Commit(tuple(Open(draft(name)) for name in NAMES), {}, {}, epoch, MONDAY))


@contextmanager
def heard(hears: Callable[[object], None]) -> Iterator[None]:
    event.listen(Engine, "commit", hears)
    try:
        yield
    finally:
        event.remove(Engine, "commit", hears)


@contextmanager
def commits() -> Iterator[list[object]]:
    seen: list[object] = []

    def committed(connection: object) -> None:
        seen.append(connection)

    with heard(committed):
        yield seen


async def decide(store: Store, name: str, version: int | None = None) -> Any:
    return await store.near_misses.decide(Decide(name, Move.ACCEPT, "reviewer", MONDAY, version))


async def test_on_sqlite_those_who_wait_share_a_commit(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    await store.open()
    await opened(store)
    with commits() as seen:
        await asyncio.gather(*(decide(store, name) for name in NAMES))
    assert (await store.near_misses.counts())[State.ACCEPTED] == len(NAMES)
    # The first finds nobody before it; whoever comes while it writes goes with the second.
    assert len(seen) <= 3
    await store.close()


async def test_one_that_is_refused_leaves_nothing_and_the_others_stay(store: Store) -> None:
    await opened(store)
    tried = [decide(store, name, 7 if number % 3 == 1 else 1) for number, name in enumerate(NAMES)]
    found = await asyncio.gather(*tried, decide(store, "nobody"), return_exceptions=True)
    assert isinstance(found[-1], NotFound)
    for number, name in enumerate(NAMES):
        trail = [each.action for each in await store.near_misses.audit(name)]
        if number % 3 == 1:
            assert isinstance(found[number], VersionConflict), name
            assert trail == ["open"]
        else:
            assert trail == ["open", "accept"], name
    head = await store.access.head()
    assert await broken_at(store.access.chain(), head) is None
    assert head[0] == sum(number % 3 != 1 for number in range(len(NAMES)))


async def test_a_commit_that_fails_is_told_to_each_and_leaves_nothing(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    await store.open()
    await opened(store)

    def failed(_connection: object) -> None:
        raise OSError("no space left")

    with heard(failed):
        found = await asyncio.gather(*(decide(store, name) for name in NAMES), return_exceptions=True)
    assert all(isinstance(each, Unavailable) for each in found), found
    assert (await store.near_misses.counts())[State.DRAFT] == len(NAMES)
    await decide(store, NAMES[0])
    await store.close()


async def test_who_gives_up_before_the_turn_came_has_done_nothing(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    await store.open()
    await opened(store)
    database = store.records_database
    done: list[str] = []

    async def work(_connection: object, name: str) -> None:
        done.append(name)

    async with database.writing(), WatchedTasks() as tasks:
        tasks.start("given up", database.written(lambda connection: work(connection, "given up")))
        await asyncio.sleep(0)
    await database.written(lambda connection: work(connection, "next"))
    assert done == ["next"]
    await store.close()


async def test_work_that_waits_for_something_else_is_a_defect_that_is_said(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    await store.open()

    async def work(_connection: object) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="waited for something other than its connection"):
        await store.records_database.written(work)
    await store.close()
