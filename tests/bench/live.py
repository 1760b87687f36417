"""From Kafka to committed in PostgreSQL, history and all: the whole service against a bare loop over the same topic.

Both read what lies there already. The service's rate is taken between two of its own commits, so that its start is left
out; the bare loop's from its first fetch to its last commit. Broker, database and reader share the machine.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # comes without types
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from monitor.lab.generator import StreamShape
from monitor.store.migrations import upgrade
from tests.bench import servers
from tests.bench.make_stream import stream_of
from tests.bench.measure import run
from tests.support.postgres import PostgresServer
from tests.support.service import Service

_LOOK_EVERY = 0.02
_WITHIN = 900.0
_TOPIC = "events"
_SOME = 1000


class LiveFigures(msgspec.Struct, frozen=True):
    """Events a second; `ratio` against the bare loop that inserts, `against_copy` against the one that copies.

    `processor`: microseconds of processor time of the service an event.
    """

    events: int
    bare: float
    bare_copy: float
    live: float
    ratios: tuple[float, ...]
    ratio: float
    against_copy: float
    processor: float


class _Run(msgspec.Struct, frozen=True):
    """`kept`: some of the rows that were written."""

    rate: float
    processor: float
    kept: list[tuple[Any, ...]]


def measure(events: int, directory: Path, cache: Path, services: int = 2000, rounds: int = 3) -> LiveFigures:
    """The median of some rounds of each, taken in turns, so that a busy machine disturbs all alike."""
    file, catalogue = stream_of(StreamShape(events, services, max(1, services // 10)), cache)
    with servers.postgres() as database, servers.broker(directory) as broker:
        asyncio.run(fill(broker.bootstrap, file))
        inserts, copies, lives = [], [], []
        for number in range(rounds):
            inserts.append(_bare(database, broker.bootstrap, events, f"insert_{number}", "insert"))
            copies.append(_bare(database, broker.bootstrap, events, f"copy_{number}", "copy"))
            lives.append(_live(database, broker.bootstrap, events, f"live_{number}", catalogue, directory))
    if not all(each.kept == inserts[0].kept for each in (*inserts, *copies, *lives)):
        raise RuntimeError("the bare loop does not write the rows that the service writes: the figures say nothing")
    ratios = tuple(live.rate / bare.rate for live, bare in zip(lives, inserts, strict=True))
    return LiveFigures(
        events=events,
        bare=median(each.rate for each in inserts),
        bare_copy=median(each.rate for each in copies),
        live=median(each.rate for each in lives),
        ratios=ratios,
        ratio=median(ratios),
        against_copy=median(live.rate / bare.rate for live, bare in zip(lives, copies, strict=True)),
        processor=min(each.processor for each in lives),
    )


async def fill(bootstrap: str, file: Path) -> None:
    """A topic of one partition with the lines of a file; timestamps are now, as of a backlog that has just come."""
    with file.open("rb") as lines:
        await send(bootstrap, _TOPIC, (line.rstrip(b"\n") for line in lines))


async def send(bootstrap: str, topic: str, lines: Iterable[bytes]) -> None:
    """Create a topic of one partition and write these messages into it."""
    await create(bootstrap, topic, 1)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20) as producer:
        for line in lines:
            await producer.send(topic, line, partition=0)
        await producer.flush()


async def create(bootstrap: str, topic: str, partitions: int) -> None:
    """Create a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, partitions, 1)])
    await admin.close()


def _bare(server: PostgresServer, bootstrap: str, events: int, name: str, way: str) -> _Run:
    url = new_database(server, name)
    cost = run(["-m", "tests.bench.bare_live", bootstrap, _TOPIC, "1", url, str(events), way])
    wall, processor = map(float, cost.output.split())
    found = _Run(events / wall, processor / events * 1e6, asyncio.run(_some(url)))
    drop(server, name)
    return found


def _live(server: PostgresServer, bootstrap: str, events: int, name: str, catalogue: Path, directory: Path) -> _Run:
    url = new_database(server, name)
    environment = {
        "NEARMISS_KAFKA__BOOTSTRAP": bootstrap,
        "NEARMISS_KAFKA__TOPICS": f"{_TOPIC}=events",
        "NEARMISS_KAFKA__JOURNAL": _TOPIC,
        "NEARMISS_KAFKA__GROUP": name,
        # The made-up stream lies months back.
        "NEARMISS_RETENTION__EVENTS": "null",
    }
    service = Service(directory, "--database", url, "--catalogue", str(catalogue), environment=environment)
    try:
        service.start()
        found = asyncio.run(_follow(url, events, service))
        if service.stop() != 0:
            raise RuntimeError(f"the service did not stop in order: {service.log()[-4000:]}")
    finally:
        service.close()
    drop(server, name)
    return found


async def _follow(url: str, events: int, service: Service) -> _Run:
    """Rate and processor time between the first commit that is seen and the last."""
    assert service.process is not None
    connection = await asyncpg.connect(url)
    query = "SELECT coalesce(sum(position), 0) FROM engine_positions"
    began = deadline = 0.0
    first = used = there = 0
    try:
        deadline = time.perf_counter() + _WITHIN
        while time.perf_counter() < deadline:
            there = int(await connection.fetchval(query))
            if there and not first:
                began, first, used = time.perf_counter(), there, _processor(service.process.pid)
            if there >= events:
                wall = time.perf_counter() - began
                spent = (_processor(service.process.pid) - used) / os.sysconf("SC_CLK_TCK")
                await _check(connection, events)
                return _Run((events - first) / wall, spent / (events - first) * 1e6, await _some(url))
            await asyncio.sleep(_LOOK_EVERY)
    finally:
        await connection.close()
    raise RuntimeError(f"only {there} of {events} events were committed within {_WITHIN:g} s")


async def _some(url: str) -> list[tuple[Any, ...]]:
    """The first rows of the history, the event's JSON read."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT source, event_id, at, service, kind, body FROM event_history ORDER BY source, event_id LIMIT $1",
            _SOME,
        )
    finally:
        await connection.close()
    return [(*row[:-1], msgspec.json.decode(row[-1])) for row in map(tuple, rows)]


async def _check(connection: Any, events: int) -> None:
    kept = int(await connection.fetchval("SELECT count(*) FROM event_history"))
    if kept != events:
        raise RuntimeError(f"the history has {kept} of {events} events")


def _processor(pid: int) -> int:
    """Clock ticks that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def new_database(server: PostgresServer, name: str) -> str:
    """The address of a database with all tables and nothing in them."""
    server.execute(f"CREATE DATABASE {name}")
    url = server.url(name)
    asyncio.run(upgrade(url))
    return url


def drop(server: PostgresServer, name: str) -> None:
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")
