"""The journal in SQL: append-only, ordered, each identity once. What `append` returned for is durable.

Knows events as rows; decides nothing by what they say.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, select, update

from monitor.core.model.events import Event, Instant
from monitor.decode.canonical import Unreadable
from monitor.ops.logs import get_logger
from monitor.ops.tasks import WatchedTasks, in_thread
from monitor.ports import Appended, Batch, Positions, Reject, Unavailable
from monitor.store.codec import decode_event, encode_event, plain, plain_or_none
from monitor.store.connections import Database
from monitor.store.tables import journal, journal_head, journal_stamp

PARTITION = "journal"
READ_BEFORE = f"{PARTITION}:read"
"""Where the engine had come before it was sent back: what it reads again from there is no backlog."""
GROUP_EVENTS = 2000
CLOSE_SECONDS = 10.0
READ_INLINE = 64 * 1024
"""Bytes of events."""
_log = get_logger("journal")

Row = dict[str, Any]
Identity = tuple[str, str]


class JournalLost(Exception):
    """The journal is not the one that the engine read: it is another one, or an older copy of it."""


class _Ticket:
    """One caller's events, waiting for the transaction that carries them."""

    __slots__ = ("done", "rows")

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.done: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

    def succeed(self, appended: Appended) -> None:
        if not self.done.done():
            self.done.set_result(appended)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class SqlJournal:
    """JournalWriter and JournalReader on a SQL table.

    Appends that arrive during a transaction share the next one: the cost of making
    something durable is paid once for many. One reader a process.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tasks = WatchedTasks()
        self._waiting: deque[_Ticket] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._grown = asyncio.Event()
        self._written = 0
        self._read = 0
        self._pruned: int | None = None

    def start(self) -> None:
        """Begin to carry appends; call it once, within the running loop."""
        self._tasks.start("journal_writer", self._write())

    async def close(self) -> None:
        """Carry what waits, then refuse more."""
        self._closing = True
        self._wake.set()
        await self._tasks.end(CLOSE_SECONDS)
        for ticket in self._waiting:
            ticket.fail(Unavailable("the journal is closed"))

    async def append(self, events: Sequence[Event]) -> Appended:
        if not events:
            return Appended(())
        if self._closing:
            raise Unavailable("the journal is closed")
        rows = [dict(zip(EVENT_COLUMNS, event_row(event, encode_event(event)), strict=True)) for event in events]
        ticket = _Ticket(rows)
        self._waiting.append(ticket)
        self._wake.set()
        return await ticket.done

    async def read(self, positions: Positions, limit: int) -> Batch:
        """Raises Unavailable, and JournalLost when the position is beyond the end."""
        start = positions.get(PARTITION, 1)
        rows, head = await self._database.read_at_once(partial(_select, start, limit))
        if head is not None and start > head + 1:
            raise JournalLost(
                f"the engine has read the journal up to entry {start - 1}, but it ends at entry {head}: it was "
                "replaced or restored from an older backup. Restore both from one backup"
            )
        pruned = await self._pruned_up_to()
        following = rows[-1].position + 1 if rows else max(start, pruned + 1)
        lost = _missing(start, following, rows, pruned)
        self._read = following - 1
        # In the event loop only where it takes no time: a thousand large events take as long as a large body.
        size = sum(len(row.body) for row in rows)
        events, rejects = await in_thread(_decoded, rows) if size > READ_INLINE else _decoded(rows)
        at_head = len(rows) < limit
        return Batch(events, {PARTITION: following}, at_head=at_head, rejects=rejects, lost=lost, size=size)

    async def _pruned_up_to(self) -> int:
        """The last entry that was removed when we began to read; what we have still to read is not removed since."""
        if self._pruned is None:
            self._pruned = await self._database.read_at_once(_pruned)
        return self._pruned

    async def wait(self, timeout: float) -> None:
        """Appends of this process end it at once; those of others are seen after `timeout` seconds."""
        if self._written > self._read:
            return
        self._grown.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._grown.wait()
        except TimeoutError:
            return

    async def _write(self) -> None:
        while not (self._closing and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._carry(self._take())

    def _take(self) -> list[_Ticket]:
        group = [self._waiting.popleft()]
        size = len(group[0].rows)
        while self._waiting and (size := size + len(self._waiting[0].rows)) <= GROUP_EVENTS:
            group.append(self._waiting.popleft())
        return group

    async def _carry(self, group: Sequence[_Ticket]) -> None:
        """One transaction for the whole group. An error that is one caller's own must not hit its neighbours."""
        try:
            fresh = await self._insert([row for ticket in group for row in ticket.rows])
        except asyncio.CancelledError:
            for ticket in group:
                ticket.fail(Unavailable("the journal is closed"))
            raise
        except Unavailable as error:
            for ticket in group:
                again = Unavailable(*error.args)
                again.__cause__ = error
                ticket.fail(again)
        except Exception as error:  # noqa: BLE001 - handed to the caller whose events caused it
            if len(group) == 1:
                group[0].fail(error)
                return
            _log.warning("journal_group_split", tickets=len(group), why=type(error).__name__)
            for ticket in group:
                await self._carry([ticket])
        else:
            start = 0
            for ticket in group:
                ticket.succeed(Appended(tuple(fresh[start : start + len(ticket.rows)])))
                start += len(ticket.rows)

    async def _insert(self, rows: Sequence[Row]) -> list[bool]:
        """Which rows were new. The first of the same identity is, the others are not."""
        first: dict[Identity, Row] = {}
        for row in rows:
            first.setdefault((row["source"], row["event_id"]), row)
        inserted = await self._database.write_at_once(partial(self._store, first))
        if inserted:
            self._written = max(row["position"] for identity, row in first.items() if identity in inserted)
            self._grown.set()
        return [(identity := (row["source"], row["event_id"])) in inserted and first[identity] is row for row in rows]

    def _store(self, first: Mapping[Identity, Row], connection: Connection) -> set[Identity]:
        """Give each row its position and insert it unless its identity is known; tell which were inserted."""
        insert = self._database.insert(journal).on_conflict_do_nothing().returning(journal.c.source, journal.c.event_id)
        advance = update(journal_head).values(position=journal_head.c.position + len(first))
        head = connection.execute(advance.returning(journal_head.c.position)).scalar_one()
        for position, row in enumerate(first.values(), head - len(first) + 1):
            row["position"] = position
        return {(row.source, row.event_id) for row in connection.execute(insert, list(first.values()))}


EVENT_COLUMNS = ("source", "event_id", "at", "service", "kind", "body")
"""What the journal and the history have in common; each has a position besides."""


def event_row(event: Event, body: bytes) -> tuple[Any, ...]:
    """An event's values of `EVENT_COLUMNS`. `body`: its JSON."""
    return (
        plain(event.source),
        plain(event.id),
        int(event.time),
        plain_or_none(event.service),
        event.kind,
        body,
    )


def _select(start: int, limit: int, connection: Connection) -> tuple[Sequence[Any], int | None]:
    """The rows from `start` on; where there are none, also the position of the last entry of all."""
    columns = (journal.c.position, journal.c.source, journal.c.event_id, journal.c.at, journal.c.body)
    query = select(*columns).where(journal.c.position >= start).order_by(journal.c.position).limit(limit)
    rows = connection.execute(query).all()
    return rows, None if rows else connection.execute(select(journal_head.c.position)).scalar_one()


def _pruned(connection: Connection) -> int:
    return int(connection.execute(select(journal_stamp.c.pruned)).scalar_one())


def _missing(start: int, following: int, rows: Sequence[Any], pruned: int) -> int:
    """How many entries at most retention removed before they were read: duplicates leave numbers unused as well."""
    end = min(following - 1, pruned)
    return 0 if end < start else end - start + 1 - sum(row.position <= pruned for row in rows)


def _decoded(rows: Sequence[Any]) -> tuple[tuple[Event, ...], tuple[Reject, ...]]:
    events: list[Event] = []
    rejects: list[Reject] = []
    for row in rows:
        try:
            events.append(decode_event(row.body))
        except Unreadable as error:
            # It was readable when it came: a defect, or a newer program. It must not stop the stream.
            body = bytes(row.body)
            origin = f"{PARTITION}/{row.position}/{crc32(body):08x}"
            rejects.append(Reject(row.source, str(error.reason), error.detail, body, Instant(row.at), origin=origin))
    return tuple(events), tuple(rejects)
