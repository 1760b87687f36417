"""Tells open pages that something changed: one revision of the queue, looked up once for all of them.

Nothing runs while nobody listens. Whichever listener comes first when the last look is too old does the look; the
others wait for it. Knows nothing of what the pages show.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

from monitor.core.model.near_miss import UNDECIDED
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ports import NearMisses, Query, Unavailable
from monitor.review.guard import MonotonicClock

LOOK_EVERY_SECONDS = 2.0
HEARTBEAT_SECONDS = 15.0
WATCHED_RECORDS = 50
"""Records from the head of the queue whose versions are watched; beyond them only the counts are."""

MOST_STREAMS = 200

_log = get_logger("live")


class Live:
    """The revision of the queue. Call `close` when the service begins to stop, so that no stream keeps it up."""

    def __init__(self, near_misses: NearMisses, clock: MonotonicClock, every: float = LOOK_EVERY_SECONDS) -> None:
        self._near_misses = near_misses
        self._clock = clock
        self._every = every
        self._looking = asyncio.Lock()
        self._looked_at: float | None = None
        self._revision = ""
        self._closed = asyncio.Event()
        self._streams = 0

    @property
    def is_full(self) -> bool:
        """Whether one more stream would be too many: each holds a connection for as long as its page is open."""
        return self._streams >= MOST_STREAMS

    def close(self) -> None:
        """End every stream; further ones end at once."""
        self._closed.set()

    async def revision(self) -> str:
        """The present revision, at most `every` seconds old; the same in every copy of the service."""
        async with self._looking:
            now = self._clock.monotonic()
            if self._looked_at is None or now - self._looked_at >= self._every:
                self._looked_at = now
                await self._look()
        return self._revision

    async def _look(self) -> None:
        try:
            counts = await self._near_misses.counts()
            page = await self._near_misses.page(Query(states=tuple(sorted(UNDECIDED))), None, WATCHED_RECORDS)
        except Unavailable:
            # A page that is already open stays as it is; whoever acts on it is told.
            _log.warning("live_look_failed")
            return
        seen = [(str(state), count) for state, count in sorted(counts.items())]
        # An amended draft keeps its version: the version counts what people did.
        versions = [(each.draft.id, each.version, each.draft.title, each.draft.verdict) for each in page.records]
        self._revision = hashlib.sha256(repr((seen, versions)).encode()).hexdigest()[:16]

    async def stream(self) -> AsyncIterator[bytes]:
        """Server-sent events: `revision` at once and after each change, and a comment now and then to keep it open."""
        self._streams += 1
        try:
            async for piece in self._pieces():
                yield piece
        finally:
            self._streams -= 1

    async def _pieces(self) -> AsyncIterator[bytes]:
        told: str | None = None
        quiet = 0.0
        while not self._closed.is_set():
            revision = await self.revision()
            if revision != told:
                told, quiet = revision, 0.0
                yield f"event: revision\ndata: {revision}\n\n".encode()
            elif quiet >= HEARTBEAT_SECONDS:
                quiet = 0.0
                yield b": still here\n\n"
            quiet += self._every
            await stopped_within(self._closed, self._every)
