"""A live service that somebody holds connections to, starves of open files, or removes directories from under."""

from __future__ import annotations

import json
import resource
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import MakeService
from tests.e2e.hostile import EVENT, MIB
from tests.support.service import Service
from tests.support.waiting import until

MANY = 1_100
UPLOADS = 100
UPLOADED = 900_000


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * MANY)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def _connected(service: Service, count: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    address = urlsplit(service.address)
    with ExitStack() as stack:
        sockets = []
        for _ in range(count):
            one = stack.enter_context(socket.create_connection((str(address.hostname), address.port or 0), timeout=30))
            sockets.append(one)
            if sent:
                one.sendall(sent)
        yield sockets


@pytest.mark.parametrize("sent", [b"", b"POST /ingest/events HTTP/1.1\r\nhost: loc"], ids=["idle", "half-sent"])
def test_more_connections_than_there_are_files_end_nothing(make_service: MakeService, sent: bytes) -> None:
    service = make_service().start()
    with _connected(service, MANY, sent):
        for number in range(20):
            assert service.post("/ingest/events", json.dumps({**EVENT, "id": str(number)}).encode()).status_code == 202
        assert service.is_ready()
        evicted = 'nearmiss_connections_closed_total{reason="evicted"}'
        until(lambda: service.metric(evicted) >= MANY - 512, "the oldest give way")
    assert service.process is not None
    assert service.process.poll() is None
    assert "Too many open files" not in service.log()


def test_unfinished_uploads_are_bounded_together(make_service: MakeService) -> None:
    service = make_service().start()
    upload = b"POST /ingest/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n" % (5 * MIB)
    upload += b"x" * UPLOADED
    before = service.peak_memory(anew=True)
    with _connected(service, UPLOADS, upload):
        until(
            lambda: service.metric('nearmiss_requests_refused_total{status="503"}') > 0,
            "some are told to come again",
        )
        assert service.post("/ingest/events", json.dumps(EVENT).encode()).status_code == 202, "a small body passes"
        # The first answers may be gone: who still sends after 503 is cut off, and what was not read goes with it.
        until(lambda: _answer_to(service, upload).startswith(b"HTTP/1.1 503"), "one more is told so, too")
    grown = service.peak_memory() - before
    assert grown < 160 * MIB, f"{grown:,} bytes"


def _answer_to(service: Service, sent: bytes) -> bytes:
    """The first line of the answer. Sent and read together: an answer is read while the body is still on its way."""
    with _connected(service, 1) as (one,), ThreadPoolExecutor(1) as reading:
        line = reading.submit(one.recv, 100)
        try:
            one.sendall(sent)
            return line.result()
        except OSError:
            return b""


def test_a_lack_of_open_files_ends_nothing(make_service: MakeService) -> None:
    service = make_service(environment={"NEARMISS_WATCH_EVERY": "100ms"}).start()
    assert service.process is not None
    pid = service.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    until(lambda: "Too many open files" in service.log(), "the watcher says so")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    until(service.is_ready, "the service goes on")
    assert service.process.poll() is None
    until(lambda: service.metric("nearmiss_pack_last_reload_success") == 1, "the rules are looked at again")


def test_rules_that_vanish_end_nothing(make_service: MakeService, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree("rules/margin", rules)
    service = make_service("--rules", str(rules), environment={"NEARMISS_WATCH_EVERY": "50ms"}).start()
    for _ in range(5):
        shutil.rmtree(rules)
        shutil.copytree("rules/margin", rules)
    shutil.rmtree(rules)
    until(lambda: service.metric("nearmiss_pack_last_reload_success") == 0, "the loss is told")
    assert service.is_ready()
    assert service.metric("nearmiss_rules_loaded") > 0
