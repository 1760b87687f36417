"""The records, for people: listing, deciding, commenting, and the trail. What two people do at once never mixes.

Decides which move is allowed by the one table of moves; must not know who may make it or how it is shown.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ScalarSelect, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.events import Instant
from monitor.core.model.near_miss import UNDECIDED, Mode, Move, State, move
from monitor.ops.tasks import to_the_end
from monitor.ports import Audit, Decide, NotFound, Page, Query, Record, VersionConflict
from monitor.ports.queue import COUNTED, MODES, Asks, Changes, TrailMark
from monitor.store.access import append_to_chain
from monitor.store.asked import changes, everything
from monitor.store.codec import encode_events, encode_ids, encode_open_until, instant, plain, plain_or_none
from monitor.store.connections import Database
from monitor.store.queue_order import key_from, keys_of
from monitor.store.records import add_audit, answers_part, change, columns, load, selection, to_record
from monitor.store.tables import audit

COMMENT = "comment"
_EVIDENCE = frozenset({Move.ADD_EVIDENCE, Move.LEAVE_OUT})
_BESIDE = _EVIDENCE | frozenset({Move.ASSESS, Move.SNOOZE, Move.WAKE, Move.HAND_OVER, Move.SHARE, Move.KEEP_OPEN})


class SqlNearMisses:
    """NearMisses on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: Query, after: str | None, limit: int) -> Page:
        """Raises Unavailable, and ValueError for an `after` that no page has given."""
        key = None if after is None else key_from(after)
        async with self._database.reading() as connection:
            keys = await keys_of(connection, query, key, limit + 1)
            ids = [key.id for key in keys[:limit]]
            rows = {row.id: row for row in await connection.execute(selection().where(columns.id.in_(ids)))}
        following = keys[limit - 1].as_text() if len(keys) > limit else None
        # A record may go between the two statements only with the whole database: each key has its row.
        return Page(tuple(to_record(rows[name]) for name in ids), following)

    async def get(self, record_id: str) -> Record:
        statement = selection().where(columns.id == record_id)
        row = await self._database.read_at_once(lambda connection: connection.execute(statement).one_or_none())
        if row is None:
            raise NotFound(record_id)
        return to_record(row)

    @to_the_end
    async def decide(self, decide: Decide) -> Record:
        """Raises NotFound, IllegalMove, VersionConflict, Unavailable; ValueError for a merge without a fit target."""
        return await self._database.written(lambda connection: _decided(connection, decide))

    @to_the_end
    async def comment(self, record_id: str, by: str, text: str, at: Instant) -> None:
        """Add a line to the trail. Raises NotFound, Unavailable."""

        async def commented(connection: AsyncConnection) -> None:
            record = await load(connection, record_id)
            if record is None:
                raise NotFound(record_id)
            await add_audit(connection, record_id, Audit(at, by, COMMENT, record.state, record.state, note=text))

        await self._database.written(commented)

    async def audit(self, record_id: str) -> list[Audit]:
        """The whole trail, oldest first; empty for an unknown record."""
        statement = select(audit).where(audit.c.record_id == record_id).order_by(audit.c.id)
        return [
            Audit(
                at=Instant(row.at),
                by=row.by,
                action=row.action,
                before=None if row.before is None else State(row.before),
                after=None if row.after is None else State(row.after),
                reason=row.reason,
                note=row.note,
            )
            for row in await self._database.read_at_once(lambda connection: connection.execute(statement).all())
        ]

    async def counts(self) -> dict[State, int]:
        """How many records are in each state; every state is there."""
        statement = select(columns.state, func.count()).group_by(columns.state)
        async with self._database.reading() as connection:
            found = {State(state): count for state, count in await connection.execute(statement)}
        return {state: found.get(state, 0) for state in State}

    async def returning(self, now: Instant) -> tuple[int, int, int]:
        """Drafts that are snoozed, decided records that come back later, and those that are due. Raises Unavailable."""
        is_open = columns.state.in_(UNDECIDED)
        later = columns.returns_at > int(now)
        statement = select(
            func.count().filter(and_(is_open, later)),
            func.count().filter(and_(~is_open, later)),
            func.count().filter(and_(~is_open, ~later)),
        ).where(columns.returns_at.is_not(None))
        asleep, waiting, due = await self._database.read_at_once(lambda connection: connection.execute(statement).one())
        return asleep, waiting, due

    async def tallies(self) -> dict[tuple[State, Mode], int]:
        """At most `COUNTED` + 1 of each state and mode; see the port. Raises Unavailable."""
        pairs = [(state, mode) for state in State for mode in MODES]
        statement = select(*(_at_most(*pair) for pair in pairs))
        counted = await self._database.read_at_once(lambda connection: connection.execute(statement).one())
        return dict(zip(pairs, counted, strict=True))

    async def asked(self) -> Asks:
        """The live drafts since the week of the oldest that nobody has begun; see the port. Raises Unavailable."""
        return await self._database.read_at_once(everything, takes_long=True)

    async def asked_since(self, mark: TrailMark) -> Changes | None:
        """What changed since `mark`; see the port. Raises Unavailable."""
        return await self._database.read_at_once(lambda connection: changes(connection, mark))

    async def oldest_undecided_at(self) -> Instant | None:
        """Since when the oldest record that nobody has decided has been there; None when there is none."""
        statement = select(func.min(columns.created_at)).where(columns.state.in_(UNDECIDED))
        async with self._database.reading() as connection:
            return instant((await connection.execute(statement)).scalar_one())


async def _decided(connection: AsyncConnection, decide: Decide) -> Record:
    record = await load(connection, decide.record_id)
    if record is None:
        raise NotFound(decide.record_id)
    if decide.expected_version is not None and decide.expected_version != record.version:
        raise VersionConflict(record)
    after = move(record.state, decide.move)
    values = {"state": after, **_outcome(decide, record)}
    if decide.move is Move.SPLIT:
        values["merged_into"] = None
    if decide.move is Move.MERGE:
        await _check_target(connection, str(decide.merged_into))
    decided = await change(connection, record, **values)
    entry = Audit(decide.at, decide.by, decide.move, record.state, after, decide.reason, decide.note)
    await add_audit(connection, decide.record_id, entry)
    detail = f"{record.state} -> {after}" + (f": {decide.reason}" if decide.reason else "")
    await append_to_chain(connection, decide.at, decide.by, str(decide.move), decide.record_id, detail)
    return decided


async def _check_target(connection: AsyncConnection, record_id: str) -> None:
    """Raises NotFound, and ValueError for a record that is out itself: merges would form a chain or a circle.

    Not by `load`: to lock two records could deadlock with another that locks them in the other order.
    """
    state = (await connection.execute(select(columns.state).where(columns.id == record_id))).scalar_one_or_none()
    if state is None:
        raise NotFound(record_id)
    if state in (State.MERGED, State.WITHDRAWN):
        raise ValueError(f"{record_id} is {state}; merge into a record that stands")


def _outcome(decide: Decide, record: Record) -> dict[str, Any]:
    """What a move changes besides the state."""
    values: dict[str, Any] = {} if decide.answers is None else answers_part(decide.answers)
    if decide.move is Move.START_REVIEW:
        return values
    if decide.move in _BESIDE:
        return {**values, **_beside(decide)}
    if decide.move in (Move.REOPEN, Move.SPLIT):
        # What people answered stays: it is the starting point of the second look.
        return {
            **values,
            "decided_at": None,
            "decided_by": None,
            "reason": None,
            "returns_at": None,
            "open_condition": None,
            "open_until": None,
        }
    if decide.move is Move.MERGE:
        if decide.merged_into in (None, record.draft.id):
            raise ValueError("a merge needs the id of another record in merged_into")
        values["merged_into"] = decide.merged_into
    return {
        **values,
        "decided_at": int(decide.at),
        "decided_by": plain(decide.by),
        "reason": plain_or_none(decide.reason),
        "returns_at": decide.handling.returns_at,
    }


def _beside(decide: Decide) -> dict[str, Any]:
    """What a move settles that leaves the state as it is."""
    given = decide.handling
    if decide.move is Move.ASSESS:
        if given.risk is None:
            raise ValueError("an assessment needs both answers in handling.risk")
        return {"outcome": given.risk.outcome, "barrier": given.risk.barrier, "place": given.risk.place}
    if decide.move in (Move.SNOOZE, Move.WAKE):
        return {"returns_at": given.returns_at}
    if decide.move in _EVIDENCE:
        return {"added": encode_events(given.added), "left_out": encode_ids(given.left_out)}
    if decide.move is Move.HAND_OVER:
        return {"team": plain_or_none(given.team)}
    if decide.move is Move.SHARE:
        return {"share": given.share}
    until = None if given.open_until is None else encode_open_until(given.open_until)
    return {
        "open_condition": plain_or_none(given.open_condition),
        "returns_at": given.returns_at,
        "open_until": until,
    }


def _at_most(state: State, mode: Mode) -> ScalarSelect[int]:
    some = select(columns.id).where(columns.state == state, columns.mode == mode).limit(COUNTED + 1).subquery()
    return select(func.count()).select_from(some).scalar_subquery()
