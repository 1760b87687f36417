"""Protocol of what the queue as a whole says: how many records are in which state, and what a week asks of a team."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, get_args

import msgspec

from monitor.core.model.budget import BudgetedDraft
from monitor.core.model.events import Event, Instant
from monitor.core.model.near_miss import Mode, State

MODES: tuple[Mode, ...] = get_args(Mode)

COUNTED = 1_000
"""Beyond so many records of one state and mode, `tallies` says one more than this."""


class TrailMark(msgspec.Struct, frozen=True):
    """How far the trail was read: its last line, and lines before it that may still be written."""

    last: int
    gaps: frozenset[int] = frozenset()


class Asks(msgspec.Struct, frozen=True):
    """What the reviewer budget looks at, and how far the trail went when it was read."""

    mark: TrailMark
    drafts: tuple[BudgetedDraft, ...]


class Changes(msgspec.Struct, frozen=True):
    """Records with new lines in the trail: `ids` are all of them, `drafts` the live ones as they are now.

    `more`: there are further lines after the mark.
    """

    mark: TrailMark
    ids: frozenset[str]
    drafts: tuple[BudgetedDraft, ...]
    more: bool = False


class Awaited(msgspec.Struct, frozen=True):
    """A candidate: somebody acted on a hazard, and its window is still open.

    `hazard`, `act`: the first of each, where they are still known. `judged_at`: when the window ends, as far as it is
    known now; None until the engine has looked at it.
    """

    id: str
    services: tuple[str, ...]
    rules: tuple[str, ...]
    hazard: Event | None
    act: Event | None
    judged_at: Instant | None


class Awaiting(Protocol):
    """What may yet become a draft."""

    async def awaited(self, most: int) -> list[Awaited]:
        """At most so many, those that are judged soonest. Raises `monitor.ports.Unavailable`."""
        ...


class QueueFigures(Protocol):
    """Every method may raise `monitor.ports.Unavailable`."""

    async def counts(self) -> dict[State, int]: ...

    async def tallies(self) -> Mapping[tuple[State, Mode], int]:
        """How many records are in each state and mode; `COUNTED` + 1 stands for more than `COUNTED`."""
        ...

    async def returning(self, now: Instant) -> tuple[int, int, int]:
        """How many drafts are snoozed, how many decided records come back later, and how many are due by `now`."""
        ...

    async def asked(self) -> Asks:
        """The live drafts since the week of the oldest that nobody has begun, in no order; no merged or withdrawn."""
        ...

    async def asked_since(self, mark: TrailMark) -> Changes | None:
        """What changed since `mark`, the first lines of it; None where that is so much that `asked` is quicker."""
        ...

    async def oldest_undecided_at(self) -> Instant | None: ...
