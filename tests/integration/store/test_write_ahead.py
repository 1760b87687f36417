"""SQLite's write-ahead log: who removes much carries its pages over, beside all others, and the log is bounded."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from monitor.core.model.events import DAY, Instant
from monitor.ports import Commit, Retention, Unavailable
from monitor.store import retention as module
from monitor.store.connections import Locations
from monitor.store.database import Store, open_store
from monitor.store.journal import PARTITION
from monitor.store.tables import journal
from tests.support.records import BASE, event

NOW = Instant(BASE + 100 * DAY)
STEP = 3
PAGE = 4096


@pytest_asyncio.fixture
async def own(sqlite_url: str) -> AsyncIterator[Store]:
    """On SQLite alone: PostgreSQL has a process of its own that does this."""
    async with open_store(sqlite_url) as opened:
        yield opened


def journal_file(url: str) -> Path:
    return Path(str(Locations(url).journal.database))


def in_the_file(url: str) -> int:
    """How many events the file itself has, whatever lies in its log."""
    with closing(sqlite3.connect(f"file:{journal_file(url)}?immutable=1", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])


async def append(store: Store, count: int, name: str = "e", text: str = "") -> None:
    await store.journal.append(
        [event(f"{name}{n}", "note.added", 0, base=Instant(NOW - 50 * DAY), title=text or None) for n in range(count)]
    )


async def test_who_removes_events_carries_the_pages_over(
    own: Store, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEP", STEP)
    await append(own, 2 * STEP + 1)
    saved = await own.engine_store.acquire("engine")
    await own.engine_store.commit(Commit((), {}, {PARTITION: 2 * STEP + 2}, saved.epoch, NOW))
    assert in_the_file(sqlite_url) == 0

    await own.retention.prune(Retention(events=10 * DAY), NOW)

    assert in_the_file(sqlite_url) == 1, "all but what the last step left, which had little to do"


async def test_nobody_waits_for_it(own: Store, sqlite_url: str) -> None:
    await append(own, 5)
    async with own.journal_database.writing() as connection:
        await connection.execute(journal.delete())

        await own.journal_database.checkpoint()

        assert in_the_file(sqlite_url) == 5, "what was committed, while somebody else writes"


async def test_who_reads_goes_on_with_what_was(own: Store, sqlite_url: str) -> None:
    await append(own, 5)
    async with own.journal_database.reading() as connection:
        assert len((await connection.execute(select(journal.c.position))).all()) == 5
        await append(own, 5, "later")

        await own.journal_database.checkpoint()

        assert len((await connection.execute(select(journal.c.position))).all()) == 5
    await own.journal_database.checkpoint()
    assert in_the_file(sqlite_url) == 10


async def test_the_log_is_bounded_when_nobody_carries_over(own: Store, sqlite_url: str) -> None:
    for turn in range(30):
        await append(own, 100, f"turn{turn}-", "x" * PAGE)

    log = journal_file(sqlite_url).with_name(f"{journal_file(sqlite_url).name}-wal")
    assert journal_file(sqlite_url).stat().st_size > 2000 * PAGE
    assert log.stat().st_size < 1500 * PAGE


async def test_what_is_closed_says_so(own: Store) -> None:
    await own.close()
    with pytest.raises(Unavailable, match="closed"):
        await own.journal_database.checkpoint()
