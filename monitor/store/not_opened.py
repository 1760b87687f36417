"""What was not opened, and why: permanent counts, and the newest ones whole for the explain page.

Knows the engine's `Ignore`, and nothing of records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.decisions import Ignore
from monitor.core.model.events import DAY, to_datetime
from monitor.store.bulk import add_new
from monitor.store.codec import decode_ignore, encode_ignore, plain, plain_or_none
from monitor.store.connections import Database
from monitor.store.tables import not_opened, not_opened_counts

KEPT = 10_000


class NotOpenedCount(msgspec.Struct, frozen=True):
    """How often a reason was given on a day (UTC, such as 2026-01-31); `rule` is None for all decisions together.

    A decision that concerns two rules counts for each of them, and once under None.
    """

    day: str
    reason: str
    rule: str | None
    count: int


class SqlNotOpened:
    """Asks for what was not opened."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(self, limit: int, reason: str | None = None, service: str | None = None) -> list[Ignore]:
        """The newest decisions first; of those that the engine made, only the last 10,000 or so are kept."""
        query = select(not_opened.c.body).order_by(not_opened.c.id.desc()).limit(limit)
        if reason is not None:
            query = query.where(not_opened.c.reason == reason)
        if service is not None:
            query = query.where(not_opened.c.service == service)
        async with self._database.reading() as connection:
            return [decode_ignore(body) for body in (await connection.execute(query)).scalars()]

    async def counts(self, since_day: str) -> list[NotOpenedCount]:
        """All counts from that day (inclusive) on, oldest day first."""
        counts = not_opened_counts.c
        query = select(counts.day, counts.reason, counts.rule, counts.count).where(counts.day >= since_day)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(counts.day, counts.reason, counts.rule))
            return [NotOpenedCount(row.day, row.reason, row.rule or None, row[3]) for row in rows]


async def add_not_opened(database: Database, connection: AsyncConnection, ignored: Sequence[Ignore]) -> None:
    """Count all of them and keep the newest, in the caller's transaction."""
    if not ignored:
        return
    counted: Counter[tuple[str, str, str]] = Counter()
    alike = Counter((each.at // DAY, each.reason, each.rules) for each in ignored)
    for (number, reason, rules), times in alike.items():
        day = to_datetime(number * DAY).date().isoformat()
        for rule in ("", *rules):
            counted[day, str(reason), plain(rule)] += times
    upsert = database.insert(not_opened_counts)
    upsert = upsert.on_conflict_do_update(
        index_elements=["day", "reason", "rule"],
        set_={"count": not_opened_counts.c.count + upsert.excluded["count"]},
    )
    rows = [{"day": d, "reason": r, "rule": rule, "count": n} for (d, r, rule), n in sorted(counted.items())]
    await connection.execute(upsert, rows)
    # Made as they are written, so that others have their turn in between.
    newest = (
        (str(each.reason), int(each.at), plain_or_none(each.service), encode_ignore(each)) for each in ignored[-KEPT:]
    )
    await add_new(connection, not_opened, ("reason", "at", "service", "body"), newest)
    last = select(func.max(not_opened.c.id) - KEPT).scalar_subquery()
    await connection.execute(delete(not_opened).where(not_opened.c.id <= last))
