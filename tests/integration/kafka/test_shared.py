"""Several engines on one topic and one database: whoever is killed, the drafts are those of one engine, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # comes without types
import pytest
from aiokafka.admin import NewPartitions

from monitor.core.model.events import MINUTE, Instant, to_text
from monitor.decode.canonical import encode
from monitor.kafka.errors import TooFewPartitions
from monitor.kafka.halts import MemoryBook
from monitor.kafka.routed import settle_partitions
from monitor.kafka.settings import KafkaSettings
from monitor.ops.clock import SystemClock
from tests.integration.kafka.conftest import KAFKA, Cluster
from tests.support.kafka import KafkaBroker
from tests.support.organisations import shops, write_catalogue
from tests.support.postgres import postgres_server, postgres_url
from tests.support.replaying import decided
from tests.support.service import Service, kafka_environment
from tests.support.waiting import until

__all__ = ["postgres_server", "postgres_url"]

pytestmark = [*KAFKA, pytest.mark.postgresql, pytest.mark.faults]

SHOPS = 5
PARTITIONS = 4
KILLS = 4
WAIT_SECONDS = 180.0
AGO = 150 * MINUTE
MakeService = Callable[..., Service]


@pytest.fixture
def make(kafka_broker: KafkaBroker, topic: str, postgres_url: str, tmp_path: Path) -> Iterator[MakeService]:
    """Services that share one topic and one database; the roles are their arguments. Not started yet."""
    made: list[Service] = []
    catalogue = write_catalogue(SHOPS, tmp_path)
    environment = kafka_environment(
        kafka_broker.bootstrap, topics=f"{topic}-in=events", canonical=topic, group=f"{topic}-group"
    )

    def make_one(*roles: str) -> Service:
        arguments = ("--roles", ",".join(roles)) if roles else ()
        service = Service(
            tmp_path, "--database", postgres_url, "--catalogue", str(catalogue), *arguments, environment=environment
        )
        made.append(service)
        return service

    yield make_one
    for service in made:
        service.close()


@pytest.fixture
def lines() -> list[bytes]:
    """They end so long ago that hardly any window is open still, and only time can have closed the last ones."""
    return [encode(event) for event in shops(SHOPS, Instant(SystemClock().now() - AGO))]


async def _created(cluster: Cluster, topic: str) -> None:
    await cluster.create(topic, partitions=PARTITIONS)
    await cluster.create(f"{topic}-in", partitions=2)


async def _produce(cluster: Cluster, topic: str, lines: list[bytes]) -> None:
    """Into the topic that is carried over, half of the time in each of its partitions."""
    now = SystemClock().now()
    for number, line in enumerate(lines):
        await cluster.send(f"{topic}-in", line, partition=number * 2 // len(lines), at=now)
    await cluster.produce(f"{topic}-in")


async def _read_so_far(postgres_url: str, topic: str) -> int:
    """How far all engines together have committed."""
    connection = await asyncpg.connect(postgres_url)
    try:
        query = "SELECT coalesce(sum(position), 0) FROM engine_positions WHERE partition LIKE $1"
        return int(await connection.fetchval(query, f"{topic}/%"))
    finally:
        await connection.close()


def _wait_for(service: Service, expected: dict[str, dict[str, Any]]) -> None:
    """Until the drafts are those of one engine; what differs in the end is told."""
    states = {each: line["state"] for each, line in expected.items()}

    def found() -> dict[str, dict[str, Any]]:
        return {item["id"]: item for item in service.near_misses()}

    def agreed() -> bool:
        return {each: item["state"] for each, item in found().items()} == states

    with suppress(AssertionError):
        until(agreed, "the drafts are those of one engine", within=WAIT_SECONDS)
    assert {each: {name: item[name] for name in expected.get(each, ())} for each, item in found().items()} == expected


async def test_engines_that_are_killed_leave_the_drafts_of_one(
    cluster: Cluster, make: MakeService, topic: str, lines: list[bytes], tmp_path: Path, postgres_url: str
) -> None:
    await _created(cluster, topic)
    await _produce(cluster, topic, lines)
    services = [make(), make()]
    random = Random(5)
    for service in services:
        await asyncio.to_thread(service.start)
    for turn in range(KILLS):
        goal = (turn + random.random()) * len(lines) / (KILLS + 1)
        while await _read_so_far(postgres_url, topic) < goal:
            pass
        await asyncio.to_thread(services[turn % 2].kill)
        await asyncio.to_thread(services[turn % 2].start)
    expected = decided(lines, tmp_path / "shops.yaml", SystemClock().now())
    assert len(expected) >= 13 * SHOPS
    await asyncio.to_thread(_wait_for, services[0], expected)
    group = f"{topic}-group"

    async def lag() -> int:
        offsets = await cluster.admin.list_consumer_group_offsets(group)
        ends = await cluster.ends(topic, PARTITIONS)
        return sum(ends[each] - (offsets[each].offset if each in offsets else 0) for each in ends)

    # The marks of time go on, so that there is always a little.
    while await lag() > 20 * PARTITIONS:
        pass
    assert [await asyncio.to_thread(each.stop) for each in services] == [0, 0]


async def test_roles_in_processes_of_their_own(
    cluster: Cluster,
    make: MakeService,
    topic: str,
    lines: list[bytes],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """What others wrote is carried over, in time order although one half lies in another partition than the other.

    It is there before anybody carries it over: at the head of half of it time would go on, and the rest would be late,
    for many engines as for one (`tests/property/test_partition_laws.py`).
    """
    await _created(cluster, topic)
    await _produce(cluster, topic, lines)
    ingest, review = make("ingest"), make("review")
    engines = [make("engine"), make("engine")]
    for service in (ingest, review, *engines):
        await asyncio.to_thread(service.start)
    expected = decided(lines, tmp_path / "shops.yaml", SystemClock().now())
    await asyncio.to_thread(_wait_for, review, expected)

    def share() -> bool:
        return [engine.metric("nearmiss_parts_owned") for engine in engines] == [2, 2]

    # What was written before they came is soon read, perhaps before the one that came first has given anything away.
    await asyncio.to_thread(until, share, "each has half of the partitions")
    assert ingest.get("/api/v1/near-misses").status_code == 404
    assert review.post("/ingest/events", b"{}", content_type="application/json").status_code in (404, 405)
    processed = sum(engine.metric("nearmiss_events_processed_total") for engine in engines)
    note = b'{"id": "hello", "source": "curl", "time": "%s", "kind": "note.added", "service": "0-checkout"}'
    now = (to_text(SystemClock().now()) or "").encode()
    assert ingest.post("/ingest/events", note % now, content_type="application/json").status_code == 202

    def is_there() -> bool:
        return sum(engine.metric("nearmiss_events_processed_total") for engine in engines) == processed + 1

    await asyncio.to_thread(until, is_there, "what comes by webhook is read by one engine")
    clock = SystemClock()
    # An orderly stop hands over at once, a kill once the group and the lease have noticed.
    assert await asyncio.to_thread(engines[0].stop) == 0
    await asyncio.to_thread(until, lambda: engines[1].metric("nearmiss_parts_owned") == 4, "the other has all")
    await asyncio.to_thread(engines[0].start)
    await asyncio.to_thread(until, lambda: engines[0].metric("nearmiss_parts_owned") == 2, "they share again")
    killed_at = clock.monotonic()
    await asyncio.to_thread(engines[0].kill)
    await asyncio.to_thread(until, lambda: engines[1].metric("nearmiss_parts_owned") == 4, "the other has all")
    record_property("failover_seconds", round(clock.monotonic() - killed_at, 1))


async def test_what_others_write_into_the_shared_topic_is_taken_where_it_belongs(
    cluster: Cluster, make: MakeService, topic: str, lines: list[bytes]
) -> None:
    """It is named as misrouted where its service belongs elsewhere, and never dropped in silence."""
    await _created(cluster, topic)
    service = make()
    await asyncio.to_thread(service.start)
    line = next(line for line in lines if b'"service":"0-checkout"' in line)
    for partition in range(PARTITIONS):
        await cluster.produce(topic, line, partition=partition, at=SystemClock().now())

    def settled() -> bool:
        rejected = service.metric('nearmiss_events_rejected_total{reason="misrouted"}')
        return (service.metric("nearmiss_events_processed_total"), rejected) == (1, PARTITIONS - 1)

    await asyncio.to_thread(until, settled, "one is taken and the others are named")
    assert await asyncio.to_thread(service.stop) == 0


async def test_a_topic_with_fewer_partitions_than_before_is_refused(
    kafka_broker: KafkaBroker, cluster: Cluster, topic: str
) -> None:
    await _created(cluster, topic)
    settings = KafkaSettings(bootstrap=kafka_broker.bootstrap, canonical=topic, group=f"{topic}-group")
    book = MemoryBook()
    assert await settle_partitions(settings, book) == PARTITIONS
    await cluster.admin.create_partitions({topic: NewPartitions(PARTITIONS + 1)})
    # Partitions that were added are not used until somebody spreads the shards anew.
    assert await settle_partitions(settings, book) == PARTITIONS
    await cluster.admin.delete_topics([topic])
    names = [topic]
    while topic in names:
        names = await cluster.admin.list_topics()
    await cluster.create(topic, partitions=PARTITIONS - 1)
    with pytest.raises(TooFewPartitions, match=r"it has 3 partitions, but what the database holds is kept for 4"):
        await settle_partitions(settings, book)
