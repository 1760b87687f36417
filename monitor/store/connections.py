"""One database: how to connect to it and how to begin a transaction that reads or one that writes.

Knows the differences between SQLite and PostgreSQL that concern connections, and nothing of what is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from monitor.store.errors import translated

BUSY_SECONDS = 5.0
CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0
_WRITES = "nearmiss_writes"

Insert = sqlite.Insert | postgresql.Insert


class Locations:
    """Where things are kept: the records and the journal, in two SQLite files or in one PostgreSQL database."""

    def __init__(self, url: str) -> None:
        """Raises ValueError for an address that is neither."""
        self.records = _parse(url)
        self.journal = self.records
        if self.is_sqlite:
            path = Path(self.records.database or "")
            self.journal = self.records.set(database=str(path.with_name(f"{path.stem}-journal{path.suffix}")))

    @property
    def is_sqlite(self) -> bool:
        return self.records.get_backend_name() == "sqlite"

    def __str__(self) -> str:
        return shown(self.records)


def shown(url: URL) -> str:
    """The address without driver and password, for messages."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def _parse(address: str) -> URL:
    expected = "expected sqlite:///PATH/TO/FILE.db or postgresql://USER:PASSWORD@HOST/NAME"
    try:
        url = make_url(address)
    except ArgumentError:
        raise ValueError(f"the database address cannot be read; {expected}") from None
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise ValueError(f"a database in memory would lose everything at the end; {expected}")
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            # The name that other clients of PostgreSQL use; asyncpg has another one.
            mode = url.query.get("sslmode")
            if mode is not None:
                url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
            return url.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"databases of type {other} are not supported; {expected}")


class Database:
    """Connections to one database. Close it after use."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.engine: AsyncEngine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        self._writer: AsyncEngine = self.engine.execution_options(**{_WRITES: True})
        # SQLite lets one write at a time; to queue here is fair and quick, to queue at its lock is neither.
        self._turn = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for reading. Raises Unavailable."""
        with translated():
            async with self.engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits at the end, or leaves nothing behind. Raises Unavailable."""
        with translated():
            async with AsyncExitStack() as stack:
                if self._turn is not None:
                    await stack.enter_async_context(self._turn)
                yield await stack.enter_async_context(self._writer.begin())

    async def ping(self) -> None:
        """Raises Unavailable when the database does not answer."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()

    def insert(self, table: Table) -> Any:
        """An INSERT that can say what to do on a conflict, which each database spells in its own way."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def upsert(self, table: Table, keys: Iterable[str]) -> Any:
        """An INSERT that replaces the row with the same keys."""
        keys = tuple(keys)
        insert = self.insert(table)
        rest = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
        return insert.on_conflict_do_update(index_elements=keys, set_=rest)


def _sqlite_engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url,
        # We begin transactions ourselves: the driver would begin too late, and not at all before DDL.
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        pool_size=5,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
        # What was acknowledged must survive a power cut, not only the end of the process.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that writes takes the lock at once: one that read first could not get it any more.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": COMMAND_SECONDS,
            "server_settings": {"application_name": "nearmiss"},
        },
        pool_size=5,
        max_overflow=5,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
    )
