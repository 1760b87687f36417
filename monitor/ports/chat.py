"""The doors of the chat: what happened and is to be told, to whom, and what became of it. Values and one protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

import msgspec

from monitor.core.model.events import Event, EventId, Instant


class RecordChange(msgspec.Struct, frozen=True):
    """Something happened to a record; written in the transaction in which it happened. `action` as in the trail."""

    id: int
    record_id: str
    at: Instant
    action: str
    reason: str | None = None


class Letter(msgspec.Struct, frozen=True):
    """One thing to tell one destination, once for its `key`. Letters of one `subject` belong to one message.

    `body` is JSON that only the sender understands; not sent before `due_at`. `id` is the store's.
    """

    destination: str
    key: str
    subject: str
    body: bytes
    at: Instant
    due_at: Instant
    id: int = 0
    attempts: int = 0


class Post(msgspec.Struct, frozen=True):
    """A message that stands in a chat: where, by the chat's own names, and in which thread.

    `key` names the attempt that makes it. `ref` is None while nobody knows whether that attempt arrived. `shown` is a
    hash of what stands there.
    """

    destination: str
    subject: str
    place: str
    key: str
    at: Instant
    ref: str | None = None
    thread: str | None = None
    shown: str = ""


class DestinationState(msgspec.Struct, frozen=True):
    """How a destination does: failures in a row, since when, why, and when it is tried again."""

    destination: str
    failures: int = 0
    since: Instant | None = None
    reason: str | None = None
    retry_at: Instant | None = None
    waiting: int = 0
    refused: int = 0


class Received(msgspec.Struct, frozen=True):
    """What a chat sent us: once for its `key`."""

    key: str
    kind: str
    body: bytes
    at: Instant


class Foretold(msgspec.Struct, frozen=True):
    """An incident with impact and the earlier near misses that it resembles; `body` is JSON of the chat."""

    key: str
    at: Instant
    service: str | None
    title: str
    body: bytes


class EventHistory(Protocol):
    """The events of the past, for reports. Every method raises `monitor.ports.Unavailable`."""

    def events(
        self, since: Instant, until: Instant, service: str | None = None, kinds: Collection[str] = ()
    ) -> AsyncIterator[Event]:
        """With `since` <= time < `until`, by time; only of `kinds`, if any."""
        ...

    async def find(self, event_id: EventId) -> Event | None:
        """The event of this identity."""
        ...

    async def arrived(
        self, after: tuple[int, int] | None, kinds: Collection[str], limit: int
    ) -> tuple[list[Event], tuple[int, int]]:
        """What arrived after a place, and where to go on; None: from now on. An event may come twice."""
        ...


class Outbox(Protocol):
    """What is to be told and what was. Every method raises `monitor.ports.Unavailable`."""

    async def changes(self, limit: int) -> list[RecordChange]:
        """Those that were not handed out, oldest first."""
        ...

    async def hand_out(self, changes: Sequence[RecordChange], letters: Sequence[Letter]) -> int:
        """Replace changes by what is to be told of them, whole or not at all; how many letters were new."""
        ...

    async def take(self, destination: str, owner: str, now: Instant, until: Instant) -> DestinationState | None:
        """The lane, ours until then; None where somebody else has it, or while it rests after a failure."""
        ...

    async def due(self, destination: str, now: Instant, limit: int) -> list[Letter]:
        """What is to be sent now, oldest first."""
        ...

    async def settle(self, letters: Sequence[Letter], now: Instant, post: Post | None = None) -> None:
        """These were sent, with what stands in the chat now: in one transaction. The lane is well again."""
        ...

    async def refuse(self, letters: Sequence[Letter], now: Instant, reason: str) -> None:
        """The destination will never take these; they are kept with the reason."""
        ...

    async def put_off(self, lane: DestinationState) -> None:
        """The destination failed: keep everything and rest until `retry_at`."""
        ...

    async def release(self, destination: str, owner: str) -> None: ...

    async def note(self, post: Post) -> None:
        """Write down what is about to be posted, or where it stands."""
        ...

    async def post(self, destination: str, subject: str) -> Post | None: ...

    async def thread(self, place: str, thread: str) -> list[Post]:
        """The posts in a thread, oldest first."""
        ...

    async def lanes(self) -> list[DestinationState]:
        """All destinations with what waits for them."""
        ...

    async def remember_told(self, told: Foretold, letters: Sequence[Letter]) -> bool:
        """Whether it is new; its letters are written with it."""
        ...

    async def told(self, limit: int) -> list[Foretold]:
        """Newest first."""
        ...

    async def forget(self, before: Instant) -> int:
        """Remove what was sent, refused or told before; how many rows. What waits stays."""
        ...


class ChatInbox(Protocol):
    """What chats sent us, until it is worked on. Every method raises `monitor.ports.Unavailable`."""

    async def receive(self, received: Received, until: Instant) -> bool:
        """Keep it before it is answered, ours to work on until then; False where the key is known already."""
        ...

    async def left_over(self, now: Instant, until: Instant, limit: int) -> list[Received]:
        """What was received and never finished, and nobody works on; ours from now on."""
        ...

    async def finish(self, key: str, at: Instant) -> None: ...

    async def forget(self, before: Instant) -> int:
        """Remove what was finished before; how many rows. What is open stays."""
        ...
