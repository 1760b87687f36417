"""What is no HTTP, or reads in two ways, on a server of our own: refused once, counted, and hardly logged."""

from __future__ import annotations

import pytest

from monitor.app.server import ConnectionLimits
from monitor.ops.labelled import Closed
from tests.integration.test_connections import Site, serving

_CHUNKED = b"transfer-encoding: chunked\r\n"
_LIMITS = ConnectionLimits(most=8)


def _head(line: bytes, *headers: bytes) -> bytes:
    return line + b"\r\nhost: localhost\r\n" + b"".join(headers) + b"\r\n"


@pytest.mark.parametrize("headers", [(b"content-length: 4\r\n", _CHUNKED), (_CHUNKED, b"content-length: 4\r\n")])
async def test_a_body_whose_end_is_told_twice_is_refused_with_all_that_follows(headers: tuple[bytes, ...]) -> None:
    """A proxy that goes by the other header takes the second request for the body of the first."""
    async with serving(_LIMITS) as site:
        smuggled = _head(b"GET / HTTP/1.1", b"connection: close\r\n")
        reader = await site.connect(_head(b"POST /take HTTP/1.1", *headers) + b"0\r\n\r\n" + smuggled)
        answer = await reader.read(-1)
        assert answer.startswith(b"HTTP/1.1 400")
        assert answer.count(b"HTTP/1.1") == 1
        assert site.closed(Closed.MALFORMED) == 1


async def test_chunks_are_refused_where_the_version_of_http_has_none() -> None:
    async with serving(_LIMITS) as site:
        reader = await site.connect(_head(b"POST /take HTTP/1.0", _CHUNKED) + b"2\r\n{}\r\n0\r\n\r\n")
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 400")


async def test_a_body_that_breaks_after_it_was_answered_closes_the_connection_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(_LIMITS) as site:
        reader = await site.connect(_head(b"POST / HTTP/1.1", _CHUNKED) + b"2\r\n{}\r\n")
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 405")
        site.writers[-1].write(b"no chunk\r\n")
        assert await reader.read(-1) == b""
        assert site.closed(Closed.MALFORMED) == 1
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_body_that_breaks_while_it_is_worked_on_is_answered_once(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(_LIMITS) as site:
        reader = await site.connect(_head(b"GET /wait HTTP/1.1", _CHUNKED) + b"2\r\n{}\r\n")
        site.writers[-1].write(b"no chunk\r\n")
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 400")
        site.go.set()
        assert (await _asked(site)).startswith(b"HTTP/1.1 200")
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    "sent",
    [
        _head(b"GET / HTTP/1.1", b"x\0: y\r\n"),
        _head(b"GET / HTTP/1.1", b"connection: upgrade, close\r\n", b"upgrade: websocket\r\n"),
        _head(b"GET / HTTP/1.1", b"connection: upgrade, close\r\n", b"upgrade: h2c\r\n"),
    ],
    ids=["no HTTP", "a websocket", "another version"],
)
async def test_a_flood_of_what_is_not_understood_is_a_line_at_most(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(_LIMITS) as site:
        for _ in range(20):
            await (await site.connect(sent)).read(-1)
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) <= 1


async def _asked(site: Site) -> bytes:
    return await (await site.connect(_head(b"GET / HTTP/1.1", b"connection: close\r\n"))).read(-1)
