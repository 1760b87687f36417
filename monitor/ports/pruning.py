"""What retention removes, and how much is stored."""

from __future__ import annotations

from typing import Protocol

import msgspec

from monitor.core.model.events import Instant


class Retention(msgspec.Struct, frozen=True):
    """How long things are kept, in microseconds of age; None: for ever. `events_bytes`: None sets no limit."""

    events: int | None = None
    rejects: int | None = None
    not_opened: int | None = None
    events_bytes: int | None = None


class Pruned(msgspec.Struct, frozen=True):
    """How many rows of what were removed; `more` says that there is more to remove."""

    rows: dict[str, int]
    more: bool = False


class StoredSize(msgspec.Struct, frozen=True):
    """How much there is: bytes on disk of everything, and about how many of them are events."""

    total_bytes: int
    events_bytes: int


class Pruning(Protocol):
    """Removes what is too old, a bounded amount a call. Each raises Unavailable."""

    async def prune(self, retention: Retention, now: Instant) -> Pruned: ...

    async def kept(self) -> StoredSize: ...
