"""The engine's state, decisions and position, committed as one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from monitor.core.model.decisions import Decision
from monitor.core.model.events import Event, Instant
from monitor.core.model.faults import Culprit
from monitor.ports.rejects import Reject

WHOLE = ""
"""The name of the part that is everything: one engine reads the whole journal."""


class ActivePack(msgspec.Struct, frozen=True):
    """The rules and the catalogue in force, by the hashes of their content, and whether a later reading failed.

    `problems`: what was wrong with what was read at `failed_at`; empty where the last reading was right.
    """

    rules_hash: str
    catalogue_hash: str
    rules: int
    services: int
    loaded_at: Instant
    failed_at: Instant | None = None
    problems: tuple[str, ...] = ()


class Saved(msgspec.Struct, frozen=True):
    """What an engine finds when it takes over: its state cells, the journal positions, and its epoch.

    `scopes`: the state cells of a part that has several engines, by their scope; `cells` then has none. `aside`: what
    the engine is to leave out, since it failed at it before. `memory`: bytes that it may remember; None: no bound.
    """

    cells: Mapping[str, bytes]
    positions: dict[str, int]
    epoch: int
    scopes: Mapping[str, Mapping[str, bytes]] = {}
    aside: Collection[Culprit] = ()
    memory: int | None = None


class Commit(msgspec.Struct, frozen=True):
    """Everything of one batch that must become true at once.

    `history` has the events that are to be kept, `bodies` the JSON of each as `Batch` has it, or nothing at all.
    `part`, `epoch`: what is owned, and since when; `scopes`: changed cells by scope.
    """

    decisions: tuple[Decision, ...]
    cells: dict[str, bytes | None]
    positions: dict[str, int]
    epoch: int
    at: Instant
    history: tuple[Event, ...] = ()
    rejects: tuple[Reject, ...] = ()
    part: str = WHOLE
    bodies: tuple[bytes, ...] = ()
    scopes: dict[str, dict[str, bytes | None]] = {}


class EngineStore(Protocol):
    """The engine's memory: exactly once, because a batch commits whole or not at all."""

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        """Become the owner under a new epoch and load what is there.

        `part`: a partition of the journal by name, or all of it; `scopes`: under which the state of that part is kept.
        `lease`: leave it to an owner that was alive so lately (microseconds of the store's clock); 0 takes it in any
        case. Raises Held, Unavailable.
        """
        ...

    async def commit(self, commit: Commit) -> int:
        """How many decided records the commit marked as contradicted. Shows that the owner is alive.

        Raises Fenced when the epoch is no longer the newest, Unavailable when nothing was written.
        """
        ...

    async def heartbeat(self, part: str, epoch: int) -> None:
        """Show that the owner is alive although it has nothing to commit. Raises Fenced, Unavailable."""
        ...

    async def release(self, part: str, epoch: int) -> None:
        """Own it no longer, so that who stands by need not wait. One that was replaced changes nothing.

        Raises Unavailable.
        """
        ...
