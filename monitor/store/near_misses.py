"""The records, for people: listing, deciding, commenting, and the trail. What two people do at once never mixes.

Decides which move is allowed by the one table of moves; must not know who may make it or how it is shown.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.budget import Asked, week_of
from monitor.core.model.events import Instant
from monitor.core.model.near_miss import DECIDED, UNDECIDED, Move, State, move
from monitor.ops.tasks import to_the_end
from monitor.ports import Audit, Decide, NotFound, Page, Query, Record, VersionConflict
from monitor.store.access import append_to_chain
from monitor.store.codec import instant, plain, plain_or_none
from monitor.store.connections import Database
from monitor.store.records import add_audit, answers_part, change, columns, load, selection, to_record
from monitor.store.tables import audit, near_miss_rules, near_miss_services, near_misses

COMMENT = "comment"
_BESIDE = frozenset({Move.ASSESS, Move.SNOOZE, Move.HAND_OVER, Move.SHARE, Move.KEEP_OPEN})
_MOST_IDS = 20_000
"""Databases take some 32,000 values in one statement."""


class _Key(msgspec.Struct, frozen=True, array_like=True):
    """The place of a record in the order of pages."""

    place: int
    rank: float
    opened_at: int
    id: str


class SqlNearMisses:
    """NearMisses on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: Query, after: str | None, limit: int) -> Page:
        """Raises Unavailable, and ValueError for an `after` that no page has given."""
        conditions = _conditions(query)
        if after is not None:
            conditions.append(_is_after(_key_from(after)))
        order = (columns.place.desc(), columns.rank.desc(), columns.opened_at.desc(), columns.id)
        statement = selection().where(*conditions).order_by(*order).limit(limit + 1)
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        following = (
            _key_text(_Key(last.place, last.rank, last.opened_at, last.id)) if (last := _last(rows, limit)) else None
        )
        return Page(tuple(to_record(row) for row in rows[:limit]), following)

    async def get(self, record_id: str) -> Record:
        async with self._database.reading() as connection:
            row = (await connection.execute(selection().where(columns.id == record_id))).one_or_none()
        if row is None:
            raise NotFound(record_id)
        return to_record(row)

    @to_the_end
    async def decide(self, decide: Decide) -> Record:
        """Raises NotFound, IllegalMove, VersionConflict, Unavailable; ValueError for a merge without a fit target."""
        async with self._database.writing() as connection:
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
            await change(connection, record, **values)
            entry = Audit(decide.at, decide.by, decide.move, record.state, after, decide.reason, decide.note)
            await add_audit(connection, decide.record_id, entry)
            detail = f"{record.state} -> {after}" + (f": {decide.reason}" if decide.reason else "")
            await append_to_chain(connection, decide.at, decide.by, str(decide.move), decide.record_id, detail)
            decided = await load(connection, decide.record_id)
        if decided is None:
            raise NotFound(decide.record_id)
        return decided

    @to_the_end
    async def comment(self, record_id: str, by: str, text: str, at: Instant) -> None:
        """Add a line to the trail. Raises NotFound, Unavailable."""
        async with self._database.writing() as connection:
            record = await load(connection, record_id)
            if record is None:
                raise NotFound(record_id)
            await add_audit(connection, record_id, Audit(at, by, COMMENT, record.state, record.state, note=text))

    async def audit(self, record_id: str) -> list[Audit]:
        """The whole trail, oldest first; empty for an unknown record."""
        statement = select(audit).where(audit.c.record_id == record_id).order_by(audit.c.id)
        async with self._database.reading() as connection:
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
                for row in await connection.execute(statement)
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
        async with self._database.reading() as connection:
            asleep, waiting, due = (await connection.execute(statement)).one()
        return asleep, waiting, due

    async def asked(self) -> list[Asked]:
        """The live drafts since the week of the oldest that nobody has begun; see the port. Raises Unavailable."""
        waiting = select(func.min(columns.opened_at)).where(columns.state == State.DRAFT, columns.mode == "live")
        fields = (columns.id, columns.service, columns.state, columns.rank, columns.opened_at)
        async with self._database.reading() as connection:
            oldest = (await connection.execute(waiting)).scalar_one()
            if oldest is None:
                return []
            statement = select(*fields).where(
                columns.mode == "live",
                columns.state.not_in((State.MERGED, State.WITHDRAWN)),
                columns.opened_at >= int(week_of(Instant(oldest))),
            )
            return [
                Asked(row.id, row.service, State(row.state), row.rank, Instant(row.opened_at))
                for row in await connection.execute(statement)
            ]

    async def oldest_undecided_at(self) -> Instant | None:
        """Since when the oldest record that nobody has decided has been there; None when there is none."""
        statement = select(func.min(columns.created_at)).where(columns.state.in_(UNDECIDED))
        async with self._database.reading() as connection:
            return instant((await connection.execute(statement)).scalar_one())


async def _check_target(connection: AsyncConnection, record_id: str) -> None:
    """Raises NotFound, and ValueError for a record that is out itself: merges would form a chain or a circle.

    Not by `load`: to lock two records could cross with somebody who locks them in the other order.
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
    if decide.move is Move.SNOOZE:
        return {"returns_at": given.returns_at}
    if decide.move is Move.HAND_OVER:
        return {"team": plain_or_none(given.team)}
    if decide.move is Move.SHARE:
        return {"share": given.share}
    return {"open_condition": plain_or_none(given.open_condition), "returns_at": given.returns_at}


def _last(rows: Sequence[Row[Any]], limit: int) -> Row[Any] | None:
    """The last row of a page that has another one after it."""
    return rows[limit - 1] if len(rows) > limit else None


def _conditions(query: Query) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.due_at is not None:
        is_due = columns.returns_at <= int(query.due_at)
        came_back = and_(is_due, columns.state.in_(DECIDED))
        conditions.append(or_(came_back, _of(columns.state, query.states) & or_(columns.returns_at.is_(None), is_due)))
    if query.asleep_at is not None:
        conditions.append(columns.returns_at > int(query.asleep_at))
    for column, values in (
        (columns.state, () if query.due_at is not None else query.states),
        (columns.family, query.families),
        (columns.mode, query.modes),
    ):
        if values:
            conditions.append(column.in_(values))
    for links, column, values in (
        (near_miss_services, near_miss_services.c.service, query.services),
        (near_miss_rules, near_miss_rules.c.rule, query.rules),
    ):
        if values:
            conditions.append(exists().where(links.c.record_id == near_misses.c.id, column.in_(values)))
    if query.within is not None:
        service = exists().where(
            near_miss_services.c.record_id == near_misses.c.id,
            near_miss_services.c.service.in_(_few(query.within)),
        )
        conditions.append(or_(service, columns.team.in_(_few(query.teams))))
    if query.only is not None:
        conditions.append(columns.id.in_(_few(query.only)))
    if query.without:
        conditions.append(columns.id.not_in(_few(query.without)))
    if query.opened_since is not None:
        conditions.append(columns.opened_at >= int(query.opened_since))
    if query.text:
        conditions.append(columns.search.contains(plain(query.text).casefold(), autoescape=True))
    return conditions


def _of(column: ColumnElement[str], values: tuple[State, ...]) -> ColumnElement[bool]:
    return column.in_(values) if values else true()


def _few(ids: frozenset[str]) -> list[str]:
    """At most as many as one statement may name; a queue with more folded drafts than that shows the others."""
    return sorted(ids)[:_MOST_IDS]


def _is_after(key: _Key) -> ColumnElement[bool]:
    later = or_(columns.opened_at < key.opened_at, and_(columns.opened_at == key.opened_at, columns.id > key.id))
    lower = and_(columns.rank <= key.rank, or_(columns.rank < key.rank, later))
    # The first part says nothing new; it lets the index find the place.
    return and_(columns.place <= key.place, or_(columns.place < key.place, lower))


def _key_text(key: _Key) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def _key_from(text: str) -> _Key:
    try:
        padded = text.encode() + b"=" * (-len(text) % 4)
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=_Key)
    except (msgspec.MsgspecError, binascii.Error, UnicodeError) as error:
        raise ValueError(f"{text!r} is not a key of a page; use the `next` of the page before") from error
