"""The events of the past, by time and service: from our own journal and from what was kept of a foreign one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, and_, func, or_, select

from monitor.core.model.events import Event, EventId, Instant
from monitor.decode.canonical import Unreadable
from monitor.ops.logs import get_logger
from monitor.store.codec import decode_event, plain
from monitor.store.connections import Database
from monitor.store.tables import event_history, journal

_ROWS = 1000
_OVERLAP = 1000
Arrivals = tuple[int, int]
"""How far the own journal and the stored part of a foreign one were read."""
_log = get_logger("history")


EVER = (Instant(-(2**62)), Instant(2**62))
"""Earlier and later than every event."""


class SqlHistory:
    """Asks for events of the past."""

    def __init__(self, records: Database, journal: Database) -> None:
        self._records = records
        self._journal = journal

    async def events(
        self, since: Instant, until: Instant, service: str | None = None, kinds: Collection[str] = ()
    ) -> AsyncIterator[Event]:
        """Events with `since` <= time < `until`, by time; only of `kinds`, if any. Raises Unavailable.

        An event that came by our journal and by a foreign one comes twice; it is the same event. One that cannot be
        read any more is left out and logged: the engine kept it as a reject when it met it.
        """
        own = _rows(self._journal, journal, since, until, service, kinds)
        foreign = _rows(self._records, event_history, since, until, service, kinds)
        async for row in _merged(own, foreign):
            try:
                yield decode_event(row.body)
            except Unreadable as error:
                _log.warning("unreadable_event", source=row.source, event_id=row.event_id, reason=str(error.reason))

    async def arrived(self, after: Arrivals | None, kinds: Collection[str], limit: int) -> tuple[list[Event], Arrivals]:
        """At most `limit` events of some kinds from each journal, in the order of arrival, and where to go on.

        None: nothing yet, from now on. The stored part of a foreign journal is read again for a while, since several
        processes write there and the last number need not be the last that becomes visible: events may come twice.
        """
        found: list[Event] = []
        places: list[int] = []
        for (database, table), place in zip(self._tables(), after or (None, None), strict=True):
            top = select(func.max(table.c.position))
            async with database.reading() as connection:
                newest = int((await connection.execute(top)).scalar_one() or 0)
                if place is None:
                    places.append(newest)
                    continue
                start = place if table is journal else place - _OVERLAP
                wanted = and_(table.c.position > start, table.c.position <= newest, table.c.kind.in_(sorted(kinds)))
                query = select(table).where(wanted).order_by(table.c.position).limit(limit)
                rows = (await connection.execute(query)).all()
            places.append(newest if len(rows) < limit else max(place, rows[-1].position))
            for row in rows:
                try:
                    found.append(decode_event(row.body))
                except Unreadable as error:
                    _log.warning("unreadable_event", source=row.source, event_id=row.event_id, reason=str(error.reason))
        return found, (places[0], places[1])

    async def span(self, since: Instant = EVER[0], until: Instant = EVER[1]) -> tuple[Instant, Instant] | None:
        """The times of the first and the last event with `since` <= time < `until`; None where there is none.

        Raises Unavailable.
        """
        found: list[int] = []
        for database, table in self._tables():
            query = ends(table.c.at, table.c.at >= int(since), table.c.at < int(until))
            async with database.reading() as connection:
                found += [each for each in (await connection.execute(query)).one() if each is not None]
        return (Instant(min(found)), Instant(max(found))) if found else None

    async def find(self, event_id: EventId) -> Event | None:
        """The event of this identity. Raises Unavailable, and Unreadable for one that cannot be read any more."""
        for database, table in self._tables():
            query = select(table.c.body).where(table.c.source == event_id.source, table.c.event_id == event_id.id)
            async with database.reading() as connection:
                body = (await connection.execute(query)).scalar_one_or_none()
            if body is not None:
                return decode_event(body)
        return None

    def _tables(self) -> tuple[tuple[Database, Table], ...]:
        return (self._journal, journal), (self._records, event_history)


def ends(column: Column[Any], *where: ColumnElement[bool]) -> Select[Any]:
    """The least and the greatest value of an indexed column, None each where there is none.

    Asked for one by one each is the first entry of the index; asked for both SQLite reads all of it.
    """
    return select(*(select(end(column)).where(*where).scalar_subquery() for end in (func.min, func.max)))


async def _rows(
    database: Database,
    table: Table,
    since: Instant,
    until: Instant,
    service: str | None,
    kinds: Collection[str] = (),
) -> AsyncIterator[Any]:
    """By time, then by position. Read in pieces, so that no transaction stays open while they are processed."""
    at, position = table.c.at, table.c.position
    after: tuple[int, int] = (int(since), -1)
    while True:
        # The bound on `at` alone is what lets the index begin in the right place.
        onwards = and_(at >= after[0], or_(at > after[0], position > after[1]))
        query = select(table).where(at < int(until), onwards)
        if service is not None:
            query = query.where(table.c.service == plain(service))
        if kinds:
            query = query.where(table.c.kind.in_(sorted(kinds)))
        async with database.reading() as connection:
            rows: Sequence[Any] = (await connection.execute(query.order_by(at, position).limit(_ROWS))).all()
        for row in rows:
            yield row
        if len(rows) < _ROWS:
            return
        after = (rows[-1].at, rows[-1].position)


async def _merged(first: AsyncIterator[Any], second: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Both, in the order of time."""
    left, right = await anext(first, None), await anext(second, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left.at <= right.at):
            yield left
            left = await anext(first, None)
        else:
            yield right
            right = await anext(second, None)
