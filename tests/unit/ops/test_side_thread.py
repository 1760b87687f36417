"""Work in a thread of its own: its outcome comes back whatever gets lost, and nothing runs that was given up."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from typing import Any

import pytest

from monitor.ops.side_thread import Beside

SOON = 0.001


def fails(error: BaseException) -> int:
    raise error


async def test_what_the_work_returns_and_raises_comes_back() -> None:
    beside = Beside("test")
    assert await beside.do(sum, [1, 2]) == 3
    await beside.do(lambda: None)
    for error in (KeyError("x"), MemoryError(), SystemExit(3)):
        with pytest.raises(type(error)):
            await beside.do(fails, error)
    assert await beside.do(sum, [3]) == 3, "the thread goes on"


async def test_an_error_that_asyncio_refuses_comes_back_too() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await Beside("test", SOON).do(fails, StopIteration())


async def test_a_word_that_got_lost_delays_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    real = loop.call_soon_threadsafe
    lost: list[int] = []
    gate = threading.Event()

    def first_is_lost(*args: Any, **kwargs: Any) -> Any:
        if threading.current_thread().name.startswith("test") and not lost:
            lost.append(1)
            raise MemoryError
        return real(*args, **kwargs)

    monkeypatch.setattr(loop, "call_soon_threadsafe", first_is_lost)
    loop.call_soon(gate.set)
    assert await Beside("test", SOON).do(gate.wait, 30)
    assert lost


async def test_a_thread_that_ended_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = Beside("test", SOON)
    with monkeypatch.context() as patched:
        patched.setattr(concurrent.futures.Future, "set_result", lambda self, result: fails(MemoryError()))
        assert await beside.do(sum, [1]) == 1
    assert await beside.do(sum, [2]) == 2


async def test_what_had_no_thread_does_not_run_later(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = Beside("test")
    ran: list[int] = []

    def none_left(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        with pytest.raises(MemoryError):
            await beside.do(ran.append, 1)
    await beside.do(ran.append, 2)
    assert ran == [2]


async def test_a_piece_that_waits_for_its_turn_is_given_up_with_its_giver() -> None:
    beside, gate = Beside("test"), threading.Event()
    ran: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(beside.do(gate.wait, 30))
        second = tasks.create_task(beside.do(ran.append, 2))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.set()
    assert first.result()
    await beside.do(ran.append, 3)
    assert ran == [3]
