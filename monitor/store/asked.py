"""What the reviewer budget reads: the live drafts of the weeks that wait, and afterwards only what has changed.

Every change of a record adds a line to the trail, in the same transaction. Decides nothing about the fold.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, func, or_, select

from monitor.core.model.budget import BudgetedDraft, week_of
from monitor.core.model.events import Instant
from monitor.core.model.near_miss import State
from monitor.ports.queue import Asks, Changes, TrailMark
from monitor.store.tables import audit, near_misses

_AT_ONCE = 500
"""Lines of the trail that are looked at in one go."""
_MOST = 20_000
"""More new lines than these are looked at as quickly by reading all drafts."""
_GAPS_OVER = 10_000
"""Lines back from the last among which one may still be missing. A transaction that took its number before so many
others were written ended long ago."""

columns = near_misses.c
_FIELDS = (columns.id, columns.service, columns.state, columns.rank, columns.opened_at, columns.place)


def everything(connection: Connection) -> Asks:
    # First the mark: what is written meanwhile comes once more among the changes, which does no harm.
    mark = _mark(connection)
    waiting = select(func.min(columns.opened_at)).where(columns.state == State.DRAFT, columns.mode == "live")
    oldest = (connection.execute(waiting)).scalar_one()
    if oldest is None:
        return Asks(mark, ())
    statement = select(*_FIELDS).where(
        columns.mode == "live",
        columns.state.not_in((State.MERGED, State.WITHDRAWN)),
        columns.opened_at >= int(week_of(Instant(oldest))),
    )
    return Asks(mark, _asked(connection.execute(statement)))


def changes(connection: Connection, mark: TrailMark) -> Changes | None:
    """What the next lines since the mark tell; None where there are more than are worth it."""
    newest = connection.execute(select(func.max(audit.c.id))).scalar_one() or 0
    if newest - mark.last > _MOST:
        return None
    new = audit.c.id > mark.last
    if mark.gaps:
        new = or_(new, audit.c.id.in_(sorted(mark.gaps)))
    next_ones = select(audit.c.id, audit.c.record_id).where(new).order_by(audit.c.id).limit(_AT_ONCE)
    lines = (connection.execute(next_ones)).all()
    if not lines:
        return Changes(mark, frozenset(), ())
    ids = frozenset(line.record_id for line in lines)
    statement = select(*_FIELDS).where(columns.id.in_(sorted(ids)), columns.mode.concat("") == "live")
    drafts = _asked(connection.execute(statement))
    return Changes(_after(mark, {line.id for line in lines}), ids, drafts, more=len(lines) == _AT_ONCE)


def _mark(connection: Connection) -> TrailMark:
    newest = select(audit.c.id).order_by(audit.c.id.desc()).limit(_AT_ONCE)
    seen = set((connection.execute(newest)).scalars())
    if not seen:
        return TrailMark(0)
    return TrailMark(max(seen), frozenset(range(min(seen), max(seen))) - seen)


def _after(mark: TrailMark, seen: set[int]) -> TrailMark:
    """PostgreSQL gives numbers before it commits: a lower one may become visible after a higher one."""
    last = max(mark.last, *seen)
    missing = (mark.gaps | set(range(max(mark.last, last - _GAPS_OVER) + 1, last))) - seen
    return TrailMark(last, frozenset(number for number in missing if number > last - _GAPS_OVER))


def _asked(rows: Iterable[Any]) -> tuple[BudgetedDraft, ...]:
    names: dict[str | None, str | None] = {}
    states = {str(state): state for state in State}
    return tuple(
        BudgetedDraft(name, names.setdefault(service, service), states[state], rank, Instant(opened_at), place)
        for name, service, state, rank, opened_at, place in rows
    )
