"""How long until another engine has committed for one that was killed, and what several commit together.

Engines are processes of their own on one topic and one database, and share two cores with both.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # comes without types
import msgspec
from aiokafka import AIOKafkaProducer

from monitor.core.model.events import MINUTE, Event, Instant
from monitor.core.sharding.routing import Router, partitions_of
from monitor.decode.canonical import encode
from monitor.kafka.messages import SHARDS_HEADER, header_of
from monitor.ops.clock import SystemClock
from monitor.packs.catalogue.loader import load_catalogue
from tests.bench import servers
from tests.bench.live import create, drop, new_database
from tests.support.organisations import shops, write_catalogue
from tests.support.postgres import PostgresServer
from tests.support.service import Service
from tests.support.waiting import until

PARTITIONS = 4
_WITHIN = 600.0
_AGO = 150 * MINUTE
Routed = tuple[int, bytes, bytes]


class FailoverFigures(msgspec.Struct, frozen=True):
    """Seconds from each kill to the next commit of the last of the partitions that had been the killed one's."""

    seconds: tuple[float, ...]


class ShareFigures(msgspec.Struct, frozen=True):
    """Events a second that so many engines commit together, of a backlog in as many partitions as are the most."""

    events: int
    rates: dict[int, float]


def failover(rounds: int, directory: Path) -> FailoverFigures:
    """Two engines; one of them is killed, and started again for the next round."""
    with servers.postgres() as database, servers.broker(directory) as broker:
        url = new_database(database, "failover")
        asyncio.run(create(broker.bootstrap, "shared", PARTITIONS))
        services = [_service(directory, url, broker.bootstrap, roles) for roles in ("ingest", "engine", "engine")]
        try:
            for service in services:
                service.start()
            found = []
            for number in range(rounds):
                killed = services[1 + number % 2]
                until(partial(_has_half, killed), "they share the partitions", within=60)
                found.append(asyncio.run(_kill(url, killed)))
                killed.start()
        finally:
            for service in services:
                service.close()
    return FailoverFigures(tuple(found))


def _has_half(service: Service) -> bool:
    return service.metric("nearmiss_parts_owned") == PARTITIONS / 2


async def _kill(url: str, service: Service) -> float:
    connection = await asyncpg.connect(url)
    try:
        owned = "SELECT part, owner FROM engine_owners WHERE part LIKE 'shared/%'"
        other = {row["part"]: row["owner"] for row in await connection.fetch(owned)}
        before = await _positions(connection)
        clock = SystemClock()
        service.kill()
        began = clock.monotonic()
        moved: set[str] = set()
        while clock.monotonic() < began + _WITHIN:
            now = {row["part"]: row["owner"] for row in await connection.fetch(owned)}
            positions = await _positions(connection)
            # Marks of time are written into every partition a few times a second, so that each commit moves the place.
            moved = {part for part in now if positions.get(part, 0) > before.get(part, 0)}
            if len(moved) == PARTITIONS and len(set(now.values())) == 1 and now != other:
                return clock.monotonic() - began
            await asyncio.sleep(0.05)
    finally:
        await connection.close()
    raise RuntimeError(f"only {sorted(moved)} went on within {_WITHIN:g} s")


async def _positions(connection: Any) -> dict[str, int]:
    query = "SELECT partition, position FROM engine_positions WHERE partition LIKE 'shared/%'"
    return {row["partition"]: row["position"] for row in await connection.fetch(query)}


def share(organisations: int, counts: tuple[int, ...], directory: Path) -> ShareFigures:
    """The engines wait for the events, which then come all at once, sorted by shard as the intake writes them."""
    with servers.postgres() as database, servers.broker(directory) as broker:
        events = shops(organisations, Instant(SystemClock().now() - _AGO))
        catalogue = write_catalogue(organisations, directory)
        routed = _routed(events, catalogue)
        rates = {
            count: _rate(database, directory, broker.bootstrap, catalogue, count, routed, len(events))
            for count in counts
        }
    return ShareFigures(len(events), rates)


def _routed(events: Sequence[Event], catalogue: Path) -> list[Routed]:
    """Partition, message and shards of each record, an event that concerns several partitions once for each."""
    router = Router(load_catalogue(catalogue)[0])
    found = []
    for event in events:
        route = router.route(event)
        line, shards = encode(event), header_of(route).encode()
        found += [(partition, line, shards) for partition in partitions_of(route, PARTITIONS)]
    return found


def _rate(
    server: PostgresServer,
    directory: Path,
    bootstrap: str,
    catalogue: Path,
    engines: int,
    routed: Sequence[Routed],
    events: int,
) -> float:
    """From the first commit of any to the last event."""
    name = f"share_{engines}"
    url = new_database(server, name)
    asyncio.run(create(bootstrap, name, PARTITIONS))
    services = [_service(directory, url, bootstrap, "engine", catalogue=catalogue, topic=name) for _ in range(engines)]
    try:
        for service in services:
            service.start()
        until(partial(_share_alike, services), "they share the partitions", within=60)
        asyncio.run(_write(bootstrap, name, routed))
        return asyncio.run(_follow(url, events))
    finally:
        for service in services:
            service.close()
        drop(server, name)


def _share_alike(services: Sequence[Service]) -> bool:
    return all(each.metric("nearmiss_parts_owned") == PARTITIONS / len(services) for each in services)


async def _write(bootstrap: str, topic: str, routed: Sequence[Routed]) -> None:
    """Held back until all are there: what is in a transaction is read when that is committed."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, transactional_id=topic)
    async with producer, producer.transaction():
        for partition, line, shards in routed:
            await producer.send(topic, line, partition=partition, headers=[(SHARDS_HEADER, shards)])


async def _follow(url: str, events: int) -> float:
    connection = await asyncpg.connect(url)
    try:
        began, first, there = 0.0, 0, 0
        deadline = time.perf_counter() + _WITHIN
        while time.perf_counter() < deadline:
            there = int(await connection.fetchval("SELECT count(*) FROM event_history"))
            if there and not first:
                began, first = time.perf_counter(), there
            if there >= events:
                return (events - first) / (time.perf_counter() - began)
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
    raise RuntimeError(f"only {there} of {events} events were committed within {_WITHIN:g} s")


def _service(
    directory: Path,
    url: str,
    bootstrap: str,
    roles: str,
    catalogue: Path | None = None,
    topic: str = "shared",
) -> Service:
    environment = {
        "NEARMISS_KAFKA__BOOTSTRAP": bootstrap,
        "NEARMISS_KAFKA__CANONICAL": topic,
        "NEARMISS_KAFKA__GROUP": f"{topic}-group",
        "NEARMISS_RETENTION__EVENTS": "null",
        # Marks of time begin so long after the start.
        "NEARMISS_LATENESS": "1s",
    }
    told = ("--catalogue", str(catalogue)) if catalogue is not None else ()
    return Service(directory, "--roles", roles, "--database", url, *told, environment=environment)
