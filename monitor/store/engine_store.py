"""The engine's memory: one batch is one transaction, and only the newest owner may write.

Knows state cells as bytes and decisions as orders; must not know what either is about.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Select, bindparam, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.decisions import Amend, Evicted, Ignore, Late, Merge, Open, Withdraw
from monitor.ops.squeezing import Unsqueezed, squeeze
from monitor.ops.tasks import to_the_end
from monitor.ports import NOT_AT_HAND, WHOLE, Commit, Fenced, Held, Saved
from monitor.store import machine_moves
from monitor.store.arrivals import Arrived, add_events
from monitor.store.bulk import put
from monitor.store.codec import plain
from monitor.store.connections import TAKES_LONGER, Database
from monitor.store.not_opened import add_not_opened
from monitor.store.process_lock import ProcessLock
from monitor.store.rejects import reject_row
from monitor.store.repetition import last_rewind, to_carry_out
from monitor.store.tables import (
    engine_cells,
    engine_owners,
    engine_positions,
    rejects,
    scoped_cells,
)

_IN_LIST = 500
_NOW = {
    "postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
    "sqlite": "SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
}
"""Microseconds since 1970 by the database: owners on several machines are compared by one clock."""


class SqlEngineStore:
    """EngineStore on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last: dict[str, tuple[Commit, str]] = {}
        self._locks = ProcessLock(Path(database.url.database or "")) if database.is_sqlite else None

    @to_the_end
    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        """On SQLite an owner is alive as long as its process is; on PostgreSQL as long as it says so."""
        part = plain(part)
        async with self._database.writing() as connection:
            new = {"part": part, "epoch": 0, "owner": "", "last_commit": "", "seen_at": 0}
            await connection.execute(self._database.insert(engine_owners).on_conflict_do_nothing(), new)
            row = (await connection.execute(_row(part).with_for_update())).one()
            now = (await connection.execute(text(_NOW[connection.dialect.name]))).scalar_one()
            if lease and not self._is_free(part, row.owner in ("", owner) or now - row.seen_at >= lease):
                raise Held(row.owner)
            if not self._database.is_sqlite:
                # The state of millions of keys is read now.
                await connection.execute(text(TAKES_LONGER))
            taken = {"epoch": row.epoch + 1, "owner": owner, "last_commit": "", "seen_at": now}
            await connection.execute(update(engine_owners).where(engine_owners.c.part == part).values(taken))
            saved = Saved(
                cells={} if part else await _cells(connection),
                positions=await _positions(connection, part),
                epoch=row.epoch + 1,
                scopes=await _scopes(connection, scopes),
            )
            # Reading it may have taken longer than a lease lasts.
            await self._say_alive(connection, part)
            return saved

    def _is_free(self, part: str, looks_free: bool) -> bool:
        return looks_free if self._locks is None else self._locks.acquire(part)

    async def heartbeat(self, part: str, epoch: int) -> None:
        if self._locks is not None:
            return
        async with self._database.writing() as connection:
            await self._check(connection, part, epoch)
            await self._say_alive(connection, part)

    async def _say_alive(self, connection: AsyncConnection, part: str, **values: str) -> None:
        """At the end of a transaction: who asked meanwhile waits for it, and compares with the time after."""
        now = (await connection.execute(text(_NOW[connection.dialect.name]))).scalar_one()
        mine = engine_owners.c.part == plain(part)
        await connection.execute(update(engine_owners).where(mine).values(seen_at=now, **values))

    async def release(self, part: str, epoch: int) -> None:
        async with self._database.writing() as connection:
            owned = (engine_owners.c.part == plain(part)) & (engine_owners.c.epoch == epoch)
            await connection.execute(update(engine_owners).where(owned).values(owner=""))
        if self._locks is not None:
            self._locks.release(plain(part))

    def close(self) -> None:
        """Own nothing any more."""
        if self._locks is not None:
            self._locks.release_all()

    @to_the_end
    async def commit(self, commit: Commit) -> int:
        """Carrying the same commit out again changes nothing.

        A caller that got Unavailable cannot know whether the database had committed before the connection broke,
        and tries the same one again. Hence each is named by a token that is written with it.
        """
        last = self._last.get(commit.part)
        if last is None or last[0] is not commit:
            last = self._last[commit.part] = (commit, uuid.uuid4().hex)
        token = last[1]
        async with self._database.writing() as connection:
            contradicted = 0
            if await self._is_done(connection, commit, token):
                return contradicted
            await self._remember(connection, commit)
            rewound = await last_rewind(connection) if commit.decisions else None
            decisions = await to_carry_out(connection, commit.decisions, rewound)
            again = rewound is not None
            opened = [each.draft for each in decisions if isinstance(each, Open)]
            new = await machine_moves.open_new(connection, opened, commit.at)
            for decision in decisions:
                match decision:
                    case Open(draft) if draft.id in new:
                        new.discard(draft.id)
                    case Open(draft) | Amend(draft):
                        await machine_moves.stand(connection, draft, commit.at, again=again)
                    case Withdraw():
                        contradicted += await machine_moves.withdraw(connection, decision, commit.at, again=again)
                    case Merge():
                        await machine_moves.merge(connection, decision, commit.at)
                    case Ignore() | Late() | Evicted():
                        pass
            await add_not_opened(self._database, connection, [each for each in decisions if isinstance(each, Ignore)])
            await self._say_alive(connection, commit.part, last_commit=token)
            return contradicted

    async def _is_done(self, connection: AsyncConnection, commit: Commit, token: str) -> bool:
        """Whether this very commit was carried out already. Locks the owner's row, so that no two owners write."""
        return await self._check(connection, commit.part, commit.epoch) == token

    async def _check(self, connection: AsyncConnection, part: str, epoch: int) -> str:
        """The token of the last commit. Raises Fenced when another process owns the part."""
        owner = (await connection.execute(_row(plain(part)).with_for_update())).one()
        if owner.epoch != epoch:
            what = f"{part}: " if part else ""
            raise Fenced(f"{what}{owner.owner or 'another'} took over: its epoch is {owner.epoch}, ours is {epoch}")
        return str(owner.last_commit)

    async def _remember(self, connection: AsyncConnection, commit: Commit) -> None:
        kept = [(key, squeeze(value)) for key, value in commit.cells.items() if value is not None]
        gone = [key for key, value in commit.cells.items() if value is None]
        if kept:
            await put(connection, engine_cells, ("key", "value"), kept, ("key",))
        for start in range(0, len(gone), _IN_LIST):
            part = gone[start : start + _IN_LIST]
            await connection.execute(delete(engine_cells).where(engine_cells.c.key.in_(part)))
        await self._remember_scopes(connection, commit)
        if commit.positions:
            await put(
                connection,
                engine_positions,
                ("partition", "position"),
                list(commit.positions.items()),
                ("partition",),
            )
        # A redelivery is the same event; the first copy is kept. Parts in one order: an event that concerns several
        # is written by each, and they must not wait for each other in a circle.
        events = list(zip(commit.history, commit.bodies or [NOT_AT_HAND] * len(commit.history), strict=True))
        if commit.part != WHOLE:
            events.sort(key=_identity)
        if events:
            await add_events(connection, events)
        if commit.rejects:
            # What is read again, after a rewind, is kept already.
            await connection.execute(
                self._database.insert(rejects).on_conflict_do_nothing(index_elements=["origin"]),
                [reject_row(reject) for reject in commit.rejects],
            )

    async def _remember_scopes(self, connection: AsyncConnection, commit: Commit) -> None:
        kept: list[tuple[str, str, bytes]] = []
        gone: list[dict[str, Any]] = []
        for scope, cells in commit.scopes.items():
            for key, value in cells.items():
                if value is None:
                    gone.append({"scope_": plain(scope), "key_": key})
                else:
                    kept.append((plain(scope), key, squeeze(value)))
        if kept:
            await put(connection, scoped_cells, ("scope", "key", "value"), kept, ("scope", "key"))
        if gone:
            this_one = (scoped_cells.c.scope == bindparam("scope_")) & (scoped_cells.c.key == bindparam("key_"))
            await connection.execute(delete(scoped_cells).where(this_one), gone)


def _row(part: str) -> Select[Any]:
    return select(engine_owners).where(engine_owners.c.part == part)


def _identity(entry: Arrived) -> tuple[str, str]:
    return (entry[0].source, entry[0].id)


async def _cells(connection: AsyncConnection) -> Unsqueezed:
    return Unsqueezed({key: bytes(value) for key, value in await connection.execute(select(engine_cells))})


async def _scopes(connection: AsyncConnection, scopes: Sequence[str]) -> dict[str, Unsqueezed]:
    found: dict[str, dict[str, bytes]] = {}
    wanted = scoped_cells.c.scope.in_([plain(scope) for scope in scopes])
    for scope, key, value in await connection.execute(select(scoped_cells).where(wanted)) if scopes else ():
        found.setdefault(scope, {})[key] = bytes(value)
    return {scope: Unsqueezed(kept) for scope, kept in found.items()}


async def _positions(connection: AsyncConnection, part: str) -> dict[str, int]:
    """The positions of the part, under its own name or behind it and a colon; of everything, those of no part."""
    name = engine_positions.c.partition
    parts = select(engine_owners.c.part).where(engine_owners.c.part != "")
    of_part = (name == part) | name.startswith(f"{part}:", autoescape=True)
    which = of_part if part else name.not_in(parts) & ~name.contains(":")
    rows = await connection.execute(select(name, engine_positions.c.position).where(which))
    return {partition: position for partition, position in rows}  # noqa: C416 - rows, not pairs
