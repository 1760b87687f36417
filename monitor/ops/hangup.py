"""Turns SIGHUP into a request to read the configuration again, and into a stop where the terminal is gone.

Knows nothing of what is read. A service that was started in a terminal gets the same signal when that is closed; it
must not live on unseen.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.ops.stop import Stop

_TERMINAL = "/dev/tty"


@contextmanager
def asked_by_hangup(stop: Stop) -> Iterator[asyncio.Event]:
    """Inside, SIGHUP sets the event. Needs a running event loop in the main thread.

    Enter it before anything is started: left alone, the signal ends the process.
    """
    asked = asyncio.Event()
    had_terminal = _has_terminal()
    loop = asyncio.get_running_loop()

    def on_hangup() -> None:
        if had_terminal and not _has_terminal():
            stop.request("the terminal was closed")
        asked.set()

    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    try:
        yield asked
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _has_terminal() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
