"""Connections within their bounds, on a server of our own: idle, half-sent, too many, unfinished, and not read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse

from monitor.app.metrics import Metrics
from monitor.app.server import ConnectionLimits, Server
from monitor.ops.labelled import Closed
from monitor.ops.tasks import WatchedTasks

PATIENCE = 20.0


class Site:
    """A server: an answer, one that waits for `go`, one that never ends, and one that takes a body."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.go, self.cut_off = asyncio.Event(), asyncio.Event()
        self.taking = asyncio.Semaphore(0)
        self.metrics = Metrics()
        self.app = FastAPI()
        self.app.get("/")(self.answer)
        self.app.get("/wait")(self.wait)
        self.app.get("/endless")(self.endless)
        self.app.post("/take")(self.take)
        self.server = Server(self.app, limits, self.metrics)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)

    async def answer(self) -> Response:
        return Response("ok")

    async def wait(self) -> Response:
        await self.go.wait()
        return Response("done")

    async def take(self, request: Request) -> Response:
        self.taking.release()
        return Response(f"took {len(await request.body())}")

    async def endless(self) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    await asyncio.sleep(0)
                    yield bytes(65_536)
            finally:
                self.cut_off.set()

        return StreamingResponse(pieces())

    async def connect(self, sent: bytes = b"") -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection(*self.listener.getsockname()[:2], limit=1024)
        writer.write(sent)
        self.writers = [*getattr(self, "writers", []), writer]
        self.readers = [*getattr(self, "readers", []), reader]
        return reader

    def closed(self, why: Closed) -> float:
        return self.metrics.registry.get_sample_value("nearmiss_connections_closed_total", {"reason": str(why)}) or 0.0


@asynccontextmanager
async def serving(limits: ConnectionLimits) -> AsyncIterator[Site]:
    site = Site(limits)
    async with WatchedTasks() as tasks, asyncio.timeout(PATIENCE):
        tasks.start("http", site.server.serve(sockets=[site.listener]), may_end=True)
        await site.server.answers.wait()
        yield site
        site.go.set()
        site.server.should_exit = site.server.force_exit = True
        await site.server.ended.wait()


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()


async def _end(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side closes."""
    try:
        return await reader.read(-1)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: localhost\r\nx: y"])
async def test_who_does_not_ask_in_time_is_closed(sent: bytes) -> None:
    async with serving(ConnectionLimits(most=8, head_seconds=0.05)) as site:
        assert await _end(await site.connect(sent)) == b""
        assert site.closed(Closed.HEAD_LATE) == 1


async def test_time_runs_for_the_next_request_of_a_connection_too_and_not_while_one_is_answered() -> None:
    async with serving(ConnectionLimits(most=8, head_seconds=0.05)) as site:
        reader = await site.connect(_get("/wait"))
        assert await _end(await site.connect()) == b""  # so long it takes at least
        site.go.set()
        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
        site.writers[0].write(b"GET / HT")
        assert await _end(reader) == b""
        assert site.closed(Closed.HEAD_LATE) == 2


async def test_a_new_connection_takes_the_place_of_the_oldest_that_has_not_asked() -> None:
    async with serving(ConnectionLimits(most=4, head_seconds=PATIENCE)) as site:
        idle = [await site.connect() for _ in range(4)]
        for _ in range(3):
            reader = await site.connect(_get("/"))
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        assert await _end(idle[0]) == b""
        assert site.closed(Closed.EVICTED) == 3


async def test_when_all_are_busy_a_new_one_is_told_to_come_again() -> None:
    async with serving(ConnectionLimits(most=2)) as site:
        busy = [await site.connect(_get("/wait")) for _ in range(2)]
        answer = await _end(await site.connect(_get("/")))
        while not answer:  # the first ones may not have asked yet, and make room then
            busy.append(await site.connect(_get("/wait")))
            answer = await _end(await site.connect(_get("/")))
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 5" in answer
        assert site.closed(Closed.FULL) == 1


@pytest.mark.parametrize(("chunk", "status"), [(b"x", b"400"), (b"x" * 100, b"200")])
async def test_a_body_of_very_many_tiny_chunks_is_refused(chunk: bytes, status: bytes) -> None:
    async with serving(ConnectionLimits(most=2)) as site:
        head = b"POST /take HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        reader = await site.connect(head + (b"%x\r\n%b\r\n" % (len(chunk), chunk)) * 2000 + b"0\r\n\r\n")
        assert (await _end(reader)).startswith(b"HTTP/1.1 " + status)


async def test_bodies_that_never_end_keep_nobody_out() -> None:
    """Of several, the one that began first makes room, however often it sends a piece."""
    async with serving(ConnectionLimits(most=3, head_seconds=PATIENCE)) as site:
        first, second, honest = [await _begun(site, b"1") for _ in range(3)]
        site.writers[0].write(b"2")
        reader = await site.connect(_get("/"))
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        assert await _end(first) == b""
        site.writers[2].write(b"23")
        assert (await honest.readuntil(b"took 3")).startswith(b"HTTP/1.1 200")
        # Those two have been answered and go before the one that is still sending.
        await site.connect(_get("/wait"))
        await site.connect(_get("/wait"))
        site.writers[1].write(b"23")
        assert (await second.readuntil(b"took 3")).startswith(b"HTTP/1.1 200")
        assert (site.closed(Closed.EVICTED), site.closed(Closed.FULL)) == (3, 0)


async def test_beside_bodies_that_never_end_new_connections_do_not_evict_each_other() -> None:
    async with serving(ConnectionLimits(most=16, head_seconds=PATIENCE)) as site:
        held = [await _begun(site, b"1") for _ in range(16)]
        await site.connect()
        await site.connect()
        third = await site.connect(_get("/"))
        assert (await third.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        assert [await _end(each) for each in held[:2]] == [b"", b""]
        site.writers[16].write(_get("/"))
        site.writers[17].write(_get("/"))
        assert (await site.readers[16].readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        assert (await site.readers[17].readuntil(b"ok")).startswith(b"HTTP/1.1 200")


async def _begun(site: Site, piece: bytes) -> asyncio.StreamReader:
    reader = await site.connect(b"POST /take HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\n\r\n" + piece)
    await site.taking.acquire()
    return reader


async def test_a_lack_of_files_is_counted_and_not_logged_for_each_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(ConnectionLimits(most=2)) as site:
        no_file = {"message": "socket.accept() out of system resource", "exception": OSError(24, "too many open files")}
        for _ in range(100):
            asyncio.get_running_loop().call_exception_handler(no_file)
        assert site.closed(Closed.FULL) == 100
        assert not [record for record in caplog.records if record.name == "asyncio"]
        asyncio.get_running_loop().call_exception_handler({"message": "something else"})
        assert [record.message for record in caplog.records if record.name == "asyncio"] == ["something else"]


async def test_who_does_not_read_the_answer_is_closed() -> None:
    async with serving(ConnectionLimits(most=2, stall_seconds=0.05)) as site:
        await site.connect(_get("/endless"))
        await site.cut_off.wait()
        assert site.closed(Closed.STALLED) == 1
