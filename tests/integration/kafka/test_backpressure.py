"""The database stands still: reading pauses, what is held is bounded, and no window passes in the meantime."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # comes without types
import pytest

from monitor.core.model.events import MINUTE, Instant
from monitor.decode.canonical import encode
from monitor.ops.clock import SystemClock
from monitor.pipeline.loop import LoopSettings
from tests.integration.kafka.conftest import KAFKA, Cluster, on_topic
from tests.support.organisations import shops, write_catalogue
from tests.support.postgres import postgres_server, postgres_url
from tests.support.replaying import decided
from tests.support.service import Service
from tests.support.waiting import until

__all__ = ["postgres_server", "postgres_url"]

pytestmark = [*KAFKA, pytest.mark.postgresql, pytest.mark.faults]

SHOPS = 8
AGO = 150 * MINUTE
STANDS_STILL = 40
"""Looks in a row, some fifty milliseconds apart, that find nothing new."""
RESIDENT = "process_resident_memory_bytes"
MOST_GROWN = 60_000_000
"""Bytes of resident memory, three times what was measured."""


def _settled(service: Service) -> int:
    """How many events were taken from the topic, once that grows no more."""
    seen: list[float] = []

    def is_still() -> bool:
        seen.append(service.metric('nearmiss_events_received_total{source="events"}'))
        return seen[-1] > 0 and seen[-STANDS_STILL:] == [seen[-1]] * STANDS_STILL

    until(is_still, "nothing more is taken from the topic", within=120)
    return int(seen[-1])


async def test_while_the_database_stands_still_reading_pauses_and_time_too(
    cluster: Cluster, topic: str, tmp_path: Path, postgres_url: str, record_property: Callable[[str, object], None]
) -> None:
    lines = [encode(event) for event in shops(SHOPS, Instant(SystemClock().now() - AGO))]
    catalogue = write_catalogue(SHOPS, tmp_path)
    await cluster.create(topic)
    for line in lines:
        await cluster.send(topic, line, at=SystemClock().now())
    await cluster.produce(topic)
    arguments = ("--database", postgres_url, "--catalogue", str(catalogue))
    service = Service(tmp_path, *arguments, environment=on_topic(cluster, topic))
    connection = await asyncpg.connect(postgres_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE event_history IN ACCESS EXCLUSIVE MODE")
            await asyncio.to_thread(service.start)
            before = await asyncio.to_thread(service.metric, RESIDENT)
            taken = await asyncio.to_thread(_settled, service)
            grown = await asyncio.to_thread(service.metric, RESIDENT) - before
            assert await connection.fetchval("SELECT count(*) FROM event_history") == 0
        bounds = LoopSettings()
        record_property("taken", taken)
        # One commit on its way, twice as much gathered behind it, each at most one read longer than it need be.
        assert taken <= 3 * bounds.commit_events + 2 * bounds.read_events < len(lines)
        record_property("grown_bytes", grown)
        assert grown < MOST_GROWN, (grown, taken, len(lines))
        expected = decided(lines, catalogue, SystemClock().now())
        standing = {each for each, line in expected.items() if line["state"] == "draft"}

        def agreed() -> bool:
            return {item["id"] for item in service.near_misses() if item["state"] == "draft"} == standing

        await asyncio.to_thread(until, agreed, "the drafts are those of an engine that never waited", within=120)
        # The drafts are whole before the last events are kept, since a decision is written at once.
        async with asyncio.timeout(60):
            while await connection.fetchval("SELECT count(*) FROM event_history") < len(lines):
                await asyncio.to_thread(service.metric, 'nearmiss_events_received_total{source="events"}')
        assert await connection.fetchval("SELECT count(*) FROM event_history") == len(lines)
        assert await asyncio.to_thread(service.stop) == 0
    finally:
        await connection.close()
        service.close()
