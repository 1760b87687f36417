"""Whether the journal is the one that the records belong to, and as new as they are; what an operator may decide else.

Decides by identity, generation and position; must not know what an entry says.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, insert, select, update

from monitor.ops.tasks import to_the_end
from monitor.store.connections import Database
from monitor.store.journal import PARTITION, READ_BEFORE, JournalLost
from monitor.store.tables import engine_positions, journal_binding, journal_head, journal_stamp

_CURE = (
    "Restore the journal and the records from the same backup; or, to go on with what is there, run "
    "`nearmiss db accept-journal`, which says what that costs"
)
_PROBE = 0
"""The id of a row that only the readiness writes; the binding itself has 1."""
_OURS = journal_binding.c.id == 1


class Joint(msgspec.Struct, frozen=True):
    """Journal and records side by side. `bound_*`: what the records know; None where they were never used.

    `position`: the entry that the engine reads next; None where it never read. `head`: the last entry.
    """

    identity: str
    generation: int
    head: int
    pruned: int
    bound_identity: str | None
    bound_generation: int
    position: int | None

    @property
    def problem(self) -> str | None:
        """Why the two do not fit; None where they do."""
        if self.bound_identity is not None and self.bound_identity != self.identity:
            return f"the records belong to another journal ({self.bound_identity[:8]}) than this ({self.identity[:8]})"
        if self.generation < self.bound_generation:
            return (
                f"the journal was opened {self.generation} times, but the records saw it opened "
                f"{self.bound_generation} times: it was restored from an older backup"
            )
        if self.position is not None and self.position > self.head + 1:
            return (
                f"the engine has read the journal up to entry {self.position - 1}, but the journal ends at entry "
                f"{self.head}: it was replaced or restored from an older backup"
            )
        return None

    @property
    def cost(self) -> str:
        """What going on with this journal means, in words for an operator."""
        if self.position is None or self.position <= self.head + 1:
            read_on = self.position or 1
            said = f"the engine reads on at entry {read_on} of {self.head}"
        else:
            read_on = self.head + 1
            said = f"the engine reads on after entry {self.head}, the last that there is"
        if read_on <= self.pruned:
            said += f"; entries {read_on} to {self.pruned} were removed by retention and are skipped, counted"
        return (
            said + ". Events that only the lost journal had are decided as far as they were committed, and no further"
        )


class SqlBinding:
    """The joint of two databases, which on PostgreSQL are one."""

    def __init__(self, records: Database, journal: Database) -> None:
        self._records = records
        self._journal = journal

    async def look(self) -> Joint:
        """Raises Unavailable."""
        async with self._journal.reading() as connection:
            stamp = (await connection.execute(select(journal_stamp))).one()
            head = int((await connection.execute(select(journal_head.c.position))).scalar_one())
        place = select(engine_positions.c.position).where(engine_positions.c.partition == PARTITION)
        async with self._records.reading() as connection:
            bound = (await connection.execute(select(journal_binding).where(_OURS))).one_or_none()
            position = (await connection.execute(place)).scalar_one_or_none()
        return Joint(
            identity=stamp.identity,
            generation=int(stamp.generation),
            head=head,
            pruned=int(stamp.pruned),
            bound_identity=None if bound is None else bound.identity,
            bound_generation=0 if bound is None else int(bound.generation),
            position=None if position is None else int(position),
        )

    @to_the_end
    async def check(self) -> None:
        """Once a start, before anything is taken in: count the start in both. Raises JournalLost, Unavailable."""
        joint = await self.look()
        if joint.problem is not None:
            raise JournalLost(f"{joint.problem}. {_CURE}")
        # The journal first: where only this is done, it is newer than the records know, which is fine.
        async with self._journal.writing() as connection:
            opened = update(journal_stamp).values(generation=journal_stamp.c.generation + 1)
            generation = (await connection.execute(opened.returning(journal_stamp.c.generation))).scalar_one()
        await self._bind(joint.identity, int(generation))

    @to_the_end
    async def accept(self) -> Joint:
        """Go on with this journal: the records belong to it from now on. What was there before. Raises Unavailable."""
        joint = await self.look()
        async with self._records.writing() as connection:
            if joint.position is not None and joint.position > joint.head + 1:
                place = engine_positions.c.partition == PARTITION
                await connection.execute(update(engine_positions).where(place).values(position=joint.head + 1))
            await connection.execute(delete(engine_positions).where(engine_positions.c.partition == READ_BEFORE))
            values = {"identity": joint.identity, "generation": joint.generation}
            if joint.bound_identity is None:
                await connection.execute(insert(journal_binding), {"id": 1, **values})
            else:
                await connection.execute(update(journal_binding).where(_OURS).values(values))
        return joint

    @to_the_end
    async def touch(self) -> None:
        """Change nothing, but write: the caller wants to know that it works. Raises Unavailable, MissingRight."""
        same = update(journal_stamp).values(generation=journal_stamp.c.generation)
        await self._journal.write_at_once(lambda connection: connection.execute(same))
        if self._records is not self._journal:
            insert_probe = self._records.insert(journal_binding).values(id=_PROBE, identity="", generation=0)
            again = insert_probe.on_conflict_do_update(index_elements=["id"], set_={"identity": ""})
            await self._records.write_at_once(lambda connection: connection.execute(again))

    async def _bind(self, identity: str, generation: int) -> None:
        row = {"id": 1, "identity": identity, "generation": generation}
        known = _OURS & (journal_binding.c.generation < generation)
        async with self._records.writing() as connection:
            await connection.execute(self._records.insert(journal_binding).on_conflict_do_nothing(), row)
            await connection.execute(update(journal_binding).where(known).values(generation=generation))
