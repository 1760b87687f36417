"""The doors to the outside, by role: protocols that adapters implement and one contract suite proves."""

from __future__ import annotations

from monitor.ports.clock import Clock
from monitor.ports.engine_store import WHOLE, ActivePack, Commit, EngineStore, Saved
from monitor.ports.failures import (
    Fenced,
    Held,
    MissingRight,
    NewerDatabase,
    OutdatedDatabase,
    Unavailable,
    WrongDatabase,
)
from monitor.ports.journal import (
    NOT_AT_HAND,
    Appended,
    Batch,
    FeedCursors,
    Halt,
    JournalReader,
    JournalWriter,
    Positions,
    TopicBook,
    Unhandled,
    UnreadEvents,
)
from monitor.ports.pruning import Pruned, Pruning, Retention, StoredSize
from monitor.ports.records import (
    Answers,
    Audit,
    Decide,
    NearMisses,
    NotFound,
    Order,
    Page,
    Query,
    Record,
    VersionConflict,
)
from monitor.ports.rejects import Forwarding, Reject, Rejects

__all__ = [
    "NOT_AT_HAND",
    "WHOLE",
    "ActivePack",
    "Answers",
    "Appended",
    "Audit",
    "Batch",
    "Clock",
    "Commit",
    "Decide",
    "EngineStore",
    "FeedCursors",
    "Fenced",
    "Forwarding",
    "Halt",
    "Held",
    "JournalReader",
    "JournalWriter",
    "MissingRight",
    "NearMisses",
    "NewerDatabase",
    "NotFound",
    "Order",
    "OutdatedDatabase",
    "Page",
    "Positions",
    "Pruned",
    "Pruning",
    "Query",
    "Record",
    "Reject",
    "Rejects",
    "Retention",
    "Saved",
    "StoredSize",
    "TopicBook",
    "Unavailable",
    "Unhandled",
    "UnreadEvents",
    "VersionConflict",
    "WrongDatabase",
]
