"""Brings the tables to the form that this program needs, and refuses databases that are not of it.

Two histories, since records and journal may be in different files: each has its own version table, so that in one
PostgreSQL database they live side by side. Must not know what the tables are for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path

import msgspec
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from monitor.ports import NewerDatabase, OutdatedDatabase
from monitor.store.connections import Database, Locations, shown
from monitor.store.errors import translated

_HERE = Path(__file__).resolve().parent
_LOCK = 0x6E6561726D697373
"""The key of PostgreSQL's advisory lock that lets one upgrade run at a time."""


class History(StrEnum):
    """What is versioned by itself; the value names the folder of its migrations."""

    RECORDS = "records"
    JOURNAL = "journal"

    @property
    def version_table(self) -> str:
        return f"schema_version_{self}"


class Upgraded(msgspec.Struct, frozen=True):
    """One history before and after; `before` is None where there was nothing."""

    history: History
    before: str | None
    after: str


async def upgrade(url: str) -> tuple[Upgraded, ...]:
    """Create or upgrade both histories. Each commits whole or not at all; running it again changes nothing.

    Raises NewerDatabase, Unavailable, and ValueError for an address that is none.
    """
    done = []
    locations = Locations(url)
    _make_folder(locations)
    async with _opened(locations) as databases:
        for history, database in databases.items():
            # Neither is touched when one of them is newer.
            async with database.reading() as connection:
                await connection.run_sync(_versions, history, shown(database.url))
        for history, database in databases.items():
            async with database.writing() as connection:
                done.append(await connection.run_sync(_upgrade, history, shown(database.url)))
    return tuple(done)


async def check(url: str) -> None:
    """Raises NewerDatabase or OutdatedDatabase when the database is not of this program's version, or Unavailable."""
    locations = Locations(url)
    _refuse_missing_files(locations)
    async with _opened(locations) as databases:
        for history, database in databases.items():
            async with database.reading() as connection:
                before, head = await connection.run_sync(_versions, history, shown(database.url))
            if before != head:
                raise OutdatedDatabase(
                    f"the {history} in {shown(database.url)} are of version {before or 'none'}, this program needs "
                    f"{head}: run `nearmiss db upgrade`"
                )


def versions() -> dict[str, str]:
    """The version that this program needs, by history."""
    return {str(history): _head(history) for history in History}


def _make_folder(locations: Locations) -> None:
    if locations.is_sqlite:
        with translated():
            Path(locations.records.database or "").parent.mkdir(parents=True, exist_ok=True)


def _refuse_missing_files(locations: Locations) -> None:
    """To connect would create them."""
    for target in (locations.records, locations.journal):
        if locations.is_sqlite and not Path(target.database or "").exists():
            raise OutdatedDatabase(f"there is no database {shown(target)} yet: run `nearmiss db upgrade`")


@asynccontextmanager
async def _opened(locations: Locations) -> AsyncIterator[dict[History, Database]]:
    databases = {History.RECORDS: Database(locations.records), History.JOURNAL: Database(locations.journal)}
    try:
        yield databases
    finally:
        for database in databases.values():
            await database.close()


def _upgrade(connection: Connection, history: History, where: str) -> Upgraded:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    before, head = _versions(connection, history, where)
    if before != head:
        config = _config(history)
        config.attributes["connection"] = connection
        config.attributes["version_table"] = history.version_table
        command.upgrade(config, "head")
    return Upgraded(history, before, head)


def _versions(connection: Connection, history: History, where: str) -> tuple[str | None, str]:
    """The version that is there and the one that is needed. Raises NewerDatabase for one that is not known."""
    script = ScriptDirectory.from_config(_config(history))
    head = _head(history)
    found = MigrationContext.configure(connection, opts={"version_table": history.version_table}).get_current_revision()
    if found is not None and found not in {revision.revision for revision in script.walk_revisions()}:
        raise NewerDatabase(
            f"the {history} in {where} are of version {found}, made by a newer nearmiss; this one knows versions up to "
            f"{head} and leaves them alone: install the newer program, or go back to a backup"
        )
    return found, head


def _head(history: History) -> str:
    script = ScriptDirectory.from_config(_config(history))
    head = script.get_current_head()
    if head is None:
        raise LookupError(f"there are no migrations in {script.dir}: the installation is incomplete")
    return head


def _config(history: History) -> Config:
    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", _escaped(_HERE))
    config.set_main_option("version_locations", _escaped(_HERE / "versions" / history))
    return config


def _escaped(path: Path) -> str:
    """The configuration takes a percent sign for a reference."""
    return str(path).replace("%", "%%")
