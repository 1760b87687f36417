"""Runs the program's long-lived tasks by name and watches them: when one dies, the program stops and says why.

Knows nothing of what the tasks do. The only module that creates asyncio tasks, so that none can die unseen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar

from monitor.ops.logs import get_logger
from monitor.ops.memory_limit import lacks_thread
from monitor.ops.stop import stopped_within

_log = get_logger("tasks")

RESTART_SECONDS = 1.0
LONGEST_RESTART_SECONDS = 60.0

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class TaskFailed(Exception):
    """A watched task died, or ended although it should run for ever. The cause is chained."""

    def __init__(self, name: str, cause: BaseException | None) -> None:
        what = "ended although it should run until the stop" if cause is None else f"failed: {cause!r}"
        super().__init__(f"task {name} {what}")
        self.name = name
        self.__cause__ = cause


def to_the_end(
    method: Callable[Parameters, Coroutine[Any, Any, Result]],
) -> Callable[Parameters, Coroutine[Any, Any, Result]]:
    """For what must not be left half done: once begun it runs to its end, even when its caller is cancelled.

    The caller's cancellation follows then; what the work gave, or raised, is lost with the caller.
    """

    @wraps(method)
    async def whole(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        task = asyncio.create_task(method(*args, **kwargs), name=method.__name__)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                _log.warning("given_up_and_failed", task=task.get_name(), error=str(error))
            raise

    return whole


async def in_thread(work: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Do work that takes long beside everything else. Raises MemoryError where there is none for a thread."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except RuntimeError as error:
        if not lacks_thread(error):
            raise
        raise MemoryError(str(error)) from error


async def restarted(
    work: Callable[[], Coroutine[Any, Any, None]], stop: asyncio.Event, name: str, failed: Callable[[], None]
) -> None:
    """Run `work` until `stop`; where it fails, say so and begin it again after a while, longer each time.

    For a part without which the service goes on.
    """
    pause = RESTART_SECONDS
    while not stop.is_set():
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever breaks here must not end the rest
            _log.error("part_failed", part=name, again_in=pause, exc_info=error)
            failed()
            await stopped_within(stop, pause)
            pause = min(2 * pause, LONGEST_RESTART_SECONDS)
        else:
            return


class Aside(Generic[Result]):
    """One piece of work that goes on beside its owner, who asks what became of it before beginning the next."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Result] | None = None

    @property
    def is_under_way(self) -> bool:
        return self._task is not None

    def begin(self, name: str, work: Coroutine[Any, Any, Result]) -> None:
        """Begin `work`. Raises ValueError when what was begun before was not asked for yet."""
        if self._task is not None:
            work.close()
            raise ValueError(f"{name}: what was begun before was not asked for; call `result` first")
        self._task = asyncio.create_task(work, name=name)

    async def result(self) -> Result | None:
        """Wait for what was begun, and tell or raise what became of it; None where nothing was."""
        if self._task is None:
            return None
        await asyncio.wait([self._task])
        task, self._task = self._task, None
        return task.result()

    async def drop(self) -> None:
        """End what is under way; nobody asks any more what became of it."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("given_up_and_failed", task=task.get_name(), error=str(error))


class WatchedTasks:
    """Named tasks that live and fall together. Use it with `async with`: leaving it ends what still runs.

    Tasks are started in the order of dependence and ended in the reverse order.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._may_end: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """The tasks that run now, in the order in which they were started."""
        return tuple(name for name, task in self._tasks.items() if not task.done())

    def start(self, name: str, work: Coroutine[Any, Any, Any], *, may_end: bool = False) -> None:
        """Run `work` under `name`. With `may_end`, finishing without an error is no failure.

        Raises ValueError when a task of this name runs already.
        """
        if name in self.names:
            work.close()
            raise ValueError(f"a task named {name} runs already: give each task a name of its own")
        self._tasks[name] = asyncio.create_task(work, name=name)
        self._may_end.discard(name)
        if may_end:
            self._may_end.add(name)

    async def watch(self, stop: asyncio.Event) -> None:
        """Return once `stop` is set. Raises TaskFailed as soon as a task died, with the cause logged."""
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            while not stop.is_set():
                self._raise_if_one_died()
                running = [task for task in self._tasks.values() if not task.done()]
                await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
            self._raise_if_one_died(stopped=True)
        finally:
            stopping.cancel()

    def check(self) -> None:
        """Raises TaskFailed when a task died, and forgets those that were allowed to end and did."""
        self._raise_if_one_died()
        for name in [name for name, task in self._tasks.items() if task.done()]:
            del self._tasks[name]

    def _raise_if_one_died(self, stopped: bool = False) -> None:
        for name, task in self._tasks.items():
            if not task.done():
                continue
            cause = asyncio.CancelledError() if task.cancelled() else task.exception()
            if cause is None and (stopped or name in self._may_end):
                continue
            _log.error("task_died", task=name, exc_info=cause)
            raise TaskFailed(name, cause)

    async def end(self, grace: float = 0.0) -> None:
        """End all tasks, the youngest first: let each finish by itself for `grace` seconds, then cancel it.

        An error on the way out is logged and does not keep the others from ending.
        """
        for name, task in reversed(list(self._tasks.items())):
            if not task.done() and grace > 0:
                await asyncio.wait([task], timeout=grace)
            if not task.done():
                task.cancel()
                await asyncio.wait([task])
                if not task.cancelled() and (cause := task.exception()) is not None:
                    _log.error("task_failed_while_ending", task=name, exc_info=cause)
            del self._tasks[name]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.end()
