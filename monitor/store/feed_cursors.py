"""How far each pulled feed was read. Knows names and texts; must not know what a feed is."""

from __future__ import annotations

from sqlalchemy import select

from monitor.core.model.events import Instant
from monitor.ops.tasks import to_the_end
from monitor.store.codec import plain
from monitor.store.connections import Database
from monitor.store.tables import feed_cursors


class SqlFeedCursors:
    """FeedCursors on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, feed: str) -> str | None:
        """Raises Unavailable."""
        query = select(feed_cursors.c.cursor).where(feed_cursors.c.feed == plain(feed))
        async with self._database.reading() as connection:
            found: str | None = (await connection.execute(query)).scalar_one_or_none()
        return found

    async def everything(self) -> dict[str, str]:
        """Every cursor by its key. Raises Unavailable."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(feed_cursors.c.feed, feed_cursors.c.cursor))
            return {row.feed: row.cursor for row in rows}

    @to_the_end
    async def save(self, feed: str, at: Instant, cursor: str) -> None:
        """Of two processes that pull the same feed the farther one is right. Raises Unavailable."""
        insert = self._database.insert(feed_cursors)
        fresh = {"at": insert.excluded.at, "cursor": insert.excluded.cursor}
        newer = feed_cursors.c.at < insert.excluded.at
        keep = insert.on_conflict_do_update(index_elements=["feed"], set_=fresh, where=newer)
        async with self._database.writing() as connection:
            await connection.execute(keep, {"feed": plain(feed), "at": int(at), "cursor": plain(cursor)})
