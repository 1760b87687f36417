"""Webhook to durable: a real service on SQLite, requests at a steady rate, and whether the journal has all of them.

A request is due at its own moment whatever became of those before it, and its latency counts from then on, so that a
service that stalls cannot hide it.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from pathlib import Path

import msgspec

from monitor.core.model.events import DAY, Instant
from monitor.decode.canonical import decode_line
from monitor.lab.generator import StreamShape, generate
from monitor.ops.clock import SystemClock
from monitor.ports import WHOLE, Commit
from monitor.store.database import open_store
from monitor.store.journal import PARTITION
from monitor.store.migrations import upgrade
from tests.bench.measure import ROOT

HOST = "127.0.0.1"
CONNECTIONS = 32
_STARTS_WITHIN = 60.0
_AGE = 5000 * DAY
_KEPT_FOR = "3650d"


class WebhookFigures(msgspec.Struct, frozen=True):
    """Latencies in milliseconds from when a request was due to its answer; requests, and events found afterwards.

    `processor` is what the service used for each request, engine included, in milliseconds.
    """

    sent: int
    accepted: int
    durable: int
    p50: float
    p99: float
    longest: float
    processor: float


def measure(rate: float, seconds: float, old: int = 0) -> WebhookFigures:
    """`rate` requests a second, one event each, for so many seconds; meanwhile `old` events go by their age."""
    count = max(1, int(rate * seconds))
    bodies = list(generate(StreamShape(count, seed=7)))
    with tempfile.TemporaryDirectory() as directory:
        database = f"sqlite:///{directory}/nearmiss.db"
        if old:
            asyncio.run(_fill(database, old))
        before = _children_used()
        with _service(database, Path(directory), _KEPT_FOR if old else "null") as port:
            statuses, latencies = asyncio.run(_send_all(port, bodies, rate))
        used = _children_used() - before
        durable = asyncio.run(_count(database, old))
    latencies.sort()
    return WebhookFigures(
        sent=count,
        accepted=statuses.count(202),
        durable=durable,
        p50=_quantile(latencies, 0.5) * 1e3,
        p99=_quantile(latencies, 0.99) * 1e3,
        longest=latencies[-1] * 1e3,
        processor=used / count * 1e3,
    )


async def _fill(database: str, count: int) -> None:
    """Events that were read long ago, and are older than those that are sent."""
    await upgrade(database)
    lines = generate(StreamShape(count, seed=8))
    async with open_store(database) as store:
        while batch := list(islice(lines, 5_000)):
            events = [decode_line(line) for line in batch]
            aged = [
                msgspec.structs.replace(each, time=Instant(each.time - _AGE), id=f"old-{each.id}") for each in events
            ]
            await store.journal.append(aged)
        saved = await store.engine_store.acquire("bench")
        at = {PARTITION: count + 1}
        await store.engine_store.commit(Commit((), {}, at, saved.epoch, SystemClock().now()))
        await store.engine_store.release(WHOLE, saved.epoch)


def _children_used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def _service(database: str, directory: Path, retention: str) -> Iterator[int]:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "monitor.cli.main", "run", "--host", HOST, "--port", str(port)]
    command += ["--database", database]
    with (directory / "service.log").open("wb") as log:
        child = subprocess.Popen(
            [*command, "--database", database], cwd=ROOT, stdout=log, stderr=log, env=_environment(retention)
        )
    try:
        asyncio.run(_ready(port, child))
        yield port
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=60)
    except BaseException:
        print((directory / "service.log").read_text(encoding="utf-8", errors="replace")[-4000:], file=sys.stderr)
        raise
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _environment(retention: str) -> dict[str, str]:
    """Without settings of whoever runs this, which would change what is measured."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("NEARMISS_")}
    # The made-up stream lies months back: by age all of it would go as soon as the engine has read it.
    return {**plain, "NEARMISS_RETENTION__EVENTS": retention}


async def _ready(port: int, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise RuntimeError(f"the service stopped with exit status {child.returncode}")
        try:
            async with _connection(port) as connection:
                if await connection.request("GET", "/readyz", b"") == 200:
                    return
        except OSError:
            pass  # not listening yet
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the service was not ready within {_STARTS_WITHIN:g} s")


async def _count(database: str, old: int) -> int:
    async with open_store(database) as store:
        positions = {PARTITION: old + 1}
        found = 0
        while True:
            batch = await store.journal.read(positions, 5_000)
            found += len(batch.events)
            if batch.at_head:
                return found
            positions = {**positions, **batch.positions}


class _Connection:
    """One kept-alive HTTP/1.1 connection; as thin as possible, since both sides share the machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(self, method: str, path: str, body: bytes) -> int:
        head = f"{method} {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n"
        self._writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        lines = answer.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        await self._reader.readexactly(length)
        return int(lines[0].split()[1])


@asynccontextmanager
async def _connection(port: int) -> AsyncIterator[_Connection]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield _Connection(reader, writer)
    finally:
        writer.close()


async def _send_all(port: int, bodies: list[bytes], rate: float) -> tuple[list[int], list[float]]:
    statuses: list[int] = []
    latencies: list[float] = []
    waiting = iter(enumerate(bodies))
    started = time.perf_counter() + 0.1

    async def send_in_turn() -> None:
        async with _connection(port) as connection:
            for number, body in waiting:
                due = started + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                statuses.append(await connection.request("POST", "/ingest/events", body))
                latencies.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(CONNECTIONS, len(bodies))):
            group.create_task(send_in_turn())
    return statuses, latencies
