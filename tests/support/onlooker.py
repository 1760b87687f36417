"""Asks `/healthz` again and again while something else happens, and a steady server beside it as the control."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx

from monitor.ops.clock import SystemClock
from tests.support.service import Service

PATIENCE_SECONDS = 0.25
"""By which an answer of the service may be late, beyond the delay of a server that always does the same."""


class Onlooker:
    """Remembers the longest waits in seconds: for the service, and for the control, which a busy machine delays too.

    Of a wait for the service the time is left out in which it would have worked and got no processor.
    """

    def __init__(self, service: Service, control: str) -> None:
        self._service = service
        self._addresses = {"service": service.address + "/healthz", "control": control}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._look, args=(name,)) for name in self._addresses]
        self._waits: dict[str, list[float]] = {name: [0.0] for name in self._addresses}

    @property
    def excess(self) -> float:
        """The longest wait for the service, less the delay of the control: its longest against its shortest."""
        control = self._waits["control"][1:] or [0.0]
        return max(self._waits["service"]) - (max(control) - min(control))

    def _look(self, name: str) -> None:
        clock, starved = SystemClock(), self._service.starved if name == "service" else float
        with httpx.Client(timeout=200, trust_env=False) as http:
            while not self._stop.is_set():
                began, before = clock.monotonic(), starved()
                assert http.get(self._addresses[name]).status_code == 200
                self._waits[name].append(clock.monotonic() - began - (starved() - before))
                self._stop.wait(0.005)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def steady_server() -> Iterator[str]:
    """The address of the control."""
    command = [sys.executable, "-m", "tests.support.steady_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def disk(directory: Path) -> int:
    """Bytes of what the service keeps there."""
    return sum(file.stat().st_size for file in directory.iterdir() if file.is_file() and "service.log" not in file.name)
