"""Waits until something is so, for as long as it may take at most; never for a fixed time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from monitor.ops.clock import SystemClock

Found = TypeVar("Found")
_LOOK_EVERY = 0.05


def until(look: Callable[[], Found | None], what: str, *, within: float = 60.0) -> Found:
    """What `look` finds once it finds something true. Raises AssertionError after `within` seconds, naming `what`."""
    clock = SystemClock()
    deadline = clock.monotonic() + within
    pause = threading.Event()
    while True:
        if found := look():
            return found
        if clock.monotonic() > deadline:
            raise AssertionError(f"did not happen within {within:g} s: {what}")
        pause.wait(_LOOK_EVERY)
