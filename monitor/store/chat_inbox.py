"""What chats sent us, on SQL: kept before it is answered, worked on by one process, closed once.

Knows requests as bytes; must not know what a chat is.
"""

from __future__ import annotations

from sqlalchemy import and_, delete, select, update

from monitor.core.model.events import Instant
from monitor.ops.tasks import to_the_end
from monitor.ports.chat import Received
from monitor.store.codec import plain
from monitor.store.connections import Database
from monitor.store.tables.chat_tables import chat_received


class SqlChatInbox:
    """ChatInbox on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @to_the_end
    async def receive(self, received: Received, until: Instant) -> bool:
        keep = self._database.insert(chat_received).on_conflict_do_nothing(index_elements=["key"])
        row = {
            "key": plain(received.key),
            "kind": received.kind,
            "body": received.body,
            "at": int(received.at),
            "owned_until": int(until),
        }
        async with self._database.writing() as connection:
            return bool((await connection.execute(keep, row)).rowcount)

    @to_the_end
    async def left_over(self, now: Instant, until: Instant, limit: int) -> list[Received]:
        columns = chat_received.c
        open_ = and_(columns.done_at.is_(None), columns.owned_until <= int(now))
        async with self._database.writing() as connection:
            query = select(chat_received).where(open_).order_by(columns.at).limit(limit)
            rows = (await connection.execute(query.with_for_update(skip_locked=True))).all()
            keys = [row.key for row in rows]
            mine = update(chat_received).where(columns.key.in_(keys)).values(owned_until=int(until))
            if keys:
                await connection.execute(mine)
        return [Received(row.key, row.kind, bytes(row.body), Instant(row.at)) for row in rows]

    @to_the_end
    async def finish(self, key: str, at: Instant) -> None:
        """What was typed is of no more use, and may name people."""
        done = update(chat_received).where(chat_received.c.key == plain(key)).values(done_at=int(at), body=b"")
        async with self._database.writing() as connection:
            await connection.execute(done)

    @to_the_end
    async def forget(self, before: Instant) -> int:
        done = delete(chat_received).where(chat_received.c.done_at < int(before))
        async with self._database.writing() as connection:
            return (await connection.execute(done)).rowcount
