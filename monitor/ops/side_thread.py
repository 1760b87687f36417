"""A thread in which one piece of work follows another, beside the event loop, which answers others meanwhile.

Knows nothing of the work. Its giver waits for its end before touching what it works on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Generic, ParamSpec, TypeVar

from monitor.ops.memory_limit import lacks_thread

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
ASKED_AGAIN = 1.0
"""Seconds after which the outcome is looked at, should no word of it have come: where memory ends, a word gets lost."""


class _Outcome(Generic[Result]):
    """What came of a piece of work; made before it, so that to keep it takes no memory."""

    __slots__ = ("error", "is_there", "results")

    def __init__(self) -> None:
        self.results: list[Result | None] = [None]
        self.error: BaseException | None = None
        self.is_there = False

    def of(self, work: Callable[[], Result]) -> None:
        try:
            self.results[0] = work()
        except BaseException as error:  # noqa: BLE001  # it belongs to the work's giver, and must not end the thread
            self.error = error
        self.is_there = True


class Beside:
    """One thread, made with the first piece of work and kept: several owners take turns in it."""

    def __init__(self, name: str, asked_again: float = ASKED_AGAIN) -> None:
        self._name, self._asked_again = name, asked_again
        self._executor = self._made()

    async def do(
        self, work: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Raises what the work raises, and MemoryError where there is none for the thread."""
        outcome: _Outcome[Result] = _Outcome()
        whole = partial(copy_context().run, outcome.of, partial(work, *args, **kwargs))
        try:
            begun = self._executor.submit(whole)
        except RuntimeError as error:
            if not lacks_thread(error):
                raise
            self._executor = self._made()  # the piece waits in the old one, and must not run later
            raise MemoryError(str(error)) from error
        told = asyncio.wrap_future(begun)
        try:
            while not outcome.is_there:
                await asyncio.wait([told], timeout=self._asked_again)
            if not told.done():
                await asyncio.wait([told], timeout=self._asked_again)
        finally:
            begun.cancel()
        if not begun.done():
            self._executor = self._made()  # the thread ended before it could tell
        if outcome.error is not None:
            raise outcome.error
        return outcome.results[0]  # type: ignore[return-value]  # it is there, None included

    def _made(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)
