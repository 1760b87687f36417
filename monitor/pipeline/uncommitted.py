"""What the engine has done since the last commit, and the commit that it makes."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.model.decisions import Decision
from monitor.core.model.events import Event, Instant
from monitor.core.sharding.shards import Cells
from monitor.ports import Commit, Reject


class Uncommitted:
    """Gathered batch by batch, by the loop. `since`: when the first of it was there (seconds)."""

    def __init__(self, positions: Mapping[str, int]) -> None:
        self.positions = dict(positions)
        self.began_at = dict(positions)
        self.decisions: list[Decision] = []
        self.rejects: list[Reject] = []
        self.history: list[Event] = []
        self.bodies: list[bytes] = []
        self.events = 0
        self.size = 0
        self.since: float | None = None

    @property
    def is_worth_it(self) -> bool:
        """A tick that decided nothing is not: after a crash the next tick decides the same."""
        return bool(self.events or self.decisions or self.rejects)

    def left(self, now: float, most: float, idle: float) -> float:
        """So many seconds to wait: it is written `most` after the first of it; `idle` where there is nothing."""
        return idle if self.since is None else min(max(most - (now - self.since), 0.0), idle)

    def commit(self, part: str, epoch: int, at: Instant, cells: Cells, scopes: dict[str, Cells]) -> Commit:
        return Commit(
            decisions=tuple(self.decisions),
            cells=cells,
            scopes=scopes,
            part=part,
            positions=dict(self.positions),
            epoch=epoch,
            at=at,
            history=tuple(self.history),
            bodies=tuple(self.bodies),
            rejects=tuple(self.rejects),
        )
