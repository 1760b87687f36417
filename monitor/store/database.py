"""Opens everything that is kept behind one address, and closes it again.

The only module here that knows all the others; it reads and writes nothing itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from monitor.ports import MissingRight
from monitor.store.access import SqlAccess
from monitor.store.arrivals import missing_right
from monitor.store.awaited import SqlAwaited
from monitor.store.binding import SqlBinding
from monitor.store.chat_inbox import SqlChatInbox
from monitor.store.connections import Database, Locations
from monitor.store.engine_store import SqlEngineStore
from monitor.store.feed_cursors import SqlFeedCursors
from monitor.store.history import SqlHistory
from monitor.store.inspection import SqlInspection
from monitor.store.journal import SqlJournal
from monitor.store.migrations import check, upgrade
from monitor.store.near_misses import SqlNearMisses
from monitor.store.not_opened import SqlNotOpened
from monitor.store.outbox import SqlOutbox
from monitor.store.reject_budget import DEFAULT_BYTES, RejectBudget
from monitor.store.rejects import SqlRejects
from monitor.store.retention import SqlRetention
from monitor.store.rewind import SqlRewind
from monitor.store.source_book import SqlSourceBook
from monitor.store.topic_book import SqlTopicBook
from monitor.store.unread import SqlUnread

_PROOF_SECONDS = 2.0


class Store:
    """All ports on one address. Use it with `async with`, or call `open` and `close`."""

    def __init__(self, url: str, rejects_bytes: int = DEFAULT_BYTES, *, announces: bool = False) -> None:
        """Raises ValueError for an address that is neither SQLite's nor PostgreSQL's."""
        self._url = url
        budget = RejectBudget(rejects_bytes)
        self._proved_at = -_PROOF_SECONDS
        locations = Locations(url)
        self._migrates = locations.is_sqlite
        self.records_database = Database(locations.records, announces=announces)
        self.journal_database = Database(locations.journal) if locations.is_sqlite else self.records_database
        self.journal = SqlJournal(self.journal_database)
        self.engine_store = SqlEngineStore(self.records_database)
        self.near_misses = SqlNearMisses(self.records_database)
        self.access = SqlAccess(self.records_database)
        self.awaited = SqlAwaited(self.records_database)
        self.rejects = SqlRejects(self.records_database, budget)
        self.history = SqlHistory(self.records_database, self.journal_database)
        self.not_opened = SqlNotOpened(self.records_database)
        self.retention = SqlRetention(self.records_database, self.journal_database, budget)
        self.rewind = SqlRewind(self.records_database, self.journal_database, self.engine_store)
        self.inspection = SqlInspection(self.records_database, self.journal_database, self.retention)
        self.topics = SqlTopicBook(self.records_database)
        self.feed_cursors = SqlFeedCursors(self.records_database)
        self.sources = SqlSourceBook(self.records_database)
        self.outbox = SqlOutbox(self.records_database)
        self.chat_inbox = SqlChatInbox(self.records_database)
        self.unread = SqlUnread(self.records_database, self.journal_database)
        self.binding = SqlBinding(self.records_database, self.journal_database)

    async def open(self) -> None:
        """Make ready. SQLite files are created and upgraded; a PostgreSQL database must have been upgraded before.

        Raises NewerDatabase, OutdatedDatabase and MissingRight (PostgreSQL only), Unavailable.
        """
        if self._migrates:
            await upgrade(self._url)
        else:
            await check(self._url)
            async with self.records_database.reading() as connection:
                lacking = await missing_right(connection)
            if lacking is not None:
                raise MissingRight(lacking)
        self.journal.start()

    async def close(self) -> None:
        """Carry out what waits, then close all connections."""
        await self.journal.close()
        self.engine_store.close()
        await self.records_database.close()
        await self.journal_database.close()

    async def ping(self) -> None:
        """Raises Unavailable when records or journal do not answer."""
        await self.records_database.ping()
        if self.journal_database is not self.records_database:
            await self.journal_database.ping()

    async def prove_write(self) -> None:
        """Write a little to records and journal, at most every two seconds. Raises Unavailable, MissingRight."""
        now = asyncio.get_running_loop().time()
        if now - self._proved_at < _PROOF_SECONDS:
            return
        await self.binding.touch()
        self._proved_at = now

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


@asynccontextmanager
async def open_for_reading(url: str) -> AsyncIterator[Store]:
    """A store to look at beside a running service: nothing is created, upgraded or written.

    Raises ValueError for an address that is none, OutdatedDatabase where the tables or the files are missing,
    NewerDatabase, Unavailable.
    """
    await check(url)
    store = Store(url)
    try:
        yield store
    finally:
        await store.close()


def open_store(url: str, rejects_bytes: int = DEFAULT_BYTES, *, announces: bool = False) -> Store:
    """A store, not yet open: use it with `async with`. Raises ValueError for an address that is none.

    `sqlite:///PATH/TO/FILE.db` keeps the journal beside it in `FILE-journal.db`; `postgresql://USER:PASSWORD@HOST/NAME`
    keeps everything in one database. `rejects_bytes`: the most that rejects may take. `announces`: what
    happens to records is written to the outbox, for who tells it.
    """
    return Store(url, rejects_bytes, announces=announces)
