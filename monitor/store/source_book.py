"""What arrived from each source, by hour and day, added up over all processes. Knows counts and no event."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import case, delete, func, select

from monitor.core.model.events import DAY, HOUR, Instant
from monitor.ops.arrivals import SourceHour, SourceWord
from monitor.ops.tasks import to_the_end
from monitor.store.codec import plain
from monitor.store.connections import Database
from monitor.store.tables import source_hours, source_words

KEPT = 21 * DAY


class SqlSourceBook:
    """SourceBook on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @to_the_end
    async def add(self, hours: Sequence[SourceHour], words: Sequence[SourceWord], now: Instant) -> None:
        """Add to what is there, and forget what is older than three weeks. Raises Unavailable."""
        hour = self._database.insert(source_hours)
        of, new = source_hours.c, hour.excluded
        hour = hour.on_conflict_do_update(
            index_elements=["source", "hour"],
            set_={
                "received": of.received + new.received,
                "last_at": case((new.last_at > of.last_at, new.last_at), else_=of.last_at),
                "newest": case((of.newest.is_(None) | (new.newest > of.newest), new.newest), else_=of.newest),
                "least_lag": case(
                    (of.least_lag.is_(None) | (new.least_lag < of.least_lag), new.least_lag), else_=of.least_lag
                ),
            },
        )
        word = self._database.insert(source_words)
        of_word, new_word = source_words.c, word.excluded
        word = word.on_conflict_do_update(
            index_elements=["source", "day", "what", "word"],
            set_={
                "count": of_word["count"] + new_word["count"],
                "detail": case((func.length(new_word.detail) > 0, new_word.detail), else_=of_word.detail),
            },
        )
        async with self._database.writing() as connection:
            if hours:
                await connection.execute(hour, [_hour_row(each) for each in hours])
            if words:
                await connection.execute(word, [_word_row(each) for each in words])
            await connection.execute(delete(source_hours).where(source_hours.c.hour < (now - KEPT) // HOUR))
            await connection.execute(delete(source_words).where(source_words.c.day < (now - KEPT) // DAY))

    async def hours(self, since: Instant) -> list[SourceHour]:
        """Every hour that ends after `since`. Raises Unavailable."""
        of = source_hours.c
        query = select(of.source, of.hour, of.received, of.last_at, of.newest, of.least_lag)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.where(of.hour >= since // HOUR))
            return [
                SourceHour(row[0], row[1], row[2], Instant(row[3]), None if row[4] is None else Instant(row[4]), row[5])
                for row in rows
            ]

    async def words(self, since: Instant) -> list[SourceWord]:
        """Every word of the days from that of `since` on. Raises Unavailable."""
        of = source_words.c
        query = select(of.source, of.day, of.what, of.word, of["count"], of.detail).where(of.day >= since // DAY)
        async with self._database.reading() as connection:
            return [SourceWord(*row) for row in await connection.execute(query.order_by(of.day))]


def _hour_row(each: SourceHour) -> dict[str, object]:
    return {
        "source": plain(each.source),
        "hour": each.hour,
        "received": each.received,
        "last_at": int(each.last_at),
        "newest": None if each.newest is None else int(each.newest),
        "least_lag": each.least_lag,
    }


def _word_row(each: SourceWord) -> dict[str, object]:
    return {
        "source": plain(each.source),
        "day": each.day,
        "what": each.what,
        "word": plain(each.word),
        "count": each.count,
        "detail": plain(each.detail),
    }
