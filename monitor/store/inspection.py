"""Checks that the stored data is consistent, without changing it: sizes, rows, places in the journal, integrity.

Decides what does not fit; must not know how the answer is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Table, func, select, text

from monitor.store.arrivals import missing_right
from monitor.store.binding import SqlBinding
from monitor.store.codec import decode_draft
from monitor.store.connections import Database
from monitor.store.journal import PARTITION
from monitor.store.retention import SqlRetention
from monitor.store.tables import (
    JOURNAL,
    RECORDS,
    audit,
    engine_owners,
    engine_positions,
    journal,
    journal_head,
    near_miss_services,
    near_misses,
    topic_halts,
)

_FINE = "ok"


class Inspection(msgspec.Struct, frozen=True):
    """What is there. `problems` keep the service from working or show damage; `remarks` are worth knowing."""

    total_bytes: int
    events_bytes: int
    rows: dict[str, int]
    positions: dict[str, int]
    unread: int
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


class SqlInspection:
    """Looks at one database. The tables must be of this program's version."""

    def __init__(self, records: Database, journal: Database, retention: SqlRetention) -> None:
        self._records = records
        self._journal = journal
        self._retention = retention

    async def inspect(self, *, full: bool = False) -> Inspection:
        """`full` also reads every page and every draft, which takes minutes on a large database. Raises Unavailable."""
        problems: list[str] = []
        for database in dict.fromkeys((self._records, self._journal)):
            async with database.reading() as connection:
                problems += await connection.run_sync(_integrity, database.is_sqlite, full)
        if problems:
            # What lies on damaged pages cannot be read for more questions.
            return Inspection(await self._retention.total_bytes(), 0, {}, {}, 0, tuple(problems), ())
        remarks: list[str] = []
        kept = await self._retention.kept()
        rows: dict[str, int] = {}
        for database, tables in ((self._journal, JOURNAL), (self._records, RECORDS)):
            async with database.reading() as connection:
                rows |= await connection.run_sync(_count, tables.sorted_tables)
        async with self._records.reading() as connection:
            problems += filter(None, [await missing_right(connection)])
            problems += await connection.run_sync(_records_fit)
            if full:
                problems += await connection.run_sync(_drafts_read)
            positions = {row.partition: int(row.position) for row in await connection.execute(select(engine_positions))}
            halts = await connection.execute(select(topic_halts))
            remarks += [f"topic {halt.topic} is halted: {halt.detail}" for halt in halts]
            if not self._records.is_sqlite:
                remarks += await connection.run_sync(_durability)
            for owner in await connection.execute(select(engine_owners).where(engine_owners.c.owner != "")):
                part = f" of {owner.part}" if owner.part else ""
                remarks.append(f"the last owner{part} is {owner.owner}, epoch {owner.epoch}")
        async with self._journal.reading() as connection:
            unread, wrong = await connection.run_sync(_journal_fits, positions.get(PARTITION))
        joint = await SqlBinding(self._records, self._journal).look()
        if joint.problem is not None:
            wrong.append(f"{joint.problem}; restore both from the same backup, or run `nearmiss db accept-journal`")
        return Inspection(
            kept.total_bytes, kept.events_bytes, rows, positions, unread, (*problems, *wrong), tuple(remarks)
        )


def _count(connection: Connection, tables: Sequence[Table]) -> dict[str, int]:
    counts = {}
    for table in tables:
        counts[table.name] = int(connection.execute(select(func.count()).select_from(table)).scalar_one())
    return counts


def _integrity(connection: Connection, is_sqlite: bool, full: bool) -> list[str]:
    if not is_sqlite:
        invalid = "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid"
        failures = "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"
        names = connection.execute(text(invalid)).scalars()
        found = [f"index {name} is not valid: run REINDEX INDEX {name}" for name in names]
        if count := connection.execute(text(failures)).scalar():
            found.append(f"PostgreSQL counted {count} pages whose checksum is wrong: restore a backup")
        return found
    how = "integrity_check" if full else "quick_check"
    said = [str(row) for row in connection.execute(text(f"PRAGMA {how}(20)")).scalars()]
    found = [f"a page is damaged: {each}; restore a backup" for each in said if each != _FINE]
    for row in connection.execute(text("PRAGMA foreign_key_check")):
        found.append(f"a row of {row[0]} belongs to a record that is not there; restore a backup")
    return found


def _durability(connection: Connection) -> list[str]:
    """Settings of PostgreSQL under which what was acknowledged may be lost when the power goes."""
    found = []
    if connection.execute(text("SHOW fsync")).scalar_one() == "off":
        found.append("PostgreSQL runs with fsync = off: a power cut may damage the database")
    if connection.execute(text("SHOW synchronous_commit")).scalar_one() == "off":
        found.append(
            "PostgreSQL runs with synchronous_commit = off: a power cut loses what was acknowledged just before"
        )
    return found


def _records_fit(connection: Connection) -> list[str]:
    found = []
    trailed = select(audit.c.record_id).where(audit.c.record_id == near_misses.c.id)
    lost = connection.execute(select(func.count()).select_from(near_misses).where(~trailed.exists())).scalar_one()
    if lost:
        found.append(f"{lost} records have no trail; restore a backup")
    served = select(near_miss_services.c.record_id).where(near_miss_services.c.record_id == near_misses.c.id)
    lost = connection.execute(
        select(func.count()).select_from(near_misses).where(near_misses.c.service.is_not(None), ~served.exists())
    ).scalar_one()
    if lost:
        found.append(f"{lost} records are not listed under their service; restore a backup")
    return found


def _drafts_read(connection: Connection) -> list[str]:
    found = []
    for row in connection.execute(select(near_misses.c.id, near_misses.c.draft)):
        try:
            decode_draft(row.draft)
        except msgspec.MsgspecError as error:
            found.append(f"the draft of {row.id} cannot be read: {error}")
    return found


def _journal_fits(connection: Connection, position: int | None) -> tuple[int, list[str]]:
    """How many entries the engine has still to read, and what is wrong with its place."""
    head = int(connection.execute(select(journal_head.c.position)).scalar_one())
    last = connection.execute(select(func.max(journal.c.position))).scalar_one()
    found = []
    if last is not None and last > head:
        found.append(f"the journal has entry {last}, but its counter stands at {head}; restore a backup")
    if position is None:
        return head, found
    return max(head - position + 1, 0), found
