"""Decides which errors of a database will pass by themselves: those become `Unavailable`, all others stay loud.

Must not know what was being read or written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg  # type: ignore[import-untyped]  # comes without types
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.ports import Unavailable

_SQLITE: dict[int, str] = {
    sqlite3.SQLITE_PERM: "the database file may not be opened",
    sqlite3.SQLITE_BUSY: "the database is locked by another program",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_NOMEM: "out of memory",
    sqlite3.SQLITE_READONLY: "the database file is read-only",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
}

_RIGHTS = frozenset({sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
"""What the user of this program may not do, most likely."""

_SQLSTATES: tuple[tuple[str, str], ...] = (
    ("08", "the connection to the database was lost"),
    ("25006", "the database is read-only"),
    ("28", "the database refuses the login"),
    ("3D000", "there is no such database"),
    ("40", "the transaction collided with another one"),
    ("53100", "the disk of the database is full"),
    ("53", "the database lacks resources"),
    ("55000", "the database takes no connections"),
    ("55P03", "the database is locked"),
    ("57", "the database is stopping, starting or overloaded"),
    ("58", "the database server has trouble with its system"),
)
"""Prefixes of SQLSTATE codes, the longer before the shorter."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn passing troubles of the database into `Unavailable`, with the cause chained."""
    try:
        yield
    except (DBAPIError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        cause = passing_trouble(error)
        if cause is None:
            raise
        raise Unavailable(cause) from error


def passing_trouble(error: BaseException) -> str | None:
    """What the trouble is, in words for an operator; None when waiting will not help."""
    if isinstance(error, PoolTimeout):
        return "all connections to the database are busy"
    if isinstance(error, asyncpg.InterfaceError):
        return f"the connection to the database was lost: {error}"
    if isinstance(error, OSError) and error.filename is not None:
        # A file or a directory, not the way to a server.
        place = f"{error.filename}: {error.strerror or error}"
        return f"the database cannot be opened: {place}; choose another place with --database, or see to its rights"
    if isinstance(error, OSError):
        return f"the database cannot be reached: {_detail(error)}; is it running, and is its address right?"
    original = (error.orig or error) if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None)
    if isinstance(code, int):
        words = _SQLITE.get(code & 0xFF)
        said = "" if words is None or str(original) in words else f" ({original})"
        hint = "; expected a file and a directory that this user may write" if code & 0xFF in _RIGHTS else ""
        return None if words is None else f"{words}{said}{hint}"
    state = getattr(original, "sqlstate", None)
    if isinstance(state, str):
        for prefix, words in _SQLSTATES:
            if state.startswith(prefix):
                return f"{words} ({_detail(original)})"
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return "the connection to the database was lost"
    return None


def _detail(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
