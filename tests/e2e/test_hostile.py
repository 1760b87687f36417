"""A live service under hostile inputs: each is answered as it should be, and meanwhile others are.

For each the time that `/healthz` took meanwhile, the peak of memory and the growth on disk are held against a bound.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx
import pytest

from monitor.ops.clock import SystemClock
from tests.e2e.hostile import CORPUS, EVENT, Hostile
from tests.e2e.hostile_requests import REQUESTS, Request
from tests.support.service import Service
from tests.support.waiting import until

PATIENCE_SECONDS = 0.25
TRIES = 3
"""A busy machine delays an answer now and then; an input that blocks the service does it each time."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("hostile")
    running = Service(directory, "--database", f"sqlite:///{directory / 'nearmiss.db'}")
    try:
        yield running.start()
    finally:
        running.close()


class Onlooker:
    """Asks `/healthz` again and again while something else happens, and remembers the longest wait in seconds."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.longest = 0.0

    def _look(self) -> None:
        clock = SystemClock()
        with httpx.Client(timeout=60, trust_env=False) as http:
            while not self._stop.is_set():
                began = clock.monotonic()
                assert http.get(self._service.address + "/healthz").status_code == 200
                self.longest = max(self.longest, clock.monotonic() - began)
                self._stop.wait(0.005)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def _send(service: Service, hostile: Hostile, body: bytes) -> int:
    """By a client that sends whatever it is given."""
    address = urlsplit(service.address)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=60)
    try:
        connection.putrequest("POST", hostile.path, skip_host="host" in hostile.headers)
        for name, value in {"content-length": str(len(body)), **hostile.headers}.items():
            connection.putheader(name, value.encode("latin-1"))
        connection.endheaders(body)
        return connection.getresponse().status
    finally:
        connection.close()


def _send_request(service: Service, request: bytes) -> int:
    """The bytes as they are; the status of the first answer."""
    address = urlsplit(service.address)
    with socket.create_connection((str(address.hostname), address.port), 60) as connection:
        # It may be answered, and closed, before all is sent.
        with suppress(OSError):
            connection.sendall(request)
        return int(connection.recv(65_536).split(b" ", 2)[1])


@pytest.mark.parametrize("hostile", CORPUS, ids=lambda hostile: hostile.name)
def test_a_hostile_input_is_answered_and_nobody_else_waits(service: Service, hostile: Hostile) -> None:
    body = hostile.make()
    _is_borne(service, hostile, lambda: _send(service, hostile, body))


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.name)
def test_a_hostile_request_is_answered_and_nobody_else_waits(service: Service, request_: Request) -> None:
    wire = request_.make()
    _is_borne(service, request_, lambda: _send_request(service, wire))


def _is_borne(service: Service, hostile: Hostile | Request, send: Callable[[], int]) -> None:
    longest = []
    disk = _disk(service.directory)
    for _ in range(TRIES):
        before = service.peak_memory(anew=True)
        with Onlooker(service) as onlooker:
            status = send()
        assert status in hostile.statuses
        longest.append(onlooker.longest)
        grown = service.peak_memory() - before
        assert grown <= hostile.memory, f"{grown:,} bytes of memory; at most {hostile.memory:,}"
        if longest[-1] < PATIENCE_SECONDS:
            break
    assert min(longest) < PATIENCE_SECONDS, longest
    grown = (_disk(service.directory) - disk) // len(longest)
    assert grown <= hostile.disk, f"{grown:,} bytes on disk; at most {hostile.disk:,}"


def _disk(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.iterdir() if "service.log" not in file.name)


def test_the_stream_never_stopped(service: Service) -> None:
    """Last in this file."""
    service.post("/ingest/events", str({**EVENT, "id": "the last"}).replace("'", '"').encode())
    until(
        lambda: service.metric("nearmiss_events_processed_total") == service.metric("nearmiss_events_accepted_total"),
        "the engine has read everything",
        within=60,
    )
    assert service.is_ready()
    assert "Traceback" not in service.log()
    assert service.metric("nearmiss_intake_paused") == 0
