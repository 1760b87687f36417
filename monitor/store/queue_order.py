"""Finds the places of a page in the queue: the keys of the next records in order, without reading those it skips.

A page is of several states and modes. The index holds the records of each state and mode in the order of pages, so each
of these streams is read from its key on and no further than the page is long.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    literal,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.budget import order_of
from monitor.core.model.near_miss import DECIDED, Mode, State
from monitor.ports import Order, Query
from monitor.ports.queue import MODES
from monitor.store.codec import plain
from monitor.store.tables import near_miss_rules, near_miss_services, near_misses

columns = near_misses.c

FEW = 500
"""So many ids are named in a statement; more are compared here, while the queue is walked."""
_STEP, _LONGEST_STEP = 60, 5_000
_MOST_NAMES = 20_000
"""Databases take some 32,000 values in one statement."""
_BUDGETED: tuple[State, Mode] = (State.DRAFT, "live")
"""Only such records can be folded."""
_Conditions = list[ColumnElement[bool]]


class PageKey(msgspec.Struct, frozen=True, array_like=True):
    """The place of a record in the order of pages."""

    place: int
    rank: float
    opened_at: int
    id: str

    def as_text(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).rstrip(b"=").decode()


def key_from(text: str) -> PageKey:
    """Raises ValueError for what `Key.as_text` has not given."""
    try:
        padded = text.encode() + b"=" * (-len(text) % 4)
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=PageKey)
    except (msgspec.MsgspecError, binascii.Error, UnicodeError) as error:
        raise ValueError(f"{text!r} is not a key of a page; use the `next` of the page before") from error


async def keys_of(connection: AsyncConnection, query: Query, after: PageKey | None, count: int) -> list[PageKey]:
    """The keys of the first `count` records of a query, in order, after `after`."""
    only, without = query.only, query.without
    if query.drafts is not None and len(query.drafts) <= FEW < len(without):
        without = frozenset()
    else:
        query = msgspec.structs.replace(query, drafts=None)
    among = await _few(connection, query)
    if only is not None and len(only) <= FEW:
        among, only = (only if among is None else among & only), None
    named = without if len(without) <= FEW else frozenset()
    without -= named
    if only is not None and among is None and query.only_in_order and query.order == "rank":
        return await _in_known_order(connection, query, after, count)
    found: list[PageKey] = []
    step = count if only is None and not without else max(count, _STEP)
    while True:
        statement = _statement(query, among, named, after, step)
        rows = [PageKey(*row) for row in await connection.execute(statement)]
        found += (key for key in rows if (only is None or key.id in only) and key.id not in without)
        if len(rows) < step or len(found) >= count:
            return found[:count]
        after, step = rows[-1], min(step * 4, _LONGEST_STEP)


async def _in_known_order(
    connection: AsyncConnection, query: Query, after: PageKey | None, count: int
) -> list[PageKey]:
    """The same where the order of `only` is known: these are looked up, the next ones first, and no others are read."""
    order = query.only_in_order
    start = 0 if after is None else bisect_right(order, order_of(after.place, after.rank, after.opened_at, after.id))
    found: list[PageKey] = []
    step = max(count, _STEP)
    while start < len(order) and len(found) < count:
        ids = frozenset(key[-1] for key in order[start : start + step])
        statement = _statement(query, ids - query.without, frozenset(), after, count)
        found += [PageKey(*row) for row in await connection.execute(statement)]
        start, step = start + step, min(step * 4, _LONGEST_STEP)
    return found[:count]


async def _few(connection: AsyncConnection, query: Query) -> frozenset[str] | None:
    """The ids of the records that have these services and rules, where they are few; None where they are many."""
    among: frozenset[str] | None = None
    for links, column, values in _linked(query):
        statement = select(links.c.record_id).where(column.in_(values)).distinct().limit(FEW + 1)
        ids = frozenset((await connection.execute(statement)).scalars())
        if len(ids) <= FEW:
            among = ids if among is None else among & ids
    if query.within is not None:
        ids = frozenset((await connection.execute(_of_teams(query.within, query.teams))).scalars())
        if len(ids) <= FEW:
            among = ids if among is None else among & ids
    return among


def _of_teams(services: frozenset[str], teams: frozenset[str]) -> Select[Any]:
    """The ids of records of these services, or handed over to these teams; no more than tell that they are many."""
    linked = near_miss_services.c
    owned = select(linked.record_id).where(linked.service.in_(sorted(services)[:_MOST_NAMES]))
    given = select(columns.id).where(columns.team.in_(sorted(teams)[:_MOST_NAMES]))
    parts = (owned.distinct().limit(FEW + 1).subquery(), given.limit(FEW + 1).subquery())
    return select(union(*(select(part) for part in parts)).subquery())


def _linked(query: Query) -> Iterator[tuple[Any, Any, tuple[str, ...]]]:
    if query.services:
        yield near_miss_services, near_miss_services.c.service, query.services
    if query.rules:
        yield near_miss_rules, near_miss_rules.c.rule, query.rules


def _statement(
    query: Query, among: Collection[str] | None, named: frozenset[str], after: PageKey | None, count: int
) -> Select[Any]:
    common = _conditions(query)
    if named:
        common.append(columns.id.not_in(sorted(named)))
    if after is not None:
        common += _beyond(after, query.order)
    if among is None:
        streams = list(_streams(query))
    else:
        # Few records: they are looked up by their ids, and no index of another column is to be preferred.
        common.append(columns.id.in_(sorted(among)))
        streams = [_as_one(query)]
    parts = [_in_order(select(*_KEY).where(*common, *stream), columns, query.order, count) for stream in streams]
    if len(parts) == 1:
        return parts[0]
    together = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return _in_order(select(together), together.c, query.order, count)


_KEY = (columns.place, columns.rank, columns.opened_at, columns.id)


def _in_order(statement: Select[Any], of: Any, order: Order, count: int) -> Select[Any]:
    if order == "newest":
        return statement.order_by(of.opened_at.desc(), of.id.desc()).limit(count)
    if order == "oldest":
        return statement.order_by(of.opened_at, of.id).limit(count)
    return statement.order_by(of.place.desc(), of.rank.desc(), of.opened_at.desc(), of.id).limit(count)


def _streams(query: Query) -> Iterator[_Conditions]:
    """What each stream of a query is restricted to; no record is in two."""
    is_all = not query.states and not query.modes and query.due_at is None and query.drafts is None
    if is_all and query.order == "rank":
        yield []
        return
    awake: _Conditions = []
    if query.due_at is not None:
        awake = [or_(columns.returns_at.is_(None), columns.returns_at <= int(query.due_at))]
    states, modes = frozenset(query.states) or frozenset(State), query.modes or MODES
    for state in sorted(states):
        for mode in modes:
            if query.drafts is not None and (state, mode) == _BUDGETED:
                yield [columns.id.in_(sorted(query.drafts)), *_exactly(state, mode), *awake]
            else:
                yield [columns.state == state, columns.mode == mode, *awake]
    if query.due_at is not None and (others := DECIDED - states):
        yield [
            columns.returns_at <= int(query.due_at),
            _unindexed(columns.state).in_(sorted(others)),
            _unindexed(columns.mode).in_(modes),
        ]


def _exactly(state: State, mode: str) -> _Conditions:
    return [_unindexed(columns.state) == state, _unindexed(columns.mode) == mode]


def _as_one(query: Query) -> _Conditions:
    """The same as all streams together."""
    found: _Conditions = []
    if query.drafts is not None:
        found.append(or_(not_(and_(*_exactly(*_BUDGETED))), columns.id.in_(sorted(query.drafts))))
    if query.modes:
        found.append(_unindexed(columns.mode).in_(query.modes))
    if query.due_at is None:
        if query.states:
            found.append(_unindexed(columns.state).in_(query.states))
        return found
    is_due = columns.returns_at <= int(query.due_at)
    awake = or_(columns.returns_at.is_(None), is_due)
    if query.states:
        awake = and_(awake, _unindexed(columns.state).in_(query.states))
    found.append(or_(awake, and_(is_due, _unindexed(columns.state).in_(sorted(DECIDED)))))
    return found


def _unindexed(column: ColumnElement[str]) -> ColumnElement[str]:
    """A column that no index is chosen for: without statistics SQLite takes every index for equally good."""
    return column.concat(literal_column("''"))


def _conditions(query: Query) -> _Conditions:
    """All of a query but states, modes and due records."""
    found: _Conditions = []
    if query.asleep_at is not None:
        found.append(columns.returns_at > int(query.asleep_at))
    if query.families:
        found.append(columns.family.in_(query.families))
    for links, column, values in _linked(query):
        found.append(exists().where(links.c.record_id == columns.id, column.in_(values)))
    if query.within is not None:
        service = exists().where(
            near_miss_services.c.record_id == columns.id,
            near_miss_services.c.service.in_(sorted(query.within)[:_MOST_NAMES]),
        )
        found.append(or_(service, columns.team.in_(sorted(query.teams)[:_MOST_NAMES])))
    if query.opened_since is not None:
        found.append(columns.opened_at >= int(query.opened_since))
    if query.text:
        found.append(columns.search.contains(plain(query.text).casefold(), autoescape=True))
    return found


def _beyond(key: PageKey, order: Order) -> _Conditions:
    """What comes after a key. The first condition is one that an index finds the place by; the second is for ties."""
    if order != "rank":
        moment = tuple_(columns.opened_at, columns.id)
        reached = tuple_(literal(key.opened_at, columns.opened_at.type), literal(key.id, columns.id.type))
        return [moment < reached if order == "newest" else moment > reached]
    fields = (columns.place, columns.rank, columns.opened_at)
    values = (key.place, key.rank, key.opened_at)
    place = tuple_(*fields) <= tuple_(
        *(literal(value, field.type) for field, value in zip(fields, values, strict=True))
    )
    tied = and_(*(field == value for field, value in zip(fields, values, strict=True)))
    return [place, not_(and_(tied, columns.id <= key.id))]
