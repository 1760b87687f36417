"""A full disk, a locked file, a server that goes away: the store says so, keeps nothing by halves, and comes back."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, text

from monitor.core.model.decisions import Open
from monitor.core.model.events import Event
from monitor.core.model.near_miss import Move
from monitor.ports import Appended, Commit, Decide, Query, Reject, Unavailable
from monitor.store import connections
from monitor.store.connections import Database, Locations
from monitor.store.database import Store, open_store
from tests.support.postgres import PostgresServer
from tests.support.records import MONDAY, draft
from tests.support.records import event as make_event

UNLIMITED = 1_073_741_823


class Disk:
    """How large a SQLite file may become, in pages: what it has already is never taken away."""

    pages = UNLIMITED

    def fill(self) -> None:
        self.pages = 1

    def clear(self) -> None:
        self.pages = UNLIMITED


@contextmanager
def on_disk(database: Database) -> Iterator[Disk]:
    disk = Disk()

    def limit(connection: Connection) -> None:
        if connection.engine.url.database == database.url.database:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {disk.pages}")

    event.listen(Engine, "begin", limit)
    yield disk
    event.remove(Engine, "begin", limit)


def notes(prefix: str, count: int = 200) -> list[Event]:
    return [make_event(f"{prefix}-{n}", "note.added", n, title="x" * 400) for n in range(count)]


def reject() -> Reject:
    return Reject("pagerduty/acme", "not_json", "found nothing", b"x" * 100_000, MONDAY)


async def test_a_full_disk_stops_the_journal_and_loses_nothing(sqlite_url: str) -> None:
    async with open_store(sqlite_url) as store:
        with on_disk(store.journal_database) as disk:
            assert (await store.journal.append(notes("before"))).accepted == 200
            disk.fill()
            answers = await asyncio.gather(
                *(store.journal.append(notes(f"full-{n}")) for n in range(3)), return_exceptions=True
            )
            assert all(isinstance(each, Unavailable) and "the disk is full" in str(each) for each in answers)
            assert len((await store.journal.read({}, 10_000)).events) == 200
            disk.clear()
            assert (await store.journal.append(notes("full-0"))).accepted == 200
        assert len((await store.journal.read({}, 10_000)).events) == 400


async def test_a_full_disk_stops_the_engine_and_the_same_commit_works_later(sqlite_url: str) -> None:
    async with open_store(sqlite_url) as store:
        epoch = (await store.engine_store.acquire("engine")).epoch
        commit = Commit(
            (Open(draft()),), {"a": b"x" * 100_000}, {"journal": 7}, epoch, MONDAY, tuple(notes("h")), (reject(),)
        )
        with on_disk(store.records_database) as disk:
            disk.fill()
            with pytest.raises(Unavailable, match="the disk is full"):
                await store.engine_store.commit(commit)
            with pytest.raises(Unavailable, match="the disk is full"):
                await store.rejects.add([reject()])
            assert (await store.near_misses.page(Query(), None, 10)).records == ()
            disk.clear()
            await store.engine_store.commit(commit)
        assert len(await store.near_misses.audit("nm-1")) == 1
        assert await store.rejects.count() == 1
        saved = await store.engine_store.acquire("engine")
        assert (saved.positions, len(saved.cells["a"])) == ({"journal": 7}, 100_000)


async def test_a_file_that_somebody_locked_is_waited_for_and_then_named(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    async with open_store(sqlite_url) as store:
        with closing(sqlite3.connect(tmp_path / "nearmiss-journal.db", isolation_level=None)) as greedy:
            greedy.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable, match="the database is locked by another program"):
                await store.journal.append(notes("a", 1))
            assert (await store.journal.read({}, 10)).events == ()
            greedy.execute("ROLLBACK")
        assert await store.journal.append(notes("a", 1)) == Appended((True,))


async def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"the database cannot be opened: .*file"):
        async with open_store(f"sqlite:///{tmp_path / 'file' / 'nearmiss.db'}"):
            pass
    with pytest.raises(Unavailable, match="the database file cannot be opened"):
        async with open_store(f"sqlite:///{tmp_path}"):
            pass


async def everything(store: Store) -> list[Callable[[], Awaitable[object]]]:
    """One call of every port."""
    epoch = (await store.engine_store.acquire("engine")).epoch
    await store.engine_store.commit(Commit((Open(draft()),), {}, {}, epoch, MONDAY))
    return [
        store.ping,
        lambda: store.journal.append(notes("a", 1)),
        lambda: store.journal.read({}, 10),
        lambda: store.engine_store.commit(Commit((Open(draft("nm-2")),), {}, {}, epoch, MONDAY)),
        lambda: store.near_misses.page(Query(), None, 10),
        lambda: store.near_misses.get("nm-1"),
        lambda: store.near_misses.decide(Decide("nm-1", Move.ACCEPT, "reviewer", MONDAY)),
        lambda: store.near_misses.comment("nm-1", "reviewer", "hello", MONDAY),
        store.near_misses.counts,
        lambda: store.rejects.add([reject()]),
        store.rejects.count,
        lambda: store.not_opened.recent(1),
    ]


@pytest.mark.postgresql
async def test_a_server_that_goes_away_and_comes_back(postgres_server: PostgresServer, postgres_url: str) -> None:
    async with open_store(postgres_url) as store:
        calls = await everything(store)
        await store.journal.append(notes("before"))
        postgres_server.stop()
        try:
            for call in calls:
                with pytest.raises(Unavailable):
                    await call()
            with pytest.raises(Unavailable, match="the database cannot be reached"):
                async with open_store(postgres_url):
                    pass
        finally:
            postgres_server.start()
        for call in calls:
            await call()
        assert len((await store.journal.read({}, 10_000)).events) == 201
        assert len(await store.near_misses.audit("nm-1")) == 3


@pytest.mark.postgresql
async def test_connections_that_were_cut_are_made_anew(postgres_url: str) -> None:
    async with open_store(postgres_url) as store, open_store(postgres_url) as other:
        calls = await everything(store)
        async with other.records_database.reading() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        for call in calls:
            await call()


@pytest.mark.postgresql
async def test_a_connection_that_is_cut_amid_a_transaction_keeps_nothing(postgres_url: str) -> None:
    async with open_store(postgres_url) as store:
        epoch = (await store.engine_store.acquire("engine")).epoch
        with pytest.raises(Unavailable):
            async with store.records_database.writing() as connection:
                await connection.execute(text("UPDATE engine_owners SET epoch = epoch + 1"))
                await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        await store.engine_store.commit(Commit((), {}, {}, epoch, MONDAY))


@pytest.mark.postgresql
async def test_a_login_that_is_refused_is_named_without_its_password(postgres_url: str) -> None:
    wrong = postgres_url.replace("nearmiss@", "nobody-there:hunter2@")
    with pytest.raises(Unavailable, match=r"the database refuses the login \(role") as refused:
        async with open_store(wrong):
            pass
    assert "hunter2" not in str(refused.value)


@pytest.mark.postgresql
async def test_a_client_that_falls_silent_in_a_transaction_keeps_no_locks(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does that the network has swallowed: whoever takes over from it has to get its row."""
    monkeypatch.setattr(connections, "MANNERS", connections.MANNERS.replace("'10s'", "'100ms'"))
    async with open_store(postgres_url) as silent, open_store(postgres_url) as other:
        await silent.engine_store.acquire("silent", "part")
        database = Database(Locations(postgres_url).records)
        with pytest.raises(Unavailable):
            async with database.writing() as connection:
                await connection.execute(text("SELECT * FROM engine_owners FOR UPDATE"))
                taken = await other.engine_store.acquire("other", "part")
                await connection.execute(text("SELECT 1"))
        await database.close()
    assert taken.epoch == 2


async def test_where_there_is_no_memory_for_a_thread_the_store_is_away_for_that_moment(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection of the asynchronous driver has one."""

    def lacking(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    async with open_store(sqlite_url) as store:
        await store.records_database.engine.dispose()
        monkeypatch.setattr(threading, "_start_new_thread", lacking)
        with pytest.raises(Unavailable, match="no memory for another connection"):
            await store.near_misses.counts()
        monkeypatch.undo()
        assert sum((await store.near_misses.counts()).values()) == 0


@pytest.mark.postgresql
async def test_only_connections_that_were_idle_are_asked_whether_they_live(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(postgres_url) as store:
        dialect = store.records_database.engine.dialect
        asked: list[object] = []

        def dead(connection: object) -> bool:
            asked.append(connection)
            raise dialect.loaded_dbapi.InterfaceError("no answer")

        monkeypatch.setattr(dialect, "do_ping", dead)
        monkeypatch.setattr(connections, "TRUSTED_SECONDS", 1e9)
        await store.ping()
        await store.ping()
        assert asked == []
        monkeypatch.setattr(connections, "TRUSTED_SECONDS", 0.0)
        # One that does not answer is replaced, and the request does not notice.
        await store.ping()
        assert len(asked) == 1
