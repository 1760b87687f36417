"""From the journal of the database to topics and back, as an operator does it: nothing lost, what was open decided."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from monitor.cli.main import run
from monitor.core.model.events import DAY, MINUTE, Instant, to_text
from monitor.decode.canonical import decode_line, encode
from monitor.ops.clock import SystemClock
from monitor.store.database import open_store
from tests.integration.kafka.conftest import KAFKA, Cluster, on_topic
from tests.support.organisations import shops, write_catalogue
from tests.support.postgres import postgres_server, postgres_url
from tests.support.replaying import decided
from tests.support.service import Service, kafka_environment
from tests.support.waiting import until

__all__ = ["postgres_server", "postgres_url"]

pytestmark = KAFKA

AGO = 150 * MINUTE


@pytest.fixture
def lines() -> list[bytes]:
    """They end so long ago that only time can have closed the last windows."""
    return [encode(event) for event in shops(1, Instant(SystemClock().now() - AGO))]


def _wait_for_all(service: Service, lines: list[bytes], catalogue: Path) -> None:
    expected = decided(lines, catalogue, SystemClock().now())
    standing = {each for each, line in expected.items() if line["state"] == "draft"}
    assert len(standing) > 5

    def found() -> set[str]:
        return {item["id"] for item in service.near_misses() if item["state"] == "draft"}

    until(lambda: found() == standing, "the drafts are those of one engine that never moved")


def _run_until_read(service: Service, lines: list[bytes]) -> None:
    """Start the service, give it these events, and stop it once it has read them."""
    service.start()
    service.post("/ingest/events", b"\n".join(lines), content_type="application/x-ndjson")
    until(lambda: service.metric("nearmiss_events_processed_total") == len(lines), "they are read")
    assert service.stop() == 0


async def _append(url: str, lines: list[bytes]) -> None:
    """As a webhook was answered, whose events nobody has read."""
    async with open_store(url) as store:
        await store.journal.append([decode_line(line) for line in lines])


async def test_one_engine_moves_with_all_that_it_knows(
    cluster: Cluster, topic: str, tmp_path: Path, lines: list[bytes]
) -> None:
    await cluster.create(topic)
    catalogue, url = write_catalogue(1, tmp_path), f"sqlite:///{tmp_path}/nearmiss.db"
    arguments = ("--database", url, "--catalogue", str(catalogue))
    before = Service(tmp_path, *arguments)
    half = len(lines) // 2
    after = Service(tmp_path, *arguments, environment=on_topic(cluster, topic))
    try:
        await asyncio.to_thread(_run_until_read, before, lines[:half])
        await _append(url, lines[half:])
        await asyncio.to_thread(after.start)
        await asyncio.to_thread(_wait_for_all, after, lines, catalogue)
        assert f'"events": {len(lines) - half}' in after.log() or f"events={len(lines) - half}" in after.log()
        assert await asyncio.to_thread(after.stop) == 0
        # Nothing is carried a second time.
        await asyncio.to_thread(after.start)
        assert after.log().count("journal_forwarded") == 1
        assert await asyncio.to_thread(after.stop) == 0
    finally:
        before.close()
        after.close()


async def test_one_engine_moves_back_with_all_that_it_knows(
    cluster: Cluster, topic: str, tmp_path: Path, lines: list[bytes]
) -> None:
    await cluster.create(topic)
    catalogue, url = write_catalogue(1, tmp_path), f"sqlite:///{tmp_path}/nearmiss.db"
    arguments = ("--database", url, "--catalogue", str(catalogue))
    before = Service(tmp_path, *arguments, environment=on_topic(cluster, topic))
    after = Service(tmp_path, *arguments, environment={"NEARMISS_LATENESS": "1s"})
    half = len(lines) // 2
    try:
        await asyncio.to_thread(_run_until_read, before, lines[:half])
        await asyncio.to_thread(after.start)
        # Senders repeat what they are not sure of: some of what the topic had comes once more.
        after.post("/ingest/events", b"\n".join(lines[half - 20 :]), content_type="application/x-ndjson")
        await asyncio.to_thread(_wait_for_all, after, lines, catalogue)
        assert await asyncio.to_thread(after.stop) == 0
    finally:
        before.close()
        after.close()


@pytest.mark.postgresql
async def test_engines_that_share_a_topic_are_told_what_was_open(
    cluster: Cluster, topic: str, tmp_path: Path, lines: list[bytes], postgres_url: str
) -> None:
    """Their state is kept in another way, so that the journal is read again, and nothing is decided twice."""
    await cluster.create(topic, partitions=3)
    catalogue = write_catalogue(1, tmp_path)
    arguments = ("--database", postgres_url, "--catalogue", str(catalogue))
    before = Service(tmp_path, *arguments)
    environment = kafka_environment(cluster.broker.bootstrap, canonical=topic, group=f"{topic}-group")
    after = Service(tmp_path, *arguments, environment={**environment, "NEARMISS_LATENESS": "1s"})
    half = len(lines) // 2
    try:
        await asyncio.to_thread(_run_until_read, before, lines[:half])
        opened = {item["id"] for item in await asyncio.to_thread(_all_of, before)}
        to = to_text(Instant(SystemClock().now() - 10 * DAY)) or ""
        assert await asyncio.to_thread(run, ["rewind", "--database", postgres_url, "--to", to]) == 0
        await _append(postgres_url, lines[half:])
        await asyncio.to_thread(after.start)
        await asyncio.to_thread(_wait_for_all, after, lines, catalogue)
        assert opened <= {item["id"] for item in after.near_misses()}
        assert await asyncio.to_thread(after.stop) == 0
    finally:
        before.close()
        after.close()


def _all_of(service: Service) -> list[dict[str, object]]:
    service.start()
    try:
        return service.near_misses()
    finally:
        service.stop()
