"""What could not be read: kept, read again, forwarded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from monitor.core.model.events import Instant


class Reject(msgspec.Struct, frozen=True):
    """Something that could not be read: its bytes, where they came from, when, and why not.

    `origin` names the place that it was read from, where that place can be read again: one origin is kept once.
    `forward`: somebody else is to be told of it as well, and has not been yet.
    """

    source: str
    reason: str
    detail: str
    body: bytes
    received_at: Instant
    headers: dict[str, str] = {}
    id: int | None = None
    requeued_at: Instant | None = None
    origin: str | None = None
    forward: bool = False


class Rejects(Protocol):
    async def add(self, rejects: Sequence[Reject]) -> tuple[int, ...]: ...

    async def page(self, after: int | None, limit: int) -> list[Reject]: ...

    async def get(self, reject_id: int) -> Reject | None: ...

    async def mark_requeued(self, reject_id: int, at: Instant) -> None: ...

    async def count(self) -> int: ...


class Forwarding(Protocol):
    """The rejects that somebody else is to be told of. Each raises Unavailable."""

    async def to_forward(self, limit: int) -> list[Reject]:
        """The oldest that wait."""
        ...

    async def mark_forwarded(self, reject_ids: Sequence[int]) -> None: ...
