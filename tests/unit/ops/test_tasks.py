"""Watched tasks: they live and fall together, and none dies unseen."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from monitor.ops.tasks import Aside, TaskFailed, WatchedTasks, restarted, to_the_end


class Journal:
    """Writes down what tasks do, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def work(self, name: str) -> None:
        self.lines.append(f"{name} began")
        try:
            await asyncio.Event().wait()
        finally:
            self.lines.append(f"{name} ended")


async def crash() -> None:
    raise RuntimeError("the disk is on fire")


async def finish() -> None:
    await asyncio.sleep(0)


async def test_they_run_until_the_stop_and_end_in_reverse_order() -> None:
    journal, stop = Journal(), asyncio.Event()
    async with WatchedTasks() as tasks:
        tasks.start("store", journal.work("store"))
        tasks.start("engine", journal.work("engine"))
        tasks.start("stopper", set_soon(stop), may_end=True)
        await tasks.watch(stop)
        assert tasks.names == ("store", "engine")
    assert journal.lines == ["store began", "engine began", "engine ended", "store ended"]


async def set_soon(stop: asyncio.Event) -> None:
    await asyncio.sleep(0)
    stop.set()


async def test_a_crash_of_one_stops_all_and_names_the_cause() -> None:
    journal = Journal()
    with structlog.testing.capture_logs() as logs, pytest.raises(TaskFailed, match=r"engine failed.*disk") as failure:
        async with WatchedTasks() as tasks:
            tasks.start("web", journal.work("web"))
            tasks.start("engine", crash())
            await tasks.watch(asyncio.Event())
    assert isinstance(failure.value.__cause__, RuntimeError)
    assert journal.lines == ["web began", "web ended"]
    assert [(line["event"], line["task"]) for line in logs] == [("task_died", "engine")]


async def test_a_task_that_ends_although_it_should_run_is_a_failure() -> None:
    with pytest.raises(TaskFailed, match="ended although"):
        async with WatchedTasks() as tasks:
            tasks.start("engine", finish())
            await tasks.watch(asyncio.Event())


async def test_a_task_that_somebody_cancelled_is_a_failure() -> None:
    with pytest.raises(TaskFailed, match="Cancelled"):
        async with WatchedTasks() as tasks:
            tasks.start("engine", cancel_me())
            await tasks.watch(asyncio.Event())


async def cancel_me() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def test_a_task_that_may_end_may_crash_all_the_same_only_loudly() -> None:
    with pytest.raises(TaskFailed, match="player failed"):
        async with WatchedTasks() as tasks:
            tasks.start("player", crash(), may_end=True)
            await tasks.watch(asyncio.Event())


async def test_a_crash_at_the_moment_of_the_stop_is_not_lost() -> None:
    stop = asyncio.Event()
    with pytest.raises(TaskFailed, match="engine failed"):
        async with WatchedTasks() as tasks:
            tasks.start("engine", crash())
            await asyncio.sleep(0)
            stop.set()
            await tasks.watch(stop)


async def test_ending_by_itself_after_the_stop_is_orderly() -> None:
    stop = asyncio.Event()

    async def engine() -> None:
        await stop.wait()

    async with WatchedTasks() as tasks:
        tasks.start("engine", engine())
        tasks.start("stopper", set_soon(stop), may_end=True)
        await tasks.watch(stop)
        await tasks.end(grace=60)
        assert tasks.names == ()


async def test_grace_lets_a_task_finish_what_it_began() -> None:
    done: list[str] = []
    stop = asyncio.Event()

    async def engine() -> None:
        await stop.wait()
        await asyncio.sleep(0)
        done.append("flushed")

    tasks = WatchedTasks()
    tasks.start("engine", engine())
    stop.set()
    await tasks.end(grace=60)
    assert done == ["flushed"]


async def test_an_error_on_the_way_out_is_logged_and_does_not_keep_the_others() -> None:
    journal = Journal()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("no space left")

    tasks = WatchedTasks()
    tasks.start("store", journal.work("store"))
    tasks.start("engine", stubborn())
    await asyncio.sleep(0)
    with structlog.testing.capture_logs() as logs:
        await tasks.end()
    assert journal.lines[-1] == "store ended"
    assert [(line["event"], line["task"]) for line in logs] == [("task_failed_while_ending", "engine")]


async def test_two_tasks_cannot_have_one_name() -> None:
    journal = Journal()
    async with WatchedTasks() as tasks:
        tasks.start("engine", journal.work("first"))
        with pytest.raises(ValueError, match="engine runs already"):
            tasks.start("engine", journal.work("second"))


async def test_what_runs_to_the_end_does_so_though_its_caller_is_cancelled() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    @to_the_end
    async def write(what: str) -> str:
        begun.set()
        await go_on.wait()
        done.append(what)
        return what

    async with WatchedTasks() as tasks:
        tasks.start("caller", write("row"))
        await begun.wait()
        go_on.set()
    assert done == ["row"]
    assert await write("next") == "next"


async def test_work_aside_goes_on_beside_its_owner_who_asks_later() -> None:
    aside: Aside[str] = Aside()
    gate = asyncio.Event()

    async def work() -> str:
        await gate.wait()
        return "done"

    assert await aside.result() is None
    aside.begin("work", work())
    assert aside.is_under_way
    with pytest.raises(ValueError, match=r"second: .* call `result` first"):
        aside.begin("second", work())
    gate.set()
    assert await aside.result() == "done"
    assert not aside.is_under_way


async def test_what_work_aside_died_of_is_told_once() -> None:
    aside: Aside[None] = Aside()
    aside.begin("engine", crash())
    with pytest.raises(RuntimeError, match="disk"):
        await aside.result()
    assert not aside.is_under_way
    await aside.result()


async def test_work_aside_that_is_dropped_ends() -> None:
    aside: Aside[None] = Aside()
    journal = Journal()
    aside.begin("web", journal.work("web"))
    await finish()
    await aside.drop()
    await aside.drop()
    aside.begin("engine", crash())
    await finish()
    with structlog.testing.capture_logs() as logs:
        await aside.drop()
    assert journal.lines == ["web began", "web ended"]
    assert [(line["event"], line["task"]) for line in logs] == [("given_up_and_failed", "engine")]


async def test_a_part_that_may_fail_says_so_and_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.ops.tasks.RESTART_SECONDS", 0.0)
    stop = asyncio.Event()
    tries: list[int] = []
    failures: list[int] = []

    async def work() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError(24, "Too many open files")

    with structlog.testing.capture_logs() as logs:
        await restarted(work, stop, "reload", lambda: failures.append(1))
    assert (len(tries), len(failures)) == (3, 2)
    assert [(line["event"], line["part"]) for line in logs] == [("part_failed", "reload")] * 2
