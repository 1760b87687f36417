"""What could not be read, kept whole until an operator looks at it. Knows bytes and reasons, not formats."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from monitor.core.model.events import Instant
from monitor.ops.tasks import to_the_end
from monitor.ports import Reject
from monitor.store.codec import decode_headers, encode_headers, instant, plain, plain_or_none
from monitor.store.connections import Database
from monitor.store.reject_budget import RejectBudget
from monitor.store.tables import rejects

LONGEST_DETAIL = 4000


class SqlRejects:
    """Rejects on SQL."""

    def __init__(self, database: Database, budget: RejectBudget) -> None:
        self._database = database
        self._budget = budget

    async def add(self, added: Sequence[Reject]) -> tuple[int, ...]:
        """Keep them and return their numbers, in the same order; evicts others for them. Raises Unavailable."""
        if not added:
            return ()
        rows = [reject_row(reject) for reject in added]
        fresh = self._database.insert(rejects).on_conflict_do_nothing(index_elements=["origin"])
        try:
            return await self._database.write_at_once(partial(_insert, rows, fresh, self._budget))
        except BaseException:
            self._budget.forget()
            raise

    async def page(self, after: int | None, limit: int) -> list[Reject]:
        """Oldest first, those with a number above `after`. Raises Unavailable."""
        query = select(rejects).order_by(rejects.c.id).limit(limit)
        if after is not None:
            query = query.where(rejects.c.id > after)
        async with self._database.reading() as connection:
            return [_to_reject(row) for row in await connection.execute(query)]

    async def get(self, reject_id: int) -> Reject | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(rejects).where(rejects.c.id == reject_id))).one_or_none()
        return None if row is None else _to_reject(row)

    async def to_forward(self, limit: int) -> list[Reject]:
        """The oldest of those that wait to be forwarded. Raises Unavailable."""
        query = select(rejects).where(rejects.c.forward).order_by(rejects.c.id).limit(limit)
        async with self._database.reading() as connection:
            return [_to_reject(row) for row in await connection.execute(query)]

    @to_the_end
    async def mark_forwarded(self, reject_ids: Sequence[int]) -> None:
        """Raises Unavailable."""
        statement = update(rejects).where(rejects.c.id.in_(reject_ids)).values(forward=False)
        async with self._database.writing() as connection:
            await connection.execute(statement)

    @to_the_end
    async def mark_requeued(self, reject_id: int, at: Instant) -> None:
        """Say that it was fed in again; the last time counts. One that is not there is no error."""
        statement = update(rejects).where(rejects.c.id == reject_id).values(requeued_at=int(at))
        async with self._database.writing() as connection:
            await connection.execute(statement)

    async def count(self) -> int:
        """How many wait, that is, were never fed in again."""
        query = select(func.count()).select_from(rejects).where(rejects.c.requeued_at.is_(None))
        async with self._database.reading() as connection:
            return int((await connection.execute(query)).scalar_one())


def reject_row(reject: Reject) -> dict[str, Any]:
    """The reject as a row. The bytes are kept whole, the detail is cut."""
    return {
        "source": plain(reject.source),
        "reason": plain(reject.reason),
        "detail": plain(reject.detail)[:LONGEST_DETAIL],
        "body": reject.body,
        "headers": encode_headers({plain(name): plain(value) for name, value in reject.headers.items()}),
        "received_at": int(reject.received_at),
        "requeued_at": None if reject.requeued_at is None else int(reject.requeued_at),
        "origin": plain_or_none(reject.origin),
        "forward": reject.forward,
    }


def _insert(rows: list[dict[str, Any]], fresh: Any, budget: RejectBudget, connection: Connection) -> tuple[int, ...]:
    """Their numbers; what comes from the same place, before or twice in one call, has one number and is kept once."""
    places: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["origin"] is not None:
            places.setdefault(row["origin"], row)
    known = _numbers(connection, places)
    added = [row for origin, row in places.items() if origin not in known]
    if added:
        # Another process may add the same at this moment, which then is the one.
        connection.execute(fresh, added)
        known = _numbers(connection, places)
    numbers: list[int] = []
    if others := [row for row in rows if row["origin"] is None]:
        statement = insert(rejects).returning(rejects.c.id, sort_by_parameter_order=True)
        numbers += connection.execute(statement, others).scalars()
    given = iter(numbers)
    found = tuple(next(given) if row["origin"] is None else known[row["origin"]] for row in rows)
    if added or others:
        budget.added(connection, [*added, *others], max(found))
    return found


def _numbers(connection: Connection, origins: Collection[str]) -> dict[str, int]:
    """Those that are there, by where they came from."""
    query = select(rejects.c.origin, rejects.c.id).where(rejects.c.origin.in_(list(origins)))
    return {row.origin: row.id for row in connection.execute(query)} if origins else {}


def _to_reject(row: Row[Any]) -> Reject:
    return Reject(
        source=row.source,
        reason=row.reason,
        detail=row.detail,
        body=bytes(row.body),
        received_at=Instant(row.received_at),
        headers=decode_headers(row.headers),
        id=row.id,
        requeued_at=instant(row.requeued_at),
        origin=row.origin,
        forward=row.forward,
    )
