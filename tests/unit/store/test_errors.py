"""Which troubles pass by themselves, and which must stay loud."""

from __future__ import annotations

import sqlite3

import asyncpg  # type: ignore[import-untyped]  # comes without types
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.ports import Unavailable
from monitor.store.errors import passing_trouble, translated

RIGHTS = "; expected a file and a directory that this user may write"


def wrapped(original: Exception, *, lost: bool = False) -> DBAPIError:
    return OperationalError("SELECT 1", {}, original, connection_invalidated=lost)


def sqlite(code: int, message: str = "as SQLite says it") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


def postgres(state: str) -> Exception:
    error: Exception = asyncpg.PostgresError.new({"C": state, "M": "as PostgreSQL says it\nin two lines"})
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (wrapped(sqlite(sqlite3.SQLITE_FULL)), "the disk is full (as SQLite says it)"),
        (wrapped(sqlite(sqlite3.SQLITE_IOERR | 3 << 8)), "the disk cannot be read or written (as SQLite says it)"),
        (wrapped(sqlite(sqlite3.SQLITE_BUSY)), "the database is locked by another program (as SQLite says it)"),
        (wrapped(sqlite(sqlite3.SQLITE_CANTOPEN)), f"the database file cannot be opened (as SQLite says it){RIGHTS}"),
        (wrapped(sqlite(sqlite3.SQLITE_READONLY)), f"the database file is read-only (as SQLite says it){RIGHTS}"),
        (wrapped(postgres("53100")), "the disk of the database is full (as PostgreSQL says it)"),
        (wrapped(postgres("53300")), "the database lacks resources (as PostgreSQL says it)"),
        (wrapped(postgres("57P03")), "the database is stopping, starting or overloaded (as PostgreSQL says it)"),
        (wrapped(postgres("40P01")), "the transaction collided with another one (as PostgreSQL says it)"),
        (postgres("08006"), "the connection to the database was lost (as PostgreSQL says it)"),
        (postgres("25006"), "the database is read-only (as PostgreSQL says it)"),
        (asyncpg.InterfaceError("closed"), "the connection to the database was lost: closed"),
        (wrapped(RuntimeError("gone"), lost=True), "the connection to the database was lost"),
        (PoolTimeout("busy"), "all connections to the database are busy"),
        (TimeoutError(), "the database cannot be reached: TimeoutError; is it running, and is its address right?"),
        (
            ConnectionRefusedError(111, "refused"),
            "the database cannot be reached: [Errno 111] refused; is it running, and is its address right?",
        ),
    ],
)
def test_what_passes_by_itself_is_unavailable(error: Exception, expected: str) -> None:
    with pytest.raises(Unavailable) as raised, translated():
        raise error
    assert str(raised.value) == expected
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        wrapped(sqlite(sqlite3.SQLITE_ERROR, "no such table: near_misses")),
        wrapped(sqlite(sqlite3.SQLITE_CORRUPT)),
        IntegrityError("INSERT", {}, sqlite(sqlite3.SQLITE_CONSTRAINT)),
        wrapped(postgres("23505")),
        wrapped(RuntimeError("unheard of")),
    ],
)
def test_a_defect_stays_loud(error: Exception) -> None:
    assert passing_trouble(error) is None
    with pytest.raises(type(error)), translated():
        raise error


def test_errors_of_others_pass_untouched() -> None:
    with pytest.raises(LookupError), translated():
        raise LookupError
