"""The candidates whose window is still open, as the engines saved them: what may yet become a draft, and when.

Reads the cells of episodes and of their candidates, whichever process owns them; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Row, Table, select

from monitor.core.model.events import Instant
from monitor.core.model.packing import unpack
from monitor.core.state.candidates import Candidate
from monitor.core.state.episodes import Episode
from monitor.ops.squeezing import unsqueeze
from monitor.ports.queue import Awaited
from monitor.store.connections import Database
from monitor.store.tables import engine_cells, scoped_cells

_EPISODES, _BEYOND = "episode:", "episode;"
"""Where the names of these cells begin, and the first text after all of them."""
_MOST_READ = 5_000
Kind = TypeVar("Kind")


class SqlAwaited:
    """Awaiting on SQL."""

    def __init__(self, records: Database) -> None:
        self._records = records

    async def awaited(self, most: int) -> list[Awaited]:
        """Those that are judged soonest. Cells that another version wrote are left out. Raises Unavailable."""
        found: list[tuple[Episode, Table]] = []
        async with self._records.reading() as connection:
            for table in (engine_cells, scoped_cells):
                named = (table.c.key >= _EPISODES) & (table.c.key < _BEYOND)
                rows = await connection.execute(select(table).where(named).limit(_MOST_READ))
                found += [(episode, table) for _, episode in _read(rows, Episode) if _is_open(episode)]
            found.sort(key=lambda each: (each[0].wake_at or each[0].window_to, each[0].id))
            candidates: dict[str, list[Candidate]] = {}
            for table in (engine_cells, scoped_cells):
                wanted = {
                    f"instance:{name}": episode.id
                    for episode, its in found[:most]
                    if its is table
                    for name in episode.candidates
                }
                rows = await connection.execute(select(table).where(table.c.key.in_(sorted(wanted)[:_MOST_READ])))
                for row, instance in _read(rows, Candidate):
                    candidates.setdefault(wanted[row.key], []).append(instance)
        return [_told(episode, candidates.get(episode.id, [])) for episode, _ in found[:most]]


def _read(rows: Iterable[Row[Any]], kind: type[Kind]) -> Iterator[tuple[Row[Any], Kind]]:
    for row in rows:
        try:
            yield row, unpack(unsqueeze(bytes(row.value)), kind)
        except msgspec.MsgspecError:
            continue


def _is_open(episode: Episode) -> bool:
    """Whether it is still to be judged for the first time, after an action."""
    return not (episode.closed or episode.withdrawn or episode.outcome or episode.draft is not None)


def _told(episode: Episode, candidates: list[Candidate]) -> Awaited:
    hazards = [each.hazards.earliest for each in candidates if each.hazards]
    acts = [each.interventions.earliest for each in candidates if each.interventions]
    return Awaited(
        id=episode.id,
        services=tuple(episode.services),
        rules=tuple(sorted({each.rule for each in candidates})),
        hazard=min(hazards, key=lambda event: event.time, default=None),
        act=min(acts, key=lambda event: event.time, default=None),
        judged_at=Instant(episode.window_to) if episode.window_to else None,
    )
