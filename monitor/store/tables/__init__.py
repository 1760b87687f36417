"""What the tables look like. Times are microseconds since 1970 (UTC); bodies are JSON as the codec writes it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
)

from monitor.store.codec import plain_or_none

RECORDS = MetaData()
JOURNAL = MetaData()

Serial = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only where the type is spelled exactly so."""


class Words(TypeDecorator[str]):
    """What people and programs say, written down or looked for: without what no database can hold.

    PostgreSQL refuses a whole statement for a NUL in it, also where it only asks.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return plain_or_none(value)


journal = Table(
    "journal",
    JOURNAL,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("service", Text),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("journal_identity", "source", "event_id", unique=True),
    Index("journal_at", "at"),
    Index("journal_service_at", "service", "at"),
)

# One row. Taking positions from it makes appends wait for each other, so that positions become visible in their
# order, and a reader of "everything from here on" skips nothing.
journal_head = Table(
    "journal_head",
    JOURNAL,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)

# One row. Which journal this is, how often it was opened, and the last entry that retention removed.
journal_stamp = Table(
    "journal_stamp",
    JOURNAL,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("identity", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("pruned", BigInteger, nullable=False),
)

# At most one row: the journal that the records belong to, and how often it had been opened.
journal_binding = Table(
    "journal_binding",
    RECORDS,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("identity", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
)

# The events of a journal that is not ours (Kafka), kept so that they can be asked for later.
event_history = Table(
    "event_history",
    RECORDS,
    Column("position", Serial, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("service", Text),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("event_history_identity", "source", "event_id", unique=True),
    Index("event_history_at", "at"),
    Index("event_history_service_at", "service", "at"),
)

near_misses = Table(
    "near_misses",
    RECORDS,
    Column("id", Words, primary_key=True),
    Column("state", Words, nullable=False),
    Column("version", Integer, nullable=False),
    # The machine's part: what lists need, and the whole draft.
    Column("rank", Double, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("mode", Words, nullable=False),
    Column("verdict", Words, nullable=False),
    Column("family", Words, nullable=False),
    Column("service", Words),
    Column("environment", Words),
    Column("recurrence_key", Words, nullable=False),
    Column("search", Words, nullable=False),
    Column("draft", LargeBinary, nullable=False),
    # The people's part.
    Column("why_near_miss", Words, nullable=False),
    Column("what_saved_it", Words, nullable=False),
    Column("what_next_time", Words, nullable=False),
    Column("users_hit", Boolean),
    Column("decided_at", BigInteger),
    Column("decided_by", Words),
    # How it ended: by a person's decision or by the machine's.
    Column("reason", Words),
    Column("merged_into", Words),
    Column("contradicted", Words),
    Column("impact_evidence", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # What people settled besides. `place` sorts the queue; it follows from the two answers before it.
    Column("outcome", Words),
    Column("barrier", Words),
    Column("place", Integer, nullable=False, server_default=text("0")),
    Column("returns_at", BigInteger),
    Column("open_condition", Words),
    Column("team", Words),
    Column("share", Words, nullable=False, server_default=text("'team'")),
    # Evidence that people added (events) and left out (identities); None: as the machine has it.
    Column("added", LargeBinary),
    Column("left_out", LargeBinary),
    # What the machine looks for to close `open_condition`.
    Column("open_until", LargeBinary),
    Index("near_misses_place", "place", "rank", "opened_at", "id"),
    # The records of each state and mode in the order of pages, and when they come back.
    Index("near_misses_queue", "state", "mode", "place", "rank", "opened_at", "id", "returns_at"),
    # The same by time.
    Index("near_misses_by_time", "state", "mode", "opened_at", "id", "returns_at"),
    Index(
        "near_misses_returns_at",
        "returns_at",
        sqlite_where=text("returns_at IS NOT NULL"),
        postgresql_where=text("returns_at IS NOT NULL"),
    ),
    Index("near_misses_state", "state", "created_at"),
    Index(
        "near_misses_team",
        "team",
        sqlite_where=text("team IS NOT NULL"),
        postgresql_where=text("team IS NOT NULL"),
    ),
    Index("near_misses_recurrence", "recurrence_key", "opened_at"),
)

near_miss_rules = Table(
    "near_miss_rules",
    RECORDS,
    Column("record_id", Words, ForeignKey("near_misses.id", name="near_miss_rules_record"), primary_key=True),
    Column("rule", Words, primary_key=True),
    Index("near_miss_rules_rule", "rule"),
)

near_miss_services = Table(
    "near_miss_services",
    RECORDS,
    Column("record_id", Words, ForeignKey("near_misses.id", name="near_miss_services_record"), primary_key=True),
    Column("service", Words, primary_key=True),
    Index("near_miss_services_service", "service"),
)

# Append-only: no statement of this program changes or deletes a row.
audit = Table(
    "audit",
    RECORDS,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("record_id", Words, ForeignKey("near_misses.id", name="audit_record"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("before", Words),
    Column("after", Words),
    Column("reason", Words),
    Column("note", Words),
    Index("audit_record_id", "record_id", "id"),
)

# Who owns which part of the journal; the part with an empty name is all of it. `seen_at` is by the database's clock.
engine_owners = Table(
    "engine_owners",
    RECORDS,
    Column("part", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("last_commit", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

engine_cells = Table(
    "engine_cells",
    RECORDS,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

# The state of engines that share a journal: by shard, so that another owner of the shard finds it.
scoped_cells = Table(
    "scoped_cells",
    RECORDS,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

engine_positions = Table(
    "engine_positions",
    RECORDS,
    Column("partition", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

# `day` is a date in UTC, such as 2026-01-31. The row with an empty rule counts decisions, the others one rule each.
not_opened_counts = Table(
    "not_opened_counts",
    RECORDS,
    Column("day", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

not_opened = Table(
    "not_opened",
    RECORDS,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("service", Text),
    Column("body", LargeBinary, nullable=False),
    Index("not_opened_service", "service", "id"),
    Index("not_opened_reason", "reason", "id"),
)

rejects = Table(
    "rejects",
    RECORDS,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("requeued_at", BigInteger),
    Column("origin", Text),
    Column("forward", Boolean, nullable=False, server_default=false()),
    Index("rejects_waiting", "requeued_at", "id"),
    Index("rejects_origin", "origin", unique=True),
    Index("rejects_forward", "id", sqlite_where=text("forward"), postgresql_where=text("forward")),
    Index("rejects_received_at", "received_at"),
)

topic_halts = Table(
    "topic_halts",
    RECORDS,
    Column("topic", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
)

# The newest is in force: what began before its floor and was decided by then is not decided again.
rewinds = Table(
    "rewinds",
    RECORDS,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False),
    Column("decided_until", BigInteger, nullable=False),
)

# Positions mean nothing in another cluster.
journal_clusters = Table(
    "journal_clusters",
    RECORDS,
    Column("journal", Text, primary_key=True),
    Column("cluster", Text, nullable=False),
)

# Over how many partitions of a topic the shards are spread. Changed only while nobody reads or writes, and all is read.
shard_spreads = Table(
    "shard_spreads",
    RECORDS,
    Column("topic", Text, primary_key=True),
    Column("partitions", Integer, nullable=False),
)

# How far each pulled feed was read.
feed_cursors = Table(
    "feed_cursors",
    RECORDS,
    Column("feed", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("cursor", Text, nullable=False),
)

# What arrived from each source; an hour of the source without a name is one in which a process could be reached.
source_hours = Table(
    "source_hours",
    RECORDS,
    Column("source", Text, primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("received", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("newest", BigInteger),
    Column("least_lag", BigInteger),
    Index("source_hours_hour", "hour"),
)
source_words = Table(
    "source_words",
    RECORDS,
    Column("source", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("word", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Index("source_words_day", "day"),
)

# Somebody who signed in, and programs with a token; of what they hold only the hash.
access_sessions = Table(
    "access_sessions",
    RECORDS,
    Column("id", Words, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("name", Words, nullable=False),
    Column("role", Words, nullable=False),
    Column("grants", Words, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("proof", Words),
    Index("access_sessions_key", "key", unique=True),
)

access_tokens = Table(
    "access_tokens",
    RECORDS,
    Column("id", Words, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("name", Words, nullable=False),
    Column("grants", Words, nullable=False),
    Column("created_by", Words, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("proof", Words),
    Index("access_tokens_key", "key", unique=True),
)

# Append-only; each line has the hash of the one before it, and the head that of the last.
access_chain = Table(
    "access_chain",
    RECORDS,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("by", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("previous", Words, nullable=False),
    Column("hash", Words, nullable=False),
)

access_head = Table(
    "access_head",
    RECORDS,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("lines", BigInteger, nullable=False),
    Column("hash", Words, nullable=False),
)
