"""Sends the engine back in its journal: takes it over, forgets what it knows, and sets where it reads on.

Knows the journal of the database; must not know how a foreign journal finds its positions.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import delete, func, insert, select, update

from monitor.core.model.events import HOUR, Instant, to_datetime
from monitor.ops.tasks import to_the_end
from monitor.ports import Held
from monitor.store.codec import plain
from monitor.store.connections import Database
from monitor.store.engine_store import SqlEngineStore
from monitor.store.journal import PARTITION, READ_BEFORE
from monitor.store.repetition import first_day
from monitor.store.tables import (
    engine_cells,
    engine_owners,
    engine_positions,
    event_history,
    journal,
    journal_clusters,
    not_opened,
    not_opened_counts,
    rewinds,
    scoped_cells,
)

OWNER = "rewind"
_IN_JOURNAL = engine_positions.c.partition.in_((PARTITION, READ_BEFORE))


class JournalPlace(msgspec.Struct, frozen=True):
    """The place of a time in the journal of the database; `oldest` is the time of its first event. None: no such."""

    position: int | None
    oldest: Instant | None


class SqlRewind:
    """Rewinds on SQL."""

    def __init__(self, records: Database, journal: Database, engine_store: SqlEngineStore) -> None:
        self._records = records
        self._journal = journal
        self._engine_store = engine_store

    async def place(self, at: Instant) -> JournalPlace:
        """The first entry of the journal from which on every event of `at` or later is read. Raises Unavailable.

        Arrival differs from event time; no event arrives more than an hour before it happens.
        """
        async with self._journal.reading() as connection:
            oldest = (await connection.execute(select(func.min(journal.c.at)))).scalar_one()
            begins = (await connection.execute(select(func.min(journal.c.at)).where(journal.c.at >= at))).scalar_one()
            if begins is None:
                return JournalPlace(None, oldest)
            near = journal.c.at.between(begins, begins + HOUR)
            position = (await connection.execute(select(func.min(journal.c.position)).where(near))).scalar_one()
        return JournalPlace(int(position), Instant(oldest))

    async def own(self, lease: int) -> dict[str, int]:
        """Take every part of the journal over, so that its previous owner can no longer write; the epoch of each.

        `lease` in microseconds: an owner that showed life within it is not displaced; 0 displaces any. Raises Held,
        Unavailable.
        """
        async with self._records.reading() as connection:
            parts = list((await connection.execute(select(engine_owners.c.part))).scalars()) or [""]
        epochs: dict[str, int] = {}
        try:
            for part in sorted(parts):
                epochs[part] = (await self._engine_store.acquire(OWNER, part, lease=lease)).epoch
        except Held:
            await self.leave(epochs)
            raise
        return epochs

    async def leave(self, epochs: Mapping[str, int]) -> None:
        """Let others own the parts again. Raises Unavailable."""
        for part, epoch in epochs.items():
            await self._engine_store.release(part, epoch)

    @to_the_end
    async def rewind(
        self, positions: Mapping[str, int], floor: Instant, at: Instant, clusters: Mapping[str, str] | None = None
    ) -> None:
        """Forget what the engine knows and set where it reads on; call it while owning every part.

        Until the engine has caught up with where it stood, decisions about what began before `floor` change nothing.
        `clusters` names, by journal, the cluster that the positions are of from now on. Raises Unavailable.
        """
        until = await self._decided_until()
        async with self._records.writing() as connection:
            await connection.execute(delete(engine_cells))
            await connection.execute(delete(scoped_cells))
            for journal_name, cluster in (clusters or {}).items():
                this_one = journal_clusters.c.journal == plain(journal_name)
                await connection.execute(update(journal_clusters).where(this_one).values(cluster=plain(cluster)))
            came_to = select(func.max(engine_positions.c.position)).where(_IN_JOURNAL)
            if (reached := (await connection.execute(came_to)).scalar_one()) is not None:
                before = {"partition": READ_BEFORE, "position": reached}
                await connection.execute(self._records.upsert(engine_positions, ("partition",)), before)
            if positions:
                rows = [{"partition": plain(name), "position": position} for name, position in positions.items()]
                await connection.execute(self._records.upsert(engine_positions, ("partition",)), rows)
            # The days after the floor are counted anew, whole days, since that is how they were counted.
            day = first_day(floor)
            name = to_datetime(day).date().isoformat()
            await connection.execute(delete(not_opened_counts).where(not_opened_counts.c.day >= name))
            await connection.execute(delete(not_opened).where(not_opened.c.at >= day))
            values = {"at": int(at), "floor": int(floor), "decided_until": max(until, int(floor))}
            await connection.execute(insert(rewinds), values)

    async def _decided_until(self) -> int:
        """No window beyond this time has been judged by events: the newest that the engine has read."""
        mine = select(engine_positions.c.position).where(engine_positions.c.partition == PARTITION)
        async with self._records.reading() as connection:
            read = (await connection.execute(mine)).scalar_one_or_none() or 0
            newest = [(await connection.execute(select(func.max(event_history.c.at)))).scalar_one()]
        async with self._journal.reading() as connection:
            last = select(journal.c.at).where(journal.c.position < read).order_by(journal.c.at.desc()).limit(1)
            newest.append((await connection.execute(last)).scalar_one_or_none())
        return max((int(each) for each in newest if each is not None), default=0)
