"""What the engine has still to read of the database's journal, by source. Knows numbers and sizes, and no event."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection, func, select

from monitor.ports import Unhandled
from monitor.store.connections import Database
from monitor.store.journal import PARTITION, READ_BEFORE
from monitor.store.tables import engine_positions, journal


class SqlUnread:
    """UnreadEvents on SQL."""

    def __init__(self, records: Database, journal: Database) -> None:
        self._records = records
        self._journal = journal

    async def by_source(self) -> dict[str, Unhandled]:
        start = await self._records.read_at_once(_next_entry)
        return await self._journal.read_at_once(partial(_waiting, start), takes_long=True)


def _next_entry(connection: Connection) -> int:
    places = engine_positions.c.partition.in_((PARTITION, READ_BEFORE))
    return connection.execute(select(func.max(engine_positions.c.position)).where(places)).scalar_one() or 1


def _waiting(start: int, connection: Connection) -> dict[str, Unhandled]:
    # Neither database reads a body to tell its length.
    size = func.sum(func.length(journal.c.body))
    query = select(journal.c.source, func.count(), size).where(journal.c.position >= start).group_by(journal.c.source)
    return {source: Unhandled(int(events), int(size)) for source, events, size in connection.execute(query)}
