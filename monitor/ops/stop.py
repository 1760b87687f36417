"""Turns the signals that would end the process into a request to stop that is never lost, and waits for it.

Knows nothing of what is stopped. A second signal means that the person does not want to wait.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.ops.logs import get_logger

_log = get_logger("stop")
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
"""The last four would end the process as well, and without a line of log."""


class Stop:
    """A request to stop: set once, stays set. `event` is what tasks wait on."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    @property
    def requested(self) -> bool:
        return self.event.is_set()

    def request(self, why: str) -> None:
        if not self.event.is_set():
            _log.info("stop_requested", why=why)
            self.event.set()


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Inside, the first of the signals requests the stop; a further one acts as if nobody listened.

    Enter it before anything is started: a signal during the start then stops the program right after it. Needs a
    running event loop in the main thread.
    """
    stop = Stop()
    loop = asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
        stop.request(number.name)

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


async def stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    """Whether the stop came; waits for it for so long."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True
