"""Decides which errors of a database will pass by themselves: those become `Unavailable`, all others stay loud.

Must not know what was being read or written.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg  # type: ignore[import-untyped]  # comes without types
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.ops.memory_limit import lacks_thread
from monitor.ports import MissingRight, Unavailable, WrongDatabase

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
def translated(user: str = "", file: str = "") -> Iterator[None]:
    """Turn passing troubles of the database into `Unavailable`, and wrong set-up into one line.

    `user`: whose rights they are; `file`: of SQLite. Raises MissingRight, WrongDatabase, Unavailable.
    """
    try:
        yield
    except (DBAPIError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        if (setup := wrong_setup(error, user)) is not None:
            raise setup from error
        cause = passing_trouble(error, file)
        if cause is None:
            raise
        raise Unavailable(cause) from error
    except RuntimeError as error:
        if not lacks_thread(error):
            raise
        raise Unavailable("there is no memory for another connection") from error


_RIGHTS_WORDS = re.compile(r"permission denied for (?P<kind>\w+) (?P<name>\S+)")
_UPGRADE = "run `nearmiss db upgrade`"
_WRONG: dict[str, str] = {
    "42P01": f"a table is missing: {_UPGRADE}",
    "42703": f"a column is missing: {_UPGRADE}",
    "42P07": "a table of that name is there and is not ours: give nearmiss a database of its own",
    "42710": "something of that name is there and is not ours: give nearmiss a database of its own",
    "3F000": "there is no schema to create tables in: create one, or set the role's search_path",
    "42704": "the address has an option that the server does not know: write it as libpq does, such as sslmode=require",
    "55P02": "the address has an option that only the server's own files may set: for TLS write sslmode=require",
    "22023": "the address gives a setting a value that the server refuses",
}
"""By SQLSTATE what an operator has set up otherwise than this program needs."""


def wrong_setup(error: BaseException, user: str = "") -> MissingRight | WrongDatabase | None:
    """What an operator has to grant or to change first, in one line with the cure; None for any other trouble."""
    original = (error.orig or error) if isinstance(error, DBAPIError) else error
    state = getattr(original, "sqlstate", None)
    if state == "42501":
        found = _RIGHTS_WORDS.search(str(original))
        return MissingRight(f"the database user lacks a right ({_detail(original)}): {_grant(found, user)}")
    if state in _WRONG:
        return WrongDatabase(f"{_detail(original)}: {_WRONG[state]}")
    return None


def _grant(found: re.Match[str] | None, user: str) -> str:
    if found is None:
        return "let the owner of the tables do it, or grant what is missing"
    kind, name = found["kind"], found["name"].strip('"')
    role = f'"{user}"' if user else "the user"
    if kind == "schema":
        return f'run as its owner: GRANT CREATE, USAGE ON SCHEMA "{name}" TO {role}'
    if kind == "database":
        return f'run as its owner: GRANT ALL ON DATABASE "{name}" TO {role}'
    each = (f"GRANT ALL ON ALL {things} IN SCHEMA public TO {role}" for things in ("TABLES", "SEQUENCES"))
    return f"run as their owner: {'; '.join(each)}"


def passing_trouble(error: BaseException, file: str = "") -> str | None:
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
        place = f": {file}" if file else ""
        hint = f"{place}; expected a file and a directory that this user may write" if code & 0xFF in _RIGHTS else ""
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
