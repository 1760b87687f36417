"""Removes what is older than it is to be kept, in small steps, and says how much is kept.

Decides in which order and how much at a time; how long things are kept is an argument. Never removes records, their
trail, counts, what the engine has still to read, or what waits to be forwarded.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, func, select, text, update

from monitor.core.model.events import DAY, Instant
from monitor.ports import Pruned, Retention, StoredSize
from monitor.store.connections import Database
from monitor.store.history import ends
from monitor.store.journal import PARTITION
from monitor.store.reject_budget import RejectBudget
from monitor.store.tables import engine_positions, event_history, journal, journal_stamp, not_opened, rejects

STEP = 100
"""Rows that one transaction removes: few enough that a commit or a webhook that waits for it does not notice."""
_STEPS = 40
"""Transactions a table and call: a second or two, so that a stop need not wait for long."""
_PAUSE = 4.0
"""How much longer than a step the pause after it is."""
_LONGEST_PAUSE = 1.0
_LEAST_AGE = DAY
"""Younger events stay, whatever size is allowed: a limit that was set too low must not leave nothing."""
_SAMPLE = 500
_OVERHEAD = {"sqlite": 90, "postgresql": 220}
"""Bytes that a row and its four index entries take beyond what they hold, as measured (tests/bench/history.py)."""


class SqlRetention:
    """Pruning on SQL. Several processes may prune at the same time."""

    def __init__(self, records: Database, journal: Database, reject_budget: RejectBudget) -> None:
        self._records = records
        self._journal = journal
        self._reject_budget = reject_budget

    async def prune(self, retention: Retention, now: Instant) -> Pruned:
        """Remove up to 4,000 rows of each kind. Raises Unavailable; what was removed until then is gone."""
        read = await self._read_up_to()
        tables = {
            "journal": (self._journal, journal, journal.c.position < read),
            "history": (self._records, event_history, None),
        }
        counts: dict[str, int] = {}
        for name, (database, table, only) in tables.items():
            cutoff = await self._cutoff(database, table, retention, now)
            counts[name] = await _prune(database, table, table.c.position, table.c.at, cutoff, only)
        counts["rejects"] = await _prune(
            self._records,
            rejects,
            rejects.c.id,
            rejects.c.received_at,
            _before(now, retention.rejects),
            ~rejects.c.forward,
        )
        if await self._records.read_at_once(self._reject_budget.recount):
            await self._records.write_at_once(self._reject_budget.make_room)
        counts["rejects_evicted"] = self._reject_budget.take_evicted()
        counts["not_opened"] = await _prune(
            self._records, not_opened, not_opened.c.id, not_opened.c.at, _before(now, retention.not_opened), None
        )
        return Pruned(counts, more=any(count >= STEP * _STEPS for count in counts.values()))

    async def kept(self) -> StoredSize:
        """How much there is. Raises Unavailable."""
        both = [await self._bytes(self._journal, journal), await self._bytes(self._records, event_history)]
        return StoredSize(await self.total_bytes(), sum(both))

    async def total_bytes(self) -> int:
        """What everything takes on disk. Raises Unavailable."""
        total = await _size(self._records)
        return total if self._journal is self._records else total + await _size(self._journal)

    async def _read_up_to(self) -> int:
        """The journal's entry that the engine reads next; 0 where no engine has committed yet."""
        query = select(engine_positions.c.position).where(engine_positions.c.partition == PARTITION)
        async with self._records.reading() as connection:
            return int((await connection.execute(query)).scalar_one_or_none() or 0)

    async def _cutoff(self, database: Database, table: Table, retention: Retention, now: Instant) -> int | None:
        """Events before this time go; None: none do."""
        by_age = _before(now, retention.events)
        if retention.events_bytes is None:
            return by_age
        rows = await database.read_at_once(partial(_rows, table))
        a_row = await database.read_at_once(partial(_bytes_a_row, table, database.is_sqlite))
        too_many = rows - int(retention.events_bytes / a_row) if rows else 0
        if too_many <= 0:
            return by_age
        nth = select(table.c.at).order_by(table.c.at).offset(min(too_many, STEP * _STEPS)).limit(1)
        async with database.reading() as connection:
            found = (await connection.execute(nth)).scalar_one_or_none()
        by_size = int(now) - _LEAST_AGE if found is None else min(int(found), int(now) - _LEAST_AGE)
        return by_size if by_age is None else max(by_age, by_size)

    async def _bytes(self, database: Database, table: Table) -> int:
        rows = await database.read_at_once(partial(_rows, table))
        if not rows:
            return 0
        return round(rows * await database.read_at_once(partial(_bytes_a_row, table, database.is_sqlite)))


def _before(now: Instant, age: int | None) -> int | None:
    return None if age is None else int(now) - age


async def _prune(
    database: Database, table: Table, key: Column[Any], at: Column[Any], cutoff: int | None, only: Any
) -> int:
    """Remove rows of before `cutoff`, the oldest first, a step a transaction; how many."""
    if cutoff is None:
        return 0
    oldest = select(key).where(at < cutoff)
    if only is not None:
        oldest = oldest.where(only)
    statement = delete(table).where(key.in_(oldest.order_by(at).limit(STEP)))

    def step(connection: Connection) -> int:
        if table is not journal:
            return int(connection.execute(statement).rowcount)
        # Records of an older backup may want to read them again: that they are gone must not look like nothing.
        gone = connection.execute(statement.returning(key)).scalars().all()
        if gone:
            last = max(gone)
            stamp = update(journal_stamp).where(journal_stamp.c.pruned < last).values(pruned=last)
            connection.execute(stamp)
        return len(gone)

    removed, elapsed = 0, asyncio.get_running_loop().time
    for _ in range(_STEPS):
        began = elapsed()
        count = await database.write_at_once(step)
        removed += count
        if count < STEP:
            break
        # Else somebody who writes an event would have to do it, with all that others have written since.
        await database.checkpoint()
        # Most of the time is for those who write what is new: they share one lock, one disk and the processor.
        await asyncio.sleep(min(_PAUSE * (elapsed() - began), _LONGEST_PAUSE))
    return removed


def _rows(table: Table, connection: Connection) -> int:
    """By the numbers of the first and the last: a count would read everything. Gaps make it a little too much."""
    first, last = connection.execute(ends(table.c.position)).one()
    return 0 if first is None else int(last - first + 1)


def _bytes_a_row(table: Table, is_sqlite: bool, connection: Connection) -> float:
    """What a row takes with its index entries, by the newest rows."""
    columns = (table.c.source, table.c.event_id, table.c.service, table.c.kind, table.c.body)
    newest = select(*columns).order_by(table.c.position.desc()).limit(_SAMPLE).subquery()
    held = func.length(newest.c.body) + func.length(newest.c.kind)
    # Source, id and service lie in an index too.
    for column in (newest.c.source, newest.c.event_id, func.coalesce(newest.c.service, "")):
        held = held + 2 * func.length(column)
    average = connection.execute(select(func.avg(held))).scalar_one()
    return float(average or 0) + _OVERHEAD["sqlite" if is_sqlite else "postgresql"]


async def _size(database: Database) -> int:
    """Bytes on disk, without the write-ahead log."""
    query = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if database.is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    async with database.reading() as connection:
        return int((await connection.execute(text(query))).scalar_one())
