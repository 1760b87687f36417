"""A program on loopback that answers what it is told to, however wrong, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Hostile:
    """Answers each request with these bytes; remembers the heads of the requests."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.busy: list[asyncio.Task[None] | None] = []
        self.pieces: Callable[[], list[bytes]] = list
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.busy.append(asyncio.current_task())
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        try:
            for piece in self.pieces():
                writer.write(piece)
                await writer.drain()
            await reader.read()
        except ConnectionError:
            pass  # It did not hear us out.
        finally:
            writer.close()


@asynccontextmanager
async def hostile() -> AsyncIterator[Hostile]:
    answers = Hostile()
    server = await asyncio.start_server(answers.serve, "127.0.0.1", 0)
    answers.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield answers
        await asyncio.gather(*filter(None, answers.busy))


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> list[bytes]:
    head = b"\r\n".join([b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers])
    return [head + b"\r\n\r\n", body]
