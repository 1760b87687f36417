"""The journal: durable, ordered, written once and read from positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from monitor.core.model.events import Event, Instant
from monitor.core.sharding.routing import Route
from monitor.ports.rejects import Reject

Positions = Mapping[str, int]
"""Where a reader stands: for each partition of a journal the position of the next entry to read."""


class Appended(msgspec.Struct, frozen=True):
    """What an append did, entry by entry: True where the event was new, False where its identity was known."""

    fresh: tuple[bool, ...]

    @property
    def accepted(self) -> int:
        return sum(self.fresh)

    @property
    def duplicates(self) -> int:
        return len(self.fresh) - sum(self.fresh)


NOT_AT_HAND = b""
"""In place of an event's JSON: whoever wants it has to write the event anew."""


class Batch(msgspec.Struct, frozen=True):
    """Events in journal order, where to go on, and whether the head of the journal was reached.

    `bodies`: each event's JSON as it lay in the journal, or `NOT_AT_HAND`; nothing at all where none is.
    `routes`: of a journal that several engines share, the shards of each event. `clock`: whoever writes that journal
    says in it that everything up to this moment has been written. `lost`: entries that were removed before they were
    read, at most. `size`: bytes of the events' JSON; 0: as much as `bodies` have.
    """

    events: tuple[Event, ...]
    positions: dict[str, int]
    at_head: bool
    rejects: tuple[Reject, ...] = ()
    routes: tuple[Route, ...] = ()
    clock: Instant | None = None
    bodies: tuple[bytes, ...] = ()
    lost: int = 0
    size: int = 0

    def __post_init__(self) -> None:
        for beside in (self.bodies, self.routes):
            if beside and len(beside) != len(self.events):
                raise ValueError(f"{len(beside)} were given for {len(self.events)} events; expected one of each")


class JournalWriter(Protocol):
    async def append(self, events: Sequence[Event]) -> Appended:
        """Make events durable, in order, before returning. Raises Unavailable."""
        ...


class Unhandled(msgspec.Struct, frozen=True):
    """Events that were taken in and not read yet, and the bytes of their JSON."""

    events: int
    size: int


class UnreadEvents(Protocol):
    async def by_source(self) -> dict[str, Unhandled]:
        """What no engine ever read, by the source that the events name. Raises Unavailable."""
        ...


class FeedCursors(Protocol):
    """How far each pulled feed was read, as text that only the puller understands."""

    async def load(self, feed: str) -> str | None:
        """Raises Unavailable."""
        ...

    async def save(self, feed: str, at: Instant, cursor: str) -> None:
        """Keep it unless a later one is there already. Raises Unavailable."""
        ...


class JournalReader(Protocol):
    async def read(self, positions: Positions, limit: int) -> Batch:
        """At most `limit` events from `positions` on (none: from the start). Does not wait. Raises Unavailable."""
        ...

    async def wait(self, timeout: float) -> None:
        """Return when there may be more to read, or after `timeout` seconds."""
        ...


class Halt(msgspec.Struct, frozen=True):
    """A topic that is not read until somebody says so: since when, and why."""

    topic: str
    at: Instant
    detail: str


class TopicBook(Protocol):
    """What is kept about topics beside the positions in them."""

    async def bind(self, journal: str, cluster: str) -> str:
        """The cluster that the positions of `journal` belong to: from the first call on the one named there."""
        ...

    async def halts(self) -> list[Halt]:
        """Raises Unavailable."""
        ...

    async def halt(self, halt: Halt) -> None:
        """Halting a topic again changes nothing. Raises Unavailable."""
        ...

    async def resume(self, topic: str) -> bool:
        """Whether the topic was halted. Raises Unavailable."""
        ...

    async def spread(self, topic: str, partitions: int) -> int:
        """Over how many partitions of a topic the shards are spread: from the first call on as many as named there.

        Raises Unavailable.
        """
        ...
