"""Odd headers on every kind of route of a live service, and on what reads them: no server error, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from monitor.core.model.events import Instant
from monitor.decode.registry import SOURCES, canonical_source, shown_token, verify
from monitor.intake.senders import IntakeAccess
from monitor.ops.throttle import network_of
from monitor.review.auth import Account, Auth, is_loopback
from monitor.review.guard import _host_name, _is_same_origin
from tests.fuzz.mutate import ODD_HEADERS
from tests.support.service import Service

NAMES = (
    *("host", "origin", "sec-fetch-site", "authorization", "content-encoding", "content-type", "content-length"),
    *("transfer-encoding", "expect", "connection", "upgrade", "accept", "cookie", "hx-request", "last-event-id"),
    *("range", "if-range", "if-none-match", "if-modified-since", "x-forwarded-for", "webhook-request-origin"),
    *("x-hub-signature", "x-hub-signature-256", "x-github-event", "x-pagerduty-signature", "x-slack-signature"),
    *("x-slack-request-timestamp", "webhook-id", "webhook-timestamp", "webhook-signature", "svix-id", "svix-signature"),
    *("x-nearmiss-token", "x-gitlab-token", "x-api-key", "ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time"),
)
READ = ("/", "/near-misses/nm-1", "/report", "/static/style.css", "/metrics", "/healthz", "/readyz", "/nowhere")
SENT = ("/api/v1/reports", "/report", "/near-misses/nm-1/decision", "/api/v2/alerts", "/ingest/events")
SIGNED = ("/ingest/github", "/ingest/slack", "/ingest/pagerduty", "/ingest/cloudevents")
OTHER = (("OPTIONS", "/ingest/cloudevents"), ("HEAD", "/"), ("PUT", "/ingest/events"))
ROUTES = (*(("GET", path) for path in READ), *(("POST", path) for path in (*SENT, *SIGNED)), *OTHER)
VALUES = st.sampled_from(ODD_HEADERS) | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
HEADERS = st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=4)
BODY = b'{"id": "f", "source": "fuzz", "time": "2026-03-10T12:00:00Z", "kind": "note.added"}'


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("headers")
    secrets = {f"NEARMISS_SECRETS__{name}": "a-secret-of-this-test" for name in ("GITHUB", "SLACK", "PAGERDUTY")}
    running = Service(directory, "--database", f"sqlite:///{directory / 'nearmiss.db'}", environment=secrets)
    try:
        yield running.start()
    finally:
        running.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from(ROUTES), headers=HEADERS)
def test_no_header_is_a_server_error(service: Service, route: tuple[str, str], headers: dict[str, str]) -> None:
    address = urlsplit(service.address)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=20)
    try:
        connection.putrequest(*route, skip_host="host" in headers)
        for name, value in {"content-length": str(len(BODY)), "connection": "close", **headers}.items():
            connection.putheader(name, value.encode("latin-1"))
        connection.endheaders()
        connection.sock.sendall(BODY)
        connection.sock.shutdown(1)  # whatever length was told: there is no more
        connection.sock.settimeout(20)
        status = connection.sock.recv(65_536).split(b" ")[1:2]
    except (OSError, ValueError):
        return  # closed before all was sent, or a header that no client can send
    finally:
        connection.close()
    assert not status or status[0] < b"500", (route, headers)


def test_none_of_them_left_a_traceback(service: Service) -> None:
    """Last of those that ask the service."""
    assert service.is_ready()
    assert "Traceback" not in service.log()


@given(VALUES)
def test_what_reads_credentials_and_names_never_raises(value: str) -> None:
    auth = Auth((Account("ada", "on call", "correct horse battery"),))
    assert auth.person(value) is None
    assert auth.account_of(value) in ("ada", "unknown")
    is_loopback(_host_name(value))
    network_of(value)
    _is_same_origin(Headers({"origin": value.encode("latin-1", "replace").decode("latin-1")}), "localhost")
    source = canonical_source(value)
    assert source is None or canonical_source(source) == source
    assert IntakeAccess().may_carry("events", value) or "nearmiss" in value.lower()


@given(st.sampled_from(sorted(SOURCES)), HEADERS, st.binary(max_size=50))
def test_no_header_proves_what_it_does_not(source: str, headers: dict[str, str], body: bytes) -> None:
    shown_token(source, headers)
    assert verify(source, ("a-secret-of-this-test",), headers, body, Instant(1_773_144_000_000_000)) is not None
