"""The state of topics besides their positions: which are halted, and which cluster they belong to.

Knows names; must not know what a topic is or who reads it.
"""

from __future__ import annotations

from sqlalchemy import delete, select, update

from monitor.core.model.events import Instant
from monitor.ops.tasks import to_the_end
from monitor.ports import Halt
from monitor.store.codec import plain
from monitor.store.connections import Database
from monitor.store.tables import engine_positions, journal_clusters, shard_spreads, topic_halts


class SqlTopicBook:
    """TopicBook on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @to_the_end
    async def bind(self, journal: str, cluster: str) -> str:
        """Of two that bind at the same time the first wins, and both get its answer. Raises Unavailable."""
        add = self._database.insert(journal_clusters).on_conflict_do_nothing()
        async with self._database.writing() as connection:
            await connection.execute(add, {"journal": plain(journal), "cluster": plain(cluster)})
            known = select(journal_clusters.c.cluster).where(journal_clusters.c.journal == plain(journal))
            return str((await connection.execute(known)).scalar_one())

    async def cluster(self, journal: str) -> str | None:
        """The cluster that the positions of `journal` belong to; None before the first `bind`. Raises Unavailable."""
        known = select(journal_clusters.c.cluster).where(journal_clusters.c.journal == plain(journal))
        async with self._database.reading() as connection:
            found: str | None = (await connection.execute(known)).scalar_one_or_none()
        return found

    async def positions(self) -> dict[str, int]:
        """Every position that an engine has committed, by partition. Raises Unavailable."""
        query = select(engine_positions.c.partition, engine_positions.c.position)
        async with self._database.reading() as connection:
            return {row.partition: row.position for row in await connection.execute(query)}

    async def halts(self) -> list[Halt]:
        """By topic. Raises Unavailable."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(topic_halts).order_by(topic_halts.c.topic))
            return [Halt(row.topic, Instant(row.at), row.detail) for row in rows]

    @to_the_end
    async def halt(self, halt: Halt) -> None:
        """The first halt of a topic stands. Raises Unavailable."""
        add = self._database.insert(topic_halts).on_conflict_do_nothing()
        row = {"topic": plain(halt.topic), "at": int(halt.at), "detail": plain(halt.detail)}
        async with self._database.writing() as connection:
            await connection.execute(add, row)

    @to_the_end
    async def resume(self, topic: str) -> bool:
        """Raises Unavailable."""
        async with self._database.writing() as connection:
            gone = await connection.execute(delete(topic_halts).where(topic_halts.c.topic == plain(topic)))
            return gone.rowcount > 0

    @to_the_end
    async def spread(self, topic: str, partitions: int) -> int:
        """Of two that ask at the same time the first wins, and both get its answer. Raises Unavailable."""
        add = self._database.insert(shard_spreads).on_conflict_do_nothing()
        async with self._database.writing() as connection:
            await connection.execute(add, {"topic": plain(topic), "partitions": partitions})
            known = select(shard_spreads.c.partitions).where(shard_spreads.c.topic == plain(topic))
            return int((await connection.execute(known)).scalar_one())

    async def known_spread(self, topic: str) -> int | None:
        """Over how many partitions the shards are spread; None before the first `spread`. Raises Unavailable."""
        known = select(shard_spreads.c.partitions).where(shard_spreads.c.topic == plain(topic))
        async with self._database.reading() as connection:
            found: int | None = (await connection.execute(known)).scalar_one_or_none()
        return found

    @to_the_end
    async def spread_anew(self, topic: str, partitions: int) -> None:
        """From now on over so many. Only while nobody reads or writes the topic, and all of it is read.

        Raises Unavailable.
        """
        this_one = shard_spreads.c.topic == plain(topic)
        async with self._database.writing() as connection:
            await connection.execute(update(shard_spreads).where(this_one).values(partitions=partitions))
