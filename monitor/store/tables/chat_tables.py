"""The tables of chats and mail. Times are microseconds since 1970 (UTC)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from monitor.store.tables import RECORDS, Serial

# Written with what happened to a record; until it is handed out to the destinations. A number names a change for ever:
# SQLite would begin anew once all rows are gone, and the next change would be taken for one that was told.
outbox_changes = Table(
    "outbox_changes",
    RECORDS,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("record_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    RECORDS,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("destination", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("done_at", BigInteger),
    Column("refused", Text),
    Index("outbox_key", "destination", "key", unique=True),
    Index("outbox_waiting", "destination", "done_at", "id"),
    sqlite_autoincrement=True,
)

# Who sends to a destination, and how it does.
outbox_lanes = Table(
    "outbox_lanes",
    RECORDS,
    Column("destination", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("owned_until", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("since", BigInteger),
    Column("reason", Text),
    Column("retry_at", BigInteger),
)

# The one message of a subject in a chat. Without `ref` nobody knows whether it arrived.
chat_posts = Table(
    "chat_posts",
    RECORDS,
    Column("destination", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("place", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ref", Text),
    Column("thread", Text),
    Column("shown", Text, nullable=False),
    Index("chat_posts_thread", "thread", "place"),
)

chat_received = Table(
    "chat_received",
    RECORDS,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("owned_until", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Index("chat_received_open", "done_at", "at"),
)

told = Table(
    "told",
    RECORDS,
    Column("key", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("service", Text),
    Column("title", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("told_at", "at"),
)
