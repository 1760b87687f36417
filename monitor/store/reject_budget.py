"""Bounds rejects in bytes: all together, each source, and strangers together; evicts the oldest where it is too much.

Decides what is evicted. A sender that proved nothing cannot take the room of one that did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, not_, or_, select

from monitor.core.model.reasons import Rejected
from monitor.store.tables import rejects

DEFAULT_BYTES = 256 * 1024**2
SOURCE_SHARE = 4
"""One source may take a quarter of all."""
STRANGER_SHARE = 16
"""Senders that proved nothing may take a sixteenth of all, together."""
STRANGERS = "strangers"
STRANGE = tuple(map(str, (Rejected.BAD_SIGNATURE, Rejected.UNKNOWN_SOURCE, Rejected.TOO_LARGE)))
_ROW_BYTES = 300
"""What a row takes beside its texts and its body, with its index entries."""
_STEP = 100

_SIZE = func.length(rejects.c.body) + func.length(rejects.c.headers) + func.length(rejects.c.detail) + _ROW_BYTES


class RejectBudget:
    """Knows how much there is of what, so that an insert need not look at everything."""

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        self._limit = limit
        self._held: dict[str, int] | None = None
        self._evicted = 0

    def take_evicted(self) -> int:
        """How many rejects were evicted since the last call."""
        evicted, self._evicted = self._evicted, 0
        return evicted

    def recount(self, connection: Connection) -> bool:
        """Look at everything, since other processes and the engine add rejects too; whether there is too much."""
        self._held = _held(connection)
        return sum(self._held.values()) > self._limit or any(
            held > self._share(category) for category, held in self._held.items()
        )

    def make_room(self, connection: Connection) -> None:
        """Evict what is too much by the last count."""
        if self._held is not None:
            self._make_room(connection, newest=None)

    def _share(self, category: str) -> int:
        return self._limit // (STRANGER_SHARE if category == STRANGERS else SOURCE_SHARE)

    def added(self, connection: Connection, rows: Sequence[Mapping[str, Any]], newest: int) -> None:
        """Count rows that this transaction inserted, and make room. The newest one stays, however large it is."""
        if self._held is None:
            self._held = _held(connection)
        else:
            for row in rows:
                category = category_of(row["source"], row["reason"])
                self._held[category] = self._held.get(category, 0) + _size_of(row)
        self._make_room(connection, newest)

    def forget(self) -> None:
        """The transaction was rolled back: what is known may be wrong."""
        self._held = None

    def _make_room(self, connection: Connection, newest: int | None) -> None:
        assert self._held is not None
        for category, held in list(self._held.items()):
            if (beyond := held - self._share(category)) > 0:
                self._evict(connection, category, beyond, newest)
        while (beyond := sum(self._held.values()) - self._limit) > 0:
            largest = max(self._held, key=lambda name: self._held[name] if self._held else 0)
            if not self._evict(connection, largest, beyond, newest):
                return

    def _evict(self, connection: Connection, category: str, wanted: int, newest: int | None) -> int:
        """The oldest of one category, until so many bytes are free; how many bytes there were."""
        assert self._held is not None
        free = 0
        condition = and_(_of(category), not_(rejects.c.forward))
        if newest is not None:
            condition = and_(condition, rejects.c.id < newest)
        oldest = select(rejects.c.id, _SIZE.label("size")).where(condition).order_by(rejects.c.id).limit(_STEP)
        while free < wanted:
            gone = []
            for row in connection.execute(oldest):
                if free >= wanted:
                    break
                gone.append(row.id)
                free += row.size
            if not gone:
                break
            connection.execute(delete(rejects).where(rejects.c.id.in_(gone)))
            self._evicted += len(gone)
        self._held[category] -= free
        return free


def category_of(source: str, reason: str) -> str:
    """Whose room a reject takes: that of the strangers, or of its tool."""
    return STRANGERS if reason in STRANGE else source.partition("/")[0]


def _of(category: str) -> ColumnElement[bool]:
    strange = rejects.c.reason.in_(STRANGE)
    if category == STRANGERS:
        return strange
    own = or_(rejects.c.source == category, rejects.c.source.startswith(f"{category}/", autoescape=True))
    return and_(own, not_(strange))


def _held(connection: Connection) -> dict[str, int]:
    query = select(rejects.c.source, rejects.c.reason, func.sum(_SIZE)).group_by(rejects.c.source, rejects.c.reason)
    held: dict[str, int] = {}
    for source, reason, size in connection.execute(query):
        category = category_of(source, reason)
        held[category] = held.get(category, 0) + int(size)
    return held


def _size_of(row: Mapping[str, Any]) -> int:
    return len(row["body"]) + len(row["headers"]) + len(row["detail"]) + _ROW_BYTES
