"""The stop: a signal requests it whenever it comes, and a second one does not wait."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from monitor.ops.stop import Stop, stop_on_signals, stopped_within


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU],
)
async def test_a_signal_requests_the_stop(number: signal.Signals) -> None:
    with stop_on_signals() as stop:
        assert not stop.requested
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.event.wait(), 10)
        assert stop.requested


async def test_a_signal_during_the_start_is_not_lost() -> None:
    with stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.wait_for(stop.event.wait(), 10)


async def test_after_the_first_signal_nobody_listens_any_more() -> None:
    with stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.event.wait(), 10)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


async def test_leaving_gives_the_signals_back() -> None:
    with stop_on_signals():
        pass
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


async def test_a_request_is_made_once_and_stays() -> None:
    stop = Stop()
    stop.request("the queue is empty")
    stop.request("again")
    assert stop.requested


async def test_whoever_waits_is_told_whether_the_stop_came() -> None:
    stop = asyncio.Event()
    assert not await stopped_within(stop, 0.0)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(stopped_within(stop, 60.0))
        await asyncio.sleep(0)
        assert not waiting.done()
        stop.set()
    assert waiting.result()
