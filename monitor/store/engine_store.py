"""The engine's memory: one batch is one transaction, and only the newest owner may write.

Knows state cells as bytes and decisions as orders; must not know what either is about.
"""

from __future__ import annotations

import uuid

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.decisions import Amend, Ignore, Late, Merge, Open, Withdraw
from monitor.ops.tasks import to_the_end
from monitor.ports import Commit, Fenced, Saved
from monitor.store import verdicts
from monitor.store.connections import Database
from monitor.store.journal import event_row
from monitor.store.not_opened import add_not_opened
from monitor.store.rejects import reject_row
from monitor.store.tables import engine_cells, engine_owner, engine_positions, event_history, rejects

_IN_LIST = 500


class SqlEngineStore:
    """EngineStore on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last: tuple[Commit, str] | None = None

    @to_the_end
    async def acquire(self, owner: str) -> Saved:
        take = update(engine_owner).values(epoch=engine_owner.c.epoch + 1, owner=owner, last_commit="")
        async with self._database.writing() as connection:
            epoch = (await connection.execute(take.returning(engine_owner.c.epoch))).scalar_one()
            cells = await connection.execute(select(engine_cells.c.key, engine_cells.c.value))
            positions = await connection.execute(select(engine_positions.c.partition, engine_positions.c.position))
            return Saved(
                cells={key: bytes(value) for key, value in cells},
                positions={partition: position for partition, position in positions},  # noqa: C416 - rows, not pairs
                epoch=epoch,
            )

    @to_the_end
    async def commit(self, commit: Commit) -> int:
        """Carrying the same commit out again changes nothing.

        A caller who was told Unavailable cannot know whether the database had committed before the connection broke,
        and tries the same one again. Hence each is named by a token that is written with it.
        """
        if self._last is None or self._last[0] is not commit:
            self._last = (commit, uuid.uuid4().hex)
        token = self._last[1]
        async with self._database.writing() as connection:
            contradicted = 0
            if await self._is_done(connection, commit.epoch, token):
                return contradicted
            await self._remember(connection, commit)
            for decision in commit.decisions:
                match decision:
                    case Open(draft) | Amend(draft):
                        await verdicts.stand(connection, draft, commit.at)
                    case Withdraw():
                        contradicted += await verdicts.withdraw(connection, decision, commit.at)
                    case Merge():
                        await verdicts.merge(connection, decision, commit.at)
                    case Ignore() | Late():
                        pass
            await add_not_opened(
                self._database, connection, [each for each in commit.decisions if isinstance(each, Ignore)]
            )
            return contradicted

    async def _is_done(self, connection: AsyncConnection, epoch: int, token: str) -> bool:
        """Whether this very commit was carried out already. Locks the owner's row, so that no two owners write."""
        owner = (await connection.execute(select(engine_owner).with_for_update())).one()
        if owner.epoch != epoch:
            raise Fenced(f"{owner.owner} took over: its epoch is {owner.epoch}, ours is {epoch}")
        if owner.last_commit == token:
            return True
        await connection.execute(update(engine_owner).values(last_commit=token))
        return False

    async def _remember(self, connection: AsyncConnection, commit: Commit) -> None:
        kept = [{"key": key, "value": value} for key, value in commit.cells.items() if value is not None]
        gone = [key for key, value in commit.cells.items() if value is None]
        if kept:
            await connection.execute(self._database.upsert(engine_cells, ("key",)), kept)
        for start in range(0, len(gone), _IN_LIST):
            part = gone[start : start + _IN_LIST]
            await connection.execute(delete(engine_cells).where(engine_cells.c.key.in_(part)))
        if commit.positions:
            rows = [{"partition": name, "position": position} for name, position in commit.positions.items()]
            await connection.execute(self._database.upsert(engine_positions, ("partition",)), rows)
        if commit.history:
            # A redelivery is the same event; the first copy is kept.
            await connection.execute(
                self._database.insert(event_history).on_conflict_do_nothing(),
                [event_row(event) for event in commit.history],
            )
        if commit.rejects:
            await connection.execute(insert(rejects), [reject_row(reject) for reject in commit.rejects])
