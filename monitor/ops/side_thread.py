"""A thread in which one piece of work follows another, beside the event loop, which answers others meanwhile.

Knows nothing of the work. Whoever gives it waits for its end before touching what it works on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from monitor.ops.memory_limit import lacks_thread

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Beside:
    """One thread, made with the first piece of work and kept: several owners take turns in it."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def do(
        self, work: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Raises what the work raises, and MemoryError where there is none for the thread."""
        whole = partial(copy_context().run, work, *args, **kwargs)
        try:
            begun = self._executor.submit(whole)
        except RuntimeError as error:
            if not lacks_thread(error):
                raise
            raise MemoryError(str(error)) from error
        return await asyncio.wrap_future(begun)
