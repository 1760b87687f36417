"""Bounds what bodies take together: their bytes while they are under way, and how many large ones are read at a time.

Knows sizes only. Small bodies always pass, so that a sender of large ones cannot keep the others out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from monitor.decode.jsontext import INLINE
from monitor.ops.tasks import in_thread

SMALL = 64 * 1024
"""Bytes of each body that do not count: the number of connections bounds those."""
QUEUE_SECONDS = 15.0

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Busy(Exception):
    """Too much is under way; the sender shall come again."""


class BodyShare:
    """What one body takes of the whole."""

    def __init__(self, flight: Flight) -> None:
        self._flight = flight
        self._seen = 0
        self.taken = 0

    def take(self, size: int) -> None:
        """Count so many bytes more. Raises Busy, and counts nothing then."""
        counted = max(self._seen + size - SMALL, 0) - self.taken
        if counted > 0:
            self._flight.take(counted)
            self.taken += counted
        self._seen += size


class Flight:
    """Bytes under way, at most `limit` of them; and a bench for one large body at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._bench = asyncio.Semaphore(1)

    @property
    def taken(self) -> int:
        return self._taken

    @contextmanager
    def share(self) -> Iterator[BodyShare]:
        """For as long as one body is under way."""
        share = BodyShare(self)
        try:
            yield share
        finally:
            self._taken -= share.taken

    def take(self, size: int) -> None:
        """Raises Busy."""
        if self._taken + size > self._limit:
            raise Busy(f"{self._taken} bytes of bodies are being read; at most {self._limit} at once")
        self._taken += size

    async def work(
        self, size: int, work: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Do `work` on a body of `size` bytes: at once, or in a thread when the large ones before it are done.

        Raises Busy when those take too long, MemoryError where there is none for a thread.
        """
        if size <= INLINE:
            return work(*args, **kwargs)
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._bench.acquire()
        except TimeoutError:
            raise Busy(f"large bodies wait for each other; none could be begun within {QUEUE_SECONDS:g} s") from None
        try:
            return await in_thread(work, *args, **kwargs)
        finally:
            self._bench.release()
