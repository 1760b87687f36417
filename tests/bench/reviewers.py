"""How soon a click is acknowledged while many reviewers click: a real service, each signed in with a session.

A click is due at its own moment whatever became of those before it, and counts from then on. Each dismisses a draft in
its row, as the queue does. Beside the time on the clock: what the service computed for each click.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import quantiles

import msgspec

from tests.bench import servers
from tests.bench.live import new_database
from tests.bench.queue import WAITING, filled
from tests.support.service import Service

REVIEWERS = 100
_SECRET = "a long secret of the bench"
_FORM = "content-type: application/x-www-form-urlencoded\r\n"


class Clicks(msgspec.Struct, frozen=True):
    """Milliseconds: of the first view after the start, and of the clicks at one rate (a second)."""

    first_view: float
    rate: float
    sent: int
    done: int
    p50: float
    p95: float
    processor: float


def on_sqlite(rates: tuple[float, ...], seconds: float, count: int, reviewers: int = REVIEWERS) -> list[Clicks]:
    with tempfile.TemporaryDirectory() as folder:
        return _measure(f"sqlite:///{folder}/nearmiss.db", rates, seconds, count, reviewers)


def on_postgres(rates: tuple[float, ...], seconds: float, count: int, reviewers: int = REVIEWERS) -> list[Clicks]:
    """The same; the processor time of the database's own processes is not counted."""
    with servers.postgres() as server:
        return _measure(new_database(server, "clicks"), rates, seconds, count, reviewers)


def _measure(address: str, rates: tuple[float, ...], seconds: float, count: int, reviewers: int) -> list[Clicks]:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_fill(address, count))
        accounts = {"NEARMISS_ACCOUNTS__ADA__ROLE": "on call", "NEARMISS_ACCOUNTS__ADA__SECRET": _SECRET}
        service = Service(Path(folder), "--database", address, environment=accounts)
        try:
            service.start()
            return asyncio.run(_click(service, rates, seconds, reviewers))
        finally:
            service.stop()
            service.http.close()


async def _fill(address: str, count: int) -> None:
    async with filled(address, WAITING, count):
        pass


class _Reviewer:
    """One kept-alive connection with a session; as thin as possible, since both sides share the machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookie = ""

    @classmethod
    async def at(cls, port: int) -> _Reviewer:
        one = cls(port)
        await one._connect()
        _, head = await one.ask("POST", "/login", f"name=ada&secret={_SECRET.replace(' ', '+')}")
        lines = head.split("\r\n")
        [cookie] = [line.partition(": ")[2].partition(";")[0] for line in lines if line.startswith("set-cookie:")]
        one._cookie = f"cookie: {cookie}\r\n"
        return one

    async def _connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        if self._reader.at_eof():
            # The service closed it, as nobody had asked for a while; a browser connects anew, too.
            await self.close()
            await self._connect()
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nhx-request: true\r\n{_FORM}{self._cookie}"
        self._writer.write(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        lines = answer.lower().split("\r\n")
        length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0)
        await self._reader.readexactly(length)
        return int(lines[0].split()[1]), answer

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


async def _click(service: Service, rates: tuple[float, ...], seconds: float, reviewers: int) -> list[Clicks]:
    port = int(service.address.rpartition(":")[2])
    assert service.process is not None
    first = await _Reviewer.at(port)
    began = time.perf_counter()
    await first.ask("GET", "/")
    first_view = (time.perf_counter() - began) * 1000
    people = [first, *[await _Reviewer.at(port) for _ in range(reviewers - 1)]]
    found, ids = [], iter(range(1_000_000))
    for rate in rates:
        used = _processor(service.process.pid)
        statuses, lasted = await _paced(people, rate, max(1, int(rate * seconds)), ids)
        used = _processor(service.process.pid) - used
        cuts = quantiles(lasted, n=20) if len(lasted) > 1 else lasted * 19
        sent = len(lasted)
        found.append(
            Clicks(first_view, rate, sent, statuses.count(200), cuts[9] * 1000, cuts[18] * 1000, used / sent * 1000)
        )
    for one in people:
        await one.close()
    return found


async def _paced(people: list[_Reviewer], rate: float, count: int, ids: Iterator[int]) -> tuple[list[int], list[float]]:
    statuses: list[int] = []
    lasted: list[float] = []
    numbers = iter(range(count))
    started = time.perf_counter() + 0.1

    async def in_turn(person: _Reviewer) -> None:
        for number in numbers:
            due = started + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            body = "decision=dismiss&reason=routine_hygiene&expected_version=1"
            status, _ = await person.ask("POST", f"/near-misses/copy-{next(ids) + 1}/decision", body)
            statuses.append(status)
            lasted.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as group:
        for person in people:
            group.create_task(in_turn(person))
    return statuses, lasted


def _processor(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
