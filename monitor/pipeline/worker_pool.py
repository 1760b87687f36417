"""One worker for each part of the journal that is assigned to us, begun and ended as the assignment changes.

Decides who has to work; what the work is, and who may write, is the workers' business and the store's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from monitor.ops.logs import get_logger
from monitor.ops.tasks import WatchedTasks
from monitor.pipeline.lease import LoopState

_log = get_logger("pool")
_LOOK_SECONDS = 0.5


class Worker(Protocol):
    """Works on one part until its stop, then commits what is whole."""

    @property
    def state(self) -> LoopState: ...

    @property
    def silence(self) -> float:
        """Seconds since the store last took or answered something."""
        ...

    async def run(self, stop: asyncio.Event) -> None: ...


class Assignment(Protocol):
    """Which parts are ours to work on, by name."""

    assigned: frozenset[str]

    async def changed(self, timeout: float) -> None:
        """Return when it has changed, or after `timeout` seconds."""
        ...


class WorkerPool:
    """The workers of one process. A part that comes back while its worker ends gets a new one afterwards."""

    def __init__(self, assignment: Assignment, make_worker: Callable[[str], Worker], grace: float) -> None:
        """`grace`: seconds that workers get at the stop to commit what is whole."""
        self._assignment = assignment
        self._make_worker = make_worker
        self._grace = grace
        self._workers: dict[str, tuple[Worker, asyncio.Event]] = {}

    @property
    def trouble(self) -> str | None:
        """What keeps a part from being worked on; None when all is well, also when others have all parts."""
        paused = sorted(name for name, (worker, _) in self._workers.items() if worker.state is LoopState.PAUSED)
        return f"paused: {', '.join(paused)}" if paused else None

    @property
    def silence(self) -> float:
        """Seconds since the store last took or answered something of anybody; 0 where nobody works."""
        return min((worker.silence for worker, ending in self._workers.values() if not ending.is_set()), default=0.0)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the assignment until the stop; then end all workers. Raises TaskFailed when one died."""
        async with WatchedTasks() as tasks:
            try:
                while not stop.is_set():
                    self._follow(tasks)
                    await self._assignment.changed(_LOOK_SECONDS)
                    tasks.check()
            finally:
                for _, ending in self._workers.values():
                    ending.set()
                await tasks.end(self._grace)
                self._workers.clear()

    def _follow(self, tasks: WatchedTasks) -> None:
        running = set(tasks.names)
        for name in [name for name in self._workers if name not in running]:
            del self._workers[name]
        for name, (_, ending) in self._workers.items():
            if name not in self._assignment.assigned and not ending.is_set():
                _log.info("part_given_up", part=name)
                ending.set()
        for name in sorted(self._assignment.assigned - self._workers.keys()):
            worker, ending = self._workers[name] = (self._make_worker(name), asyncio.Event())
            tasks.start(name, worker.run(ending), may_end=True)
