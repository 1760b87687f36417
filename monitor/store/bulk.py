"""Many rows in one statement, each database in the way that is quickest there.

Knows tables as columns with types; must not know what rows mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import Dialect, Table, TextClause, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

AT_ONCE = 1000
"""Rows a statement: what is encoded for it keeps the process from anything else."""

Names = tuple[str, ...]
Row = tuple[Any, ...]
"""The values of some columns, in the order of their names."""


async def add_new(connection: AsyncConnection, table: Table, names: Names, rows: Iterable[Row]) -> None:
    """Insert the rows that break no unique index, and leave the others out. They may be made as they are taken.

    On PostgreSQL a column goes as one array: a row at a time costs half as much again, and COPY cannot leave rows out.
    """
    await _write(connection, table, names, rows, ())


async def put(connection: AsyncConnection, table: Table, names: Names, rows: Iterable[Row], keys: Names) -> None:
    """Insert the rows, or replace those with the same keys. No two have the same keys."""
    await _write(connection, table, names, rows, keys)


async def _write(connection: AsyncConnection, table: Table, names: Names, rows: Iterable[Row], keys: Names) -> None:
    left = iter(rows)
    while some := list(islice(left, AT_ONCE)):
        if connection.dialect.name == "sqlite":
            insert = sqlite.insert(table)
            rest = {name: insert.excluded[name] for name in names if name not in keys}
            statement = insert.on_conflict_do_update(keys, set_=rest) if keys else insert.on_conflict_do_nothing()
            await connection.execute(statement, [dict(zip(names, row, strict=True)) for row in some])
        else:
            columns = dict(zip(names, map(list, zip(*some, strict=True)), strict=True))
            await connection.execute(_from_arrays(connection.dialect, table, names, keys), columns)


@lru_cache(maxsize=32)
def _from_arrays(dialect: Dialect, table: Table, names: tuple[str, ...], keys: tuple[str, ...]) -> TextClause:
    arrays = ", ".join(f"CAST(:{name} AS {table.c[name].type.compile(dialect)}[])" for name in names)
    rows = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - names of our own tables
    conflict = "DO NOTHING"
    if keys:
        rest = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in names if name not in keys)
        conflict = f"({_listed(keys)}) DO UPDATE SET {rest}"
    return text(f"INSERT INTO {table.name} ({_listed(names)}) {rows} ON CONFLICT {conflict}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_quoted(name) for name in names)


def _quoted(name: str) -> str:
    """Some columns have the name of a keyword."""
    return f'"{name}"'
