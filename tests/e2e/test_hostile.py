"""A live service under hostile inputs: each is answered as it should be, and meanwhile others are.

For each the time that `/healthz` took meanwhile, against a control, the peak of memory and the growth on disk are held
against a bound.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.e2e.hostile import CORPUS, EVENT, MAPPINGS, Hostile
from tests.e2e.hostile_requests import REQUESTS, Request
from tests.support.onlooker import PATIENCE_SECONDS, Onlooker, disk, steady_server
from tests.support.service import Service
from tests.support.waiting import until

TRIES = 3
"""A busy machine delays an answer now and then; an input that blocks the service does it each time."""
ANSWER_SECONDS = 200.0
"""Patience: that nobody else waits meanwhile is what is measured."""


@pytest.fixture(scope="module")
def control() -> Iterator[str]:
    with steady_server() as address:
        yield address


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("hostile")
    mappings = tmp_path_factory.mktemp("mappings")
    for name, text in MAPPINGS.items():
        (mappings / f"{name}.yaml").write_text(text)
    database = f"sqlite:///{directory / 'nearmiss.db'}"
    running = Service(directory, "--database", database, "--mappings", str(mappings))
    try:
        yield running.start()
    finally:
        running.close()


def _send(service: Service, hostile: Hostile, body: bytes) -> int:
    """By a client that sends whatever it is given."""
    address = urlsplit(service.address)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=ANSWER_SECONDS)
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
    with socket.create_connection((str(address.hostname), address.port), ANSWER_SECONDS) as connection:
        # It may be answered, and closed, before all is sent.
        with suppress(OSError):
            connection.sendall(request)
        return int(connection.recv(65_536).split(b" ", 2)[1])


@pytest.mark.parametrize("hostile", CORPUS, ids=lambda hostile: hostile.name)
def test_a_hostile_input_is_answered_and_nobody_else_waits(service: Service, control: str, hostile: Hostile) -> None:
    body = hostile.make()
    _is_borne(service, control, hostile, lambda: _send(service, hostile, body))


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.name)
def test_a_hostile_request_is_answered_and_nobody_else_waits(service: Service, control: str, request_: Request) -> None:
    wire = request_.make()
    _is_borne(service, control, request_, lambda: _send_request(service, wire))


def _is_borne(service: Service, control: str, hostile: Hostile | Request, send: Callable[[], int]) -> None:
    late = []
    kept = disk(service.directory)
    for _ in range(TRIES):
        before = service.peak_memory(anew=True)
        with Onlooker(service, control) as onlooker:
            status = send()
        assert status in hostile.statuses
        late.append(onlooker.excess)
        grown = service.peak_memory() - before
        assert grown <= hostile.memory, f"{grown:,} bytes of memory; at most {hostile.memory:,}"
        if late[-1] < PATIENCE_SECONDS:
            break
    assert min(late) < PATIENCE_SECONDS, late
    grown = (disk(service.directory) - kept) // len(late)
    assert grown <= hostile.disk, f"{grown:,} bytes on disk; at most {hostile.disk:,}"


def test_the_stream_never_stopped(service: Service) -> None:
    """Last in this file."""
    service.post("/ingest/events", str({**EVENT, "id": "the last"}).replace("'", '"').encode())
    until(
        lambda: service.metric("nearmiss_events_processed_total") == service.metric("nearmiss_events_accepted_total"),
        "the engine has read everything",
    )
    assert service.is_ready()
    assert "Traceback" not in service.log()
    assert service.metric("nearmiss_intake_paused") == 0
