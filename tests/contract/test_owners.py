"""Who owns an engine's part: left alone while it shows life, replaced when it does not, and fenced from then on."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.decisions import Ignore
from monitor.ops.squeezing import Unsqueezed
from monitor.ports import Commit, Fenced, Held
from monitor.store import engine_store as sql_engine_store
from monitor.store.connections import Database
from monitor.store.database import Store
from monitor.store.not_opened import add_not_opened
from monitor.store.tables import engine_owners
from tests.support.records import BASE, MONDAY

LEASE = 60 * 1_000_000


async def test_a_living_owner_is_left_alone(store: Store, other: Store) -> None:
    saved = await store.engine_store.acquire("a", lease=LEASE)
    with pytest.raises(Held, match="a owns it"):
        await other.engine_store.acquire("b", lease=LEASE)
    await store.engine_store.heartbeat("", saved.epoch)
    await store.engine_store.commit(Commit((), {}, {"journal": 5}, saved.epoch, MONDAY))
    elsewhere = await other.engine_store.acquire("b", "events/0", lease=LEASE)
    assert elsewhere.epoch == 1
    await store.engine_store.release("", saved.epoch)
    assert (await other.engine_store.acquire("b", lease=LEASE)).epoch == saved.epoch + 1


async def test_who_was_replaced_can_neither_show_life_nor_release(store: Store, other: Store) -> None:
    saved = await store.engine_store.acquire("a", "events/0")
    newer = await other.engine_store.acquire("b", "events/0")
    with pytest.raises(Fenced):
        await store.engine_store.commit(Commit((), {}, {}, saved.epoch, MONDAY, part="events/0"))
    await store.engine_store.release("events/0", saved.epoch)
    await other.engine_store.commit(Commit((), {}, {}, newer.epoch, MONDAY, part="events/0"))


async def test_an_owner_that_shows_no_life_is_replaced(store: Store, other: Store) -> None:
    """On SQLite the system tells at once that a process is gone; elsewhere its lease has to run out."""
    saved = await store.engine_store.acquire("a", lease=LEASE)
    await store.close()
    newer = await other.engine_store.acquire("b", lease=1)
    assert newer.epoch == saved.epoch + 1


async def test_what_took_longer_than_a_lease_is_alive_at_its_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked meanwhile waits for the row: told the time of the beginning, it would take the part over."""
    ends: list[int] = []

    async def clock(connection: AsyncConnection) -> None:
        ends.append((await connection.execute(text(sql_engine_store._NOW[connection.dialect.name]))).scalar_one())

    read_cells, write_not_opened = sql_engine_store._cells, add_not_opened

    async def cells(connection: AsyncConnection) -> Unsqueezed:
        await clock(connection)
        return await read_cells(connection)

    async def not_opened(database: Database, connection: AsyncConnection, ignored: list[Ignore]) -> None:
        await clock(connection)
        await write_not_opened(database, connection, ignored)

    async def seen_at() -> int:
        async with store.records_database.reading() as connection:
            return int((await connection.execute(select(engine_owners.c.seen_at))).scalar_one())

    monkeypatch.setattr(sql_engine_store, "_cells", cells)
    monkeypatch.setattr(sql_engine_store, "add_not_opened", not_opened)
    saved = await store.engine_store.acquire("a")
    assert await seen_at() >= ends[-1]
    await store.engine_store.commit(Commit((), {}, {}, saved.epoch, BASE))
    assert await seen_at() >= ends[-1]
    assert len(ends) == 2
