"""Databases come to the form that the program declares, whole or not at all, and newer ones are left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Inspector, MetaData, column, delete, inspect, table, update

from monitor.cli.main import run
from monitor.ports import NewerDatabase, OutdatedDatabase, Unavailable
from monitor.store.connections import Database, Locations
from monitor.store.database import open_store
from monitor.store.migrations import History, check, upgrade
from monitor.store.tables import JOURNAL, RECORDS
from tests.support.records import event
from tests.support.stores import BACKENDS


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'folder' / 'nearmiss.db'}"
    return str(request.getfixturevalue("empty_postgres_url"))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@asynccontextmanager
async def databases(url: str) -> AsyncIterator[dict[History, Database]]:
    locations = Locations(url)
    opened = {History.RECORDS: Database(locations.records), History.JOURNAL: Database(locations.journal)}
    yield opened
    for database in opened.values():
        await database.close()


def differences(connection: Connection, declared: MetaData, version_table: str) -> list[Any]:
    """What autogenerate would change, tables of the other history left out."""

    def ours(_thing: object, name: str | None, kind: str, reflected: bool, _other: object) -> bool:
        return kind != "table" or not reflected or name in declared.tables

    options = {"version_table": version_table, "include_object": ours, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), declared))


async def set_version(url: str, history: History, version: str) -> None:
    async with databases(url) as opened, opened[history].writing() as connection:
        await connection.execute(
            update(table(history.version_table, column("version_num"))).values(version_num=version)
        )


async def test_an_empty_database_becomes_what_the_tables_declare(empty_url: str) -> None:
    done = await upgrade(empty_url)
    assert [(each.history, each.before) for each in done] == [(History.RECORDS, None), (History.JOURNAL, None)]
    await check(empty_url)
    async with databases(empty_url) as opened:
        for history, declared in ((History.RECORDS, RECORDS), (History.JOURNAL, JOURNAL)):
            async with opened[history].reading() as connection:
                assert await connection.run_sync(differences, declared, history.version_table) == []


async def test_to_upgrade_again_changes_nothing(store_url: str) -> None:
    done = await upgrade(store_url)
    assert all(each.before == each.after for each in done)


async def test_upgrades_at_the_same_time_wait_for_each_other(empty_url: str) -> None:
    done = await asyncio.gather(*(upgrade(empty_url) for _ in range(3)))
    for history in range(2):
        befores = [each[history].before for each in done]
        assert befores.count(None) == 1
    await check(empty_url)


async def test_a_migration_that_fails_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head row that cannot be written stops the journal's first migration at its very end."""
    monkeypatch.setattr(
        "alembic.operations.Operations.execute", lambda *_: (_ for _ in ()).throw(RuntimeError("stopped half way"))
    )
    with pytest.raises(RuntimeError, match="stopped half way"):
        await upgrade(empty_url)
    monkeypatch.undo()

    def tables(connection: Connection) -> list[str]:
        found: Inspector = inspect(connection)
        return found.get_table_names()

    async with databases(empty_url) as opened, opened[History.RECORDS].reading() as connection:
        assert await connection.run_sync(tables) == []
    await upgrade(empty_url)
    await check(empty_url)


async def test_the_embedded_default_upgrades_itself(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a' / 'b' / 'nearmiss.db'}"
    async with open_store(url) as store:
        await store.ping()
    await check(url)
    assert names(tmp_path / "a" / "b") == {"nearmiss.db", "nearmiss-journal.db"}


@pytest.mark.postgresql
async def test_a_server_database_is_not_upgraded_by_opening_it(empty_postgres_url: str) -> None:
    with pytest.raises(OutdatedDatabase, match=r"of version none, this program needs .*: run `nearmiss db upgrade`"):
        async with open_store(empty_postgres_url):
            pass
    await upgrade(empty_postgres_url)
    async with open_store(empty_postgres_url) as store:
        await store.journal.append([event("a", "note.added", 0)])


@pytest.mark.parametrize("history", list(History))
async def test_a_newer_database_is_refused(store_url: str, history: History) -> None:
    await set_version(store_url, history, "from_the_future")
    for attempt in (upgrade, check):
        with pytest.raises(NewerDatabase, match=f"the {history} in .* of version from_the_future, made by a newer"):
            await attempt(store_url)
    with pytest.raises(NewerDatabase):
        async with open_store(store_url):
            pass


async def test_a_newer_journal_keeps_the_records_from_being_upgraded(empty_url: str) -> None:
    await upgrade(empty_url)
    await set_version(empty_url, History.JOURNAL, "from_the_future")
    async with databases(empty_url) as opened, opened[History.RECORDS].writing() as connection:
        await connection.execute(delete(table(History.RECORDS.version_table)))
    with pytest.raises(NewerDatabase, match="the journal in"):
        await upgrade(empty_url)
    with pytest.raises(OutdatedDatabase, match=r"the records in .* of version none"):
        await check(empty_url)


async def test_checking_does_not_create_files(tmp_path: Path) -> None:
    with pytest.raises(OutdatedDatabase, match="there is no database"):
        await check(f"sqlite:///{tmp_path / 'nearmiss.db'}")
    assert names(tmp_path) == set()


async def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "nearmiss.db").write_text("this is a letter, not a database " * 100, encoding="utf-8")
    with pytest.raises(Unavailable, match="the file is not a database"):
        await upgrade(f"sqlite:///{tmp_path / 'nearmiss.db'}")


def test_the_command_upgrades_and_checks(empty_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["db", "check", "--database", empty_url]) == 1
    assert "run `nearmiss db upgrade`" in capfd.readouterr().err
    assert run(["db", "upgrade", "--database", empty_url]) == 0
    assert capfd.readouterr().out.splitlines() == ["records: empty -> records_0019", "journal: empty -> journal_0002"]
    assert run(["db", "check", "--database", empty_url]) == 0
    assert capfd.readouterr().out.startswith("versions   records_0019, journal_0002: up to date\n")
    assert run(["db", "upgrade", "--database", empty_url]) == 0
    assert "nothing to do" in capfd.readouterr().out


def test_the_command_refuses_a_newer_database(store_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    asyncio.run(set_version(store_url, History.RECORDS, "from_the_future"))
    assert run(["db", "upgrade", "--database", store_url]) == 1
    told = capfd.readouterr().err
    assert told.startswith("nearmiss: the records in ")
    assert "install the newer program" in told


def test_the_command_takes_the_address_from_the_environment(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEARMISS_DATABASE", sqlite_url)
    assert run(["db", "check"]) == 0


def test_the_command_takes_the_address_from_the_configuration(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEARMISS_DATABASE", raising=False)
    config = tmp_path / "nearmiss.yaml"
    config.write_text(f"database: {sqlite_url}\n", encoding="utf-8")
    assert run(["db", "check", "--config", str(config)]) == 0


def test_the_command_names_a_wrong_address(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["db", "check", "--database", "mysql://somewhere/db"]) == 2
    assert "--database: database: expected sqlite:///PATH or postgresql://" in capfd.readouterr().err
