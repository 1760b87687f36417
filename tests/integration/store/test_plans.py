"""What runs every minute reads no table from end to end on SQLite, where the journal's reader waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy import event as engine_event

from monitor.core.model.events import DAY, Instant
from monitor.ports import Retention
from monitor.store.database import open_store
from tests.support.records import BASE, event

NOW = Instant(BASE + 100 * DAY)
Statement = tuple[str, str, Any]


@contextmanager
def heard() -> Iterator[list[Statement]]:
    """Each statement inside, with its file and its parameters."""
    found: list[Statement] = []

    def hear(connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if not many:
            found.append((connection.engine.url.database, statement, parameters))

    engine_event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        engine_event.remove(Engine, "before_cursor_execute", hear)


def scans(file: str, statement: str, parameters: Any) -> list[str]:
    """The steps of a statement's plan that read all events; one with a limit ends before."""
    if not statement.startswith("SELECT") or "LIMIT" in statement:
        return []
    with closing(sqlite3.connect(file)) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    return [f"{step[3]}: {statement}" for step in steps if step[3].startswith(("SCAN journal", "SCAN event_history"))]


async def test_to_say_how_much_is_kept_and_what_is_too_old_no_table_is_read(sqlite_url: str) -> None:
    async with open_store(sqlite_url) as store:
        await store.journal.append([event(f"e{n}", "note.added", 0, base=Instant(NOW - n * DAY)) for n in range(30)])
        with heard() as statements:
            await store.retention.kept()
            await store.retention.prune(Retention(events=10 * DAY, events_bytes=1000), NOW)
            await store.history.span()

    assert len(statements) > 5
    found = [scan for each in statements for scan in scans(*each)]
    assert not found, "\n".join(found)
