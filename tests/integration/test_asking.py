"""The one client of feeds and pullers, over real connections: endless answers in whole lines, and who we say we are."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from monitor import asking
from monitor.asking import Caller, QueryFailed, Web, webs
from monitor.core.model.reasons import FeedFailure

HEAD = b"HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
LONG = 5.0
"""Seconds that no test waits for: what comes, or the end, comes first."""


def chunk(text: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(text), text)


@asynccontextmanager
async def server(pieces: Sequence[bytes], heads: list[bytes] | None = None) -> AsyncIterator[str]:
    """Answers with the pieces and then holds the connection until we leave it."""
    busy: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        busy.append(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        if heads is not None:
            heads.append(head)
        for piece in pieces:
            writer.write(piece)
        await writer.drain()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        await asyncio.gather(*filter(None, busy))


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "GATHERED_SECONDS", 0.1)


async def test_lines_are_whole_and_come_soon_after_the_first() -> None:
    async with server([HEAD, chunk(b"one\ntwo\nthr")]) as address, Web() as web:
        found = await web.lines(address, {"watch": "1"}, Caller(), LONG)
    assert (found.status, found.body, found.has_ended) == (200, b"one\ntwo\n", False)


async def test_a_silent_stream_is_left_after_a_while() -> None:
    async with server([HEAD]) as address, Web() as web:
        found = await web.lines(address, {}, Caller(), 0.1)
    assert (found.body, found.has_ended) == (b"", False)


async def test_a_stream_that_ends_says_so() -> None:
    async with server([HEAD, chunk(b"one\nlast"), b"0\r\n\r\n"]) as address, Web() as web:
        found = await web.lines(address, {}, Caller(), LONG)
    assert (found.body, found.has_ended) == (b"one\nlast", True)


async def test_a_stream_that_is_too_much_is_taken_in_parts() -> None:
    async with server([HEAD, chunk(b"a" * 40 + b"\n"), chunk(b"b" * 40 + b"\n")]) as address, Web(size=60) as web:
        found = await web.lines(address, {}, Caller(), LONG)
    assert found.body.startswith(b"a" * 40 + b"\n")
    async with server([HEAD, chunk(b"a" * 100)]) as address, Web(size=60) as web:
        with pytest.raises(QueryFailed) as caught:
            await web.lines(address, {}, Caller(), LONG)
    assert caught.value.reason is FeedFailure.TOO_LARGE


async def test_a_token_is_read_for_each_request(tmp_path: Path) -> None:
    file, heads = tmp_path / "token", list[bytes]()
    caller = Caller({}, str(file))
    async with server([HEAD, chunk(b"{}"), b"0\r\n\r\n"], heads) as address, Web() as web:
        for written in ("first", "second\n", "Basic abc"):
            file.write_text(written)
            await web.get(address, {}, caller)
        file.unlink()
        with pytest.raises(QueryFailed) as caught:
            await web.get(address, {}, caller)
    assert caught.value.reason is FeedFailure.DENIED
    shown = [line for head in heads for line in head.split(b"\r\n") if line.lower().startswith(b"authorization:")]
    assert [line.partition(b": ")[2] for line in shown] == [b"Bearer first", b"Bearer second", b"Basic abc"]


async def test_an_authority_vouches_for_its_own_tools_only(tmp_path: Path) -> None:
    (authority := tmp_path / "ca.crt").write_text("no certificate")
    async with webs([None, None]) as asks:
        assert list(asks) == [None]
    with pytest.raises(OSError, match=r"NO_CERTIFICATE|PEM"):
        async with webs([str(authority)]):
            pass


async def test_the_certificates_of_the_system_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes long enough for others to wait, and a sign-in makes several clients."""
    read: list[str | None] = []
    create = ssl.create_default_context

    def counted(cafile: str | None = None) -> ssl.SSLContext:
        read.append(cafile)
        return create(cafile=cafile)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    asking._of_system.cache_clear()
    for _ in range(3):
        async with Web():
            pass
    assert read == [None]
