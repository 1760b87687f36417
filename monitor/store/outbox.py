"""The outbox of chats, on SQL: from the change in a record's transaction to the message in a chat.

Knows destinations as names and bodies as bytes; must not know what a chat is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.events import Instant
from monitor.ops.tasks import to_the_end
from monitor.ports import Audit
from monitor.ports.chat import DestinationState, Foretold, Letter, Post, RecordChange
from monitor.store.codec import instant, plain, plain_or_none
from monitor.store.connections import ANNOUNCES, Database
from monitor.store.tables.chat_tables import chat_posts, outbox, outbox_changes, outbox_lanes, told

_IN_LIST = 500


async def announce(connection: AsyncConnection, entries: Sequence[tuple[str, Audit]]) -> None:
    """Write the changes to the outbox, in the transaction that makes them; only where a chat is configured."""
    options = connection.sync_connection.get_execution_options() if connection.sync_connection else {}
    if not entries or not options.get(ANNOUNCES):
        return
    rows = [
        {"record_id": record_id, "at": int(entry.at), "action": entry.action, "reason": plain_or_none(entry.reason)}
        for record_id, entry in entries
    ]
    await connection.execute(insert(outbox_changes), rows)


class SqlOutbox:
    """Outbox on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changes(self, limit: int) -> list[RecordChange]:
        query = select(outbox_changes).order_by(outbox_changes.c.id).limit(limit)
        async with self._database.reading() as connection:
            return [
                RecordChange(row.id, row.record_id, Instant(row.at), row.action, row.reason)
                for row in await connection.execute(query)
            ]

    @to_the_end
    async def hand_out(self, changes: Sequence[RecordChange], letters: Sequence[Letter]) -> int:
        async with self._database.writing() as connection:
            fresh = await self._put(connection, letters)
            for start in range(0, len(changes), _IN_LIST):
                part = [change.id for change in changes[start : start + _IN_LIST]]
                await connection.execute(delete(outbox_changes).where(outbox_changes.c.id.in_(part)))
            return fresh

    async def _put(self, connection: AsyncConnection, letters: Sequence[Letter]) -> int:
        """Each once for its key: who hands the same change out twice writes nothing the second time."""
        fresh = 0
        keep = self._database.insert(outbox).on_conflict_do_nothing(index_elements=["destination", "key"])
        for letter in letters:
            row = {
                "destination": plain(letter.destination),
                "key": plain(letter.key),
                "subject": plain(letter.subject),
                "body": letter.body,
                "at": int(letter.at),
                "due_at": int(letter.due_at),
                "attempts": 0,
            }
            fresh += (await connection.execute(keep, row)).rowcount
        return fresh

    @to_the_end
    async def take(self, destination: str, owner: str, now: Instant, until: Instant) -> DestinationState | None:
        lanes, name = outbox_lanes.c, plain(destination)
        async with self._database.writing() as connection:
            new = {"destination": name, "owner": "", "owned_until": 0, "failures": 0}
            await connection.execute(self._database.insert(outbox_lanes).on_conflict_do_nothing(), new)
            free = or_(lanes.owner.in_(("", owner)), lanes.owned_until <= int(now))
            rested = or_(lanes.retry_at.is_(None), lanes.retry_at <= int(now))
            mine = update(outbox_lanes).where(lanes.destination == name, free, rested)
            taken = await connection.execute(mine.values(owner=owner, owned_until=int(until)))
            if not taken.rowcount:
                return None
            row = (await connection.execute(select(outbox_lanes).where(lanes.destination == name))).one()
            return _lane(row)

    async def due(self, destination: str, now: Instant, limit: int) -> list[Letter]:
        query = select(outbox).where(
            outbox.c.destination == plain(destination), outbox.c.done_at.is_(None), outbox.c.due_at <= int(now)
        )
        async with self._database.reading() as connection:
            return [_letter(row) for row in await connection.execute(query.order_by(outbox.c.id).limit(limit))]

    @to_the_end
    async def settle(self, letters: Sequence[Letter], now: Instant, post: Post | None = None) -> None:
        async with self._database.writing() as connection:
            await _close(connection, letters, {"done_at": int(now)})
            if post is not None:
                await self._note(connection, post)
            well = {"failures": 0, "since": None, "reason": None, "retry_at": None}
            names = {plain(letter.destination) for letter in letters}
            lanes = outbox_lanes.c
            ill = update(outbox_lanes).where(lanes.destination.in_(names), lanes.failures > 0)
            await connection.execute(ill.values(well))

    @to_the_end
    async def refuse(self, letters: Sequence[Letter], now: Instant, reason: str) -> None:
        async with self._database.writing() as connection:
            await _close(connection, letters, {"done_at": int(now), "refused": plain(reason)})

    @to_the_end
    async def put_off(self, lane: DestinationState) -> None:
        values = {
            "failures": lane.failures,
            "since": lane.since,
            "reason": plain_or_none(lane.reason),
            "retry_at": lane.retry_at,
            "owner": "",
        }
        name = outbox_lanes.c.destination == plain(lane.destination)
        async with self._database.writing() as connection:
            await connection.execute(update(outbox_lanes).where(name).values(values))

    async def release(self, destination: str, owner: str) -> None:
        mine = and_(outbox_lanes.c.destination == plain(destination), outbox_lanes.c.owner == owner)
        async with self._database.writing() as connection:
            await connection.execute(update(outbox_lanes).where(mine).values(owner=""))

    @to_the_end
    async def note(self, post: Post) -> None:
        async with self._database.writing() as connection:
            await self._note(connection, post)

    async def _note(self, connection: AsyncConnection, post: Post) -> None:
        row = {
            "destination": plain(post.destination),
            "subject": plain(post.subject),
            "place": plain(post.place),
            "key": plain(post.key),
            "at": int(post.at),
            "ref": post.ref,
            "thread": post.thread,
            "shown": post.shown,
        }
        await connection.execute(self._database.upsert(chat_posts, ("destination", "subject")), row)

    async def post(self, destination: str, subject: str) -> Post | None:
        posts = chat_posts.c
        query = select(chat_posts).where(posts.destination == plain(destination), posts.subject == plain(subject))
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _post(row)

    async def thread(self, place: str, thread: str) -> list[Post]:
        posts = chat_posts.c
        query = select(chat_posts).where(posts.thread == plain(thread), posts.place == plain(place))
        async with self._database.reading() as connection:
            return [_post(row) for row in await connection.execute(query.order_by(posts.ref))]

    async def lanes(self) -> list[DestinationState]:
        waits = func.sum(case((outbox.c.done_at.is_(None), 1), else_=0)).label("waiting")
        refused = func.count(outbox.c.refused).label("refused")
        counts = select(outbox.c.destination, waits, refused).group_by(outbox.c.destination)
        async with self._database.reading() as connection:
            known = {row.destination: _lane(row) for row in await connection.execute(select(outbox_lanes))}
            found = {row.destination: (int(row.waiting), int(row.refused)) for row in await connection.execute(counts)}
        return [
            _with_counts(known.get(name, DestinationState(name)), found.get(name, (0, 0)))
            for name in sorted({*known, *found})
        ]

    @to_the_end
    async def remember_told(self, one: Foretold, letters: Sequence[Letter]) -> bool:
        row = {
            "key": plain(one.key),
            "at": int(one.at),
            "service": plain_or_none(one.service),
            "title": plain(one.title),
            "body": one.body,
        }
        keep = self._database.insert(told).on_conflict_do_nothing(index_elements=["key"])
        async with self._database.writing() as connection:
            if not (await connection.execute(keep, row)).rowcount:
                return False
            await self._put(connection, letters)
            return True

    async def told(self, limit: int) -> list[Foretold]:
        query = select(told).order_by(told.c.at.desc(), told.c.key).limit(limit)
        async with self._database.reading() as connection:
            return [
                Foretold(row.key, Instant(row.at), row.service, row.title, bytes(row.body))
                for row in await connection.execute(query)
            ]

    @to_the_end
    async def forget(self, before: Instant) -> int:
        statements = (
            delete(outbox).where(outbox.c.done_at < int(before)),
            delete(told).where(told.c.at < int(before)),
        )
        async with self._database.writing() as connection:
            return sum([(await connection.execute(statement)).rowcount for statement in statements])


async def _close(connection: AsyncConnection, letters: Sequence[Letter], values: dict[str, Any]) -> None:
    ids = [letter.id for letter in letters]
    done = update(outbox).where(outbox.c.id.in_(ids), outbox.c.done_at.is_(None))
    await connection.execute(done.values({**values, "attempts": outbox.c.attempts + 1}))


def _lane(row: Row[Any]) -> DestinationState:
    return DestinationState(row.destination, row.failures, instant(row.since), row.reason, instant(row.retry_at))


def _with_counts(lane: DestinationState, counts: tuple[int, int]) -> DestinationState:
    return DestinationState(lane.destination, lane.failures, lane.since, lane.reason, lane.retry_at, *counts)


def _letter(row: Row[Any]) -> Letter:
    return Letter(
        row.destination,
        row.key,
        row.subject,
        bytes(row.body),
        Instant(row.at),
        Instant(row.due_at),
        row.id,
        row.attempts,
    )


def _post(row: Row[Any]) -> Post:
    return Post(row.destination, row.subject, row.place, row.key, Instant(row.at), row.ref, row.thread, row.shown)
