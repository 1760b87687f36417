"""One database: how to connect to it and how to begin a transaction that reads or one that writes.

Knows the differences between SQLite and PostgreSQL that concern connections, and nothing of what is stored.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import asyncpg  # type: ignore[import-untyped]  # comes without types
from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from monitor.ops.tasks import to_the_end
from monitor.ports import Unavailable
from monitor.store.errors import translated

BUSY_SECONDS = 5.0
CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0
GONE_SECONDS = 10
"""After so long without a statement the server ends a client's transaction, and releases its locks."""
TRUSTED_SECONDS = 1.0
"""So long a connection that was used is taken for alive without asking."""
WRITERS = 4
"""People's decisions that are written at the same moment, on PostgreSQL. All of them wait for one row, the head of the
chained log; more would take the connections by which others read."""
ANNOUNCES = "nearmiss_announces"
"""Marks a transaction whose changes of records are to be sent to chats."""
_BEGIN = "nearmiss_begin"
"""Names how a transaction begins on SQLite."""
_TO_READ = "BEGIN"
# A transaction that writes takes the lock at once: one that read first could not get it any more.
_TO_WRITE = "BEGIN IMMEDIATE"
_NOT_AT_ALL = ""
_THREADS = ("read", "long", "write")
"""What the threads of SQLite are for."""
_USED_AT = "nearmiss_used_at"

Result = TypeVar("Result")


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
            return url.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"databases of type {other} are not supported; {expected}")


class Database:
    """Connections to one database. Close it after use."""

    def __init__(self, url: URL, *, announces: bool = False) -> None:
        """`announces`: whether changes of records are written to the outbox."""
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._closed = False
        self._whose = (url.username or "", (url.database or "") if self.is_sqlite else "")
        self.engine: AsyncEngine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        self._writer: AsyncEngine = self.engine.execution_options(**{_BEGIN: _TO_WRITE, ANNOUNCES: announces})
        # SQLite lets one write at a time; to queue here is fair and quick, to queue at its lock is neither.
        self._turn = asyncio.Lock() if self.is_sqlite else None
        self._each_by_itself = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._written_at_once = asyncio.Semaphore(WRITERS)
        self._waiting: list[_Waiting] = []
        self._threads = (
            {
                task: _SqliteThread(url, writes=task == "write", announces=announces)
                for task in ("read", "long", "write")
            }
            if self.is_sqlite
            else {}
        )

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for reading. Raises Unavailable."""
        self._check_open()
        with translated(*self._whose):
            async with self.engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits at the end, or leaves nothing behind. Raises Unavailable."""
        self._check_open()
        with translated(*self._whose):
            async with AsyncExitStack() as stack:
                if self._turn is not None:
                    await stack.enter_async_context(self._turn)
                yield await stack.enter_async_context(self._writer.begin())

    async def read_at_once(self, work: Callable[[Connection], Result], *, takes_long: bool = False) -> Result:
        """Like `reading`, for work that runs often: on SQLite one change of thread instead of a dozen.

        `takes_long`: on a thread of its own, since what is asked at every click waits for the other one.
        """
        if self.is_sqlite:
            self._check_open()
            with translated(*self._whose):
                return await self._threads["long" if takes_long else "read"].run(work)
        self._check_open()
        with translated(*self._whose):
            # Each statement sees what is committed when it begins, within a transaction and without one.
            async with self._each_by_itself.connect() as connection:
                return await connection.run_sync(work)

    async def write_at_once(self, work: Callable[[Connection], Result]) -> Result:
        """Like `writing`, for work that runs often."""
        if self._turn is not None:
            self._check_open()
            with translated(*self._whose):
                async with self._turn:
                    return await self._threads["write"].run(work)
        async with self.writing() as connection:
            return await connection.run_sync(work)

    async def written(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, Result]]) -> Result:
        """Like `write_at_once`, for what many people do at the same moment: on SQLite one commit for all who wait.

        Each is whole by itself: what one raises takes back what that one wrote, and nothing of the others.
        """
        if self._turn is None:
            async with self._written_at_once, self.writing() as connection:
                return await work(connection)
        self._check_open()
        mine = _Waiting(work)
        self._waiting.append(mine)
        with translated(*self._whose):
            try:
                async with self._turn:
                    if mine.outcome is None:
                        await self._write_together()
            except asyncio.CancelledError:
                if mine in self._waiting:
                    self._waiting.remove(mine)
                raise
            return cast("Result", mine.result())

    @to_the_end
    async def _write_together(self) -> None:
        together, self._waiting = self._waiting, []
        try:
            outcomes = await self._threads["write"].run(partial(_write, [each.work for each in together]))
        except Exception as error:  # noqa: BLE001 -- raised again by each who waits
            outcomes = [(None, error) for _ in together]
        for each, outcome in zip(together, outcomes, strict=True):
            each.outcome = outcome

    async def checkpoint(self) -> None:
        """Move what the write-ahead log holds into the file itself, as far as nobody reads what was before it.

        For who wrote much. SQLite does it within whichever commit fills the log, and all who want to write wait for
        that; for this nobody waits. PostgreSQL has a process of its own for it. Raises Unavailable.
        """
        if not self.is_sqlite:
            return
        self._check_open()
        with translated(*self._whose):
            async with self.engine.execution_options(**{_BEGIN: _NOT_AT_ALL}).connect() as connection:
                await connection.execute(text("PRAGMA wal_checkpoint(PASSIVE)"))

    async def ping(self) -> None:
        """Raises Unavailable when the database does not answer."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections; later calls raise Unavailable. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        await self.engine.dispose()
        for thread in self._threads.values():
            await thread.close()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the database is closed")

    def insert(self, table: Table) -> Any:
        """An INSERT that can say what to do on a conflict, which each database spells in its own way."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def upsert(self, table: Table, keys: Iterable[str]) -> Any:
        """An INSERT that replaces the row with the same keys."""
        keys = tuple(keys)
        insert = self.insert(table)
        rest = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
        return insert.on_conflict_do_update(index_elements=keys, set_=rest)


class _SqliteThread:
    """A thread with a connection of its own, which carries whole transactions out.

    The asynchronous driver changes threads for every call, some twelve times in a transaction. Where a transaction is
    short and frequent these changes are most of its cost, and on a busy machine nearly all of its latency.
    """

    def __init__(self, url: URL, *, writes: bool, announces: bool) -> None:
        self._engine: Engine = create_engine(
            url.set(drivername="sqlite+pysqlite"), pool_size=1, max_overflow=0, **_sqlite_options()
        )
        _listen(self._engine)
        begin = _TO_WRITE if writes else _TO_READ
        self._bound = self._engine.execution_options(**{_BEGIN: begin, ANNOUNCES: announces})
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._transaction, work)

    def _transaction(self, work: Callable[[Connection], Result]) -> Result:
        with self._bound.begin() as connection:
            return work(connection)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, self._engine.dispose)
        self._executor.shutdown()


class _AtOnce:
    """A connection that has its answer when it is asked, for work that would wait for it."""

    def __init__(self, connection: Connection) -> None:
        self.sync_connection = connection

    async def execute(self, *statement: Any) -> Any:
        return self.sync_connection.execute(*statement)


_Outcome = tuple[Any, Exception | None]
"""What work gave, or the error that it raised."""


class _Waiting:
    """Work that waits for its turn. Its outcome is known once it is committed or rolled back."""

    def __init__(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, Any]]) -> None:
        self.work = work
        self.outcome: _Outcome | None = None

    def result(self) -> Any:
        """Raises what the work raised."""
        assert self.outcome is not None
        given, error = self.outcome
        if error is not None:
            raise error
        return given


def _write(
    together: Sequence[Callable[[AsyncConnection], Coroutine[Any, Any, Any]]], connection: Connection
) -> list[_Outcome]:
    if len(together) == 1:
        # What it raises takes back the whole transaction, which is its own.
        return [(_to_its_end(together[0](cast("AsyncConnection", _AtOnce(connection)))), None)]
    outcomes: list[_Outcome] = []
    for work in together:
        part = connection.begin_nested()
        try:
            outcomes.append((_to_its_end(work(cast("AsyncConnection", _AtOnce(connection)))), None))
        except Exception as error:  # noqa: BLE001 -- raised again by whoever waits for it
            part.rollback()
            outcomes.append((None, error))
        else:
            part.commit()
    return outcomes


def _to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    """What the work gives. It waits for nothing but its connection, which never lets it wait."""
    try:
        work.send(None)
    except StopIteration as end:
        return cast("Result", end.value)
    work.close()
    raise RuntimeError("work within a transaction waited for something other than its connection")


_MODE_TRIES = 50


def _sqlite_engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=5, max_overflow=0, pool_timeout=CONNECT_SECONDS, **_sqlite_options())
    _listen(engine.sync_engine)
    return engine


def _sqlite_options() -> dict[str, Any]:
    # We begin transactions ourselves: the driver would begin too late, and not at all before DDL.
    return {"connect_args": {"timeout": BUSY_SECONDS, "isolation_level": None}}


def _listen(engine: Engine) -> None:
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    try:
        _write_ahead(cursor)
        # What was acknowledged must survive a power cut, not only the end of the process.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Let readers go on during a write; a property of the file, set by the first process that opens it.

    Several that open a new file at once can wait for each other; so each releases its lock and asks again, often.
    """
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000 / _MODE_TRIES:.0f}")
    for left in reversed(range(_MODE_TRIES)):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not left or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        else:
            break
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")


def _begin_sqlite(connection: Connection) -> None:
    if begin := connection.get_execution_options().get(_BEGIN, _TO_READ):
        connection.exec_driver_sql(begin)


def _postgresql_engine(url: URL) -> AsyncEngine:
    # asyncpg reads the address itself, and so knows all that other clients write there, such as `sslmode`.
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    engine = create_async_engine(
        url,
        async_creator=partial(_connect, address),
        pool_size=5,
        max_overflow=5,
        pool_timeout=CONNECT_SECONDS,
    )
    event.listen(engine.sync_engine, "checkin", _note_use)
    event.listen(engine.sync_engine, "checkout", partial(_ask_whether_alive, engine.dialect))
    return engine


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = asyncio.get_running_loop().time()


def _ask_whether_alive(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """A connection that was closed is known to be. Whether the others still live takes three answers of the server, as
    long as all that most requests do: so only those are asked that were idle.

    The first request that meets a server that vanished within the second fails, and no other: the pool drops all.
    """
    if record.driver_connection is not None and record.driver_connection.is_closed():
        raise InvalidatePoolError
    used_at = record.info.get(_USED_AT)
    if used_at is None or asyncio.get_running_loop().time() - used_at < TRUSTED_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


MANNERS = f"""
SET idle_in_transaction_session_timeout = '{GONE_SECONDS}s';
SET tcp_user_timeout = '{GONE_SECONDS}s';
SET tcp_keepalives_idle = 5;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 3;
"""
"""A client that vanished from the network would hold its locks for hours, and others would wait for them: the one
who takes over from it, and everybody who writes to the same counts."""

TAKES_LONGER = f"SET LOCAL idle_in_transaction_session_timeout = '{int(COMMAND_SECONDS)}s'"
"""For a transaction in which we look at very much between two statements, on PostgreSQL."""


async def _connect(address: str) -> Any:
    connection = await asyncpg.connect(
        address,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        server_settings={"application_name": "nearmiss"},
    )
    # Not among the settings of the login: proxies such as PgBouncer refuse a login with those that they do not know.
    await connection.execute(MANNERS)
    return connection
