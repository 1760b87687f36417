"""The whole service on Kafka: what topics bring and what webhooks bring are one stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from monitor.cli.main import run
from monitor.decode.canonical import encode
from monitor.demo.story import CATALOGUE, story
from monitor.ops.clock import SystemClock
from tests.integration.kafka.conftest import KAFKA, Cluster, canonical
from tests.support.kafka import KafkaBroker
from tests.support.replaying import replayed
from tests.support.service import Service, kafka_environment
from tests.support.waiting import until

pytestmark = KAFKA

MakeService = Callable[..., Service]


@pytest.fixture
def make(kafka_broker: KafkaBroker, topic: str, tmp_path: Path) -> Iterator[MakeService]:
    """`nearmiss run` with one topic, which is its journal too; with all roles, or with those given. Not started yet."""
    made: list[Service] = []
    database = f"sqlite:///{tmp_path / 'nearmiss.db'}"
    environment = kafka_environment(kafka_broker.bootstrap, topics=f"{topic}=events", journal=topic)

    def make_one(*roles: str) -> Service:
        arguments = ("--database", database, "--catalogue", str(CATALOGUE), *(("--roles", *roles) if roles else ()))
        made.append(Service(tmp_path, *arguments, environment=environment))
        return made[-1]

    yield make_one
    for each in made:
        each.close()


@pytest.fixture
def service(make: MakeService) -> Service:
    return make()


async def test_topics_and_webhooks_are_one_stream(
    cluster: Cluster, make: MakeService, topic: str, tmp_path: Path
) -> None:
    """The drafts are those of a replay, each in every word and also those that were withdrawn, though the stream comes
    in two ways and whoever takes it, and whoever reads it, is killed in the midst.

    It is read once all of it is there: at the head of half a stream an engine lets time go on by the clock, and what
    comes then is late.
    """
    await cluster.create(topic)
    lines = [encode(event) for event in story(SystemClock().now())]
    half = len(lines) // 2
    await cluster.produce(topic, *lines[:half], at=SystemClock().now())
    ingest, service = make("ingest"), make()
    await asyncio.to_thread(ingest.start)
    for start in range(half, len(lines), 200):
        if start - half == 1000:
            await asyncio.to_thread(ingest.kill)
            await asyncio.to_thread(ingest.start)
        body = b"\n".join(lines[start : start + 200])
        answer = await asyncio.to_thread(ingest.post, "/ingest/events", body, content_type="application/x-ndjson")
        assert answer.status_code == 202, answer.text
    assert await asyncio.to_thread(ingest.stop) == 0
    await asyncio.to_thread(service.start)
    await asyncio.to_thread(service.kill)
    await asyncio.to_thread(service.start)
    expected = {line["id"]: line for line in replayed(lines, tmp_path)}
    assert {line["state"] for line in expected.values()} == {"draft", "withdrawn"}
    assert len(expected) >= 14
    # The end of a file ends all windows, the service's clock does not: none may be open then.
    assert not [line for line in expected.values() if "truncated" in line["missing_evidence"]]

    def found() -> dict[str, dict[str, Any]]:
        return {
            item["id"]: {name: item[name] for name in expected.get(item["id"], ())} for item in service.near_misses()
        }

    with suppress(AssertionError):
        await asyncio.to_thread(until, lambda: found() == expected, "the drafts are those of a replay", within=90)
    assert await asyncio.to_thread(found) == expected
    assert await asyncio.to_thread(service.stop) == 0


async def test_a_lost_position_stops_the_service_with_its_name(cluster: Cluster, service: Service, topic: str) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, *(canonical(str(number), number) for number in range(3)))
    await asyncio.to_thread(service.start)
    await asyncio.to_thread(until, lambda: service.metric("nearmiss_events_processed_total") == 3, "all is read")
    assert await asyncio.to_thread(service.stop) == 0
    await cluster.produce(topic, canonical("never read"), canonical("still there"))
    await cluster.admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=4)})

    # It dies as soon as its engine has looked at the topic, perhaps before it is ready.
    with suppress(AssertionError, httpx.TransportError):
        await asyncio.to_thread(service.start)

    assert service.process is not None
    assert service.process.stdout is not None
    service.process.stdout.close()
    assert await asyncio.to_thread(service.process.wait, 30) == 1
    assert f"{topic}/0: the database says to read on at offset 3, but the topic holds 4 to 5" in service.log()


async def test_a_halted_topic_is_told_its_letters_are_sent_and_it_is_resumed(
    cluster: Cluster, kafka_broker: KafkaBroker, topic: str, tmp_path: Path
) -> None:
    """The service stays ready, the other topic is read, and the command lets it go on without a restart."""
    bad, dead = f"{topic}-bad", f"{topic}-dead"
    for name in (topic, bad, dead):
        await cluster.create(name)
    database = f"sqlite:///{tmp_path / 'nearmiss.db'}"
    topics = f"{topic}=events,{topic}-b*=events"
    environment = kafka_environment(
        kafka_broker.bootstrap, topics=topics, journal=topic, dead_letter=dead, reject_limit="3"
    )
    service = Service(tmp_path, "--database", database, "--catalogue", str(CATALOGUE), environment=environment)
    try:
        await cluster.produce(bad, *[b"not an event"] * 4, canonical("good at last"))
        await asyncio.to_thread(service.start)
        sent = partial(service.metric, "nearmiss_kafka_dead_letters_total")
        await asyncio.to_thread(until, lambda: sent() == 3, "the letters are sent")

        def said() -> str:
            ready = service.get("/readyz")
            assert ready.status_code == 200
            return str(ready.json()["checks"]["topics"])

        halted = f"topic {bad} is halted: 3 messages in a row"
        await asyncio.to_thread(until, lambda: halted in said(), "the halt is shown")
        await cluster.produce(topic, canonical("elsewhere"))
        processed = partial(service.metric, "nearmiss_events_processed_total")
        await asyncio.to_thread(until, lambda: processed() == 1, "the other topic is read")

        assert await asyncio.to_thread(run, ["topics", "--database", database, "resume", bad]) == 0

        await asyncio.to_thread(until, lambda: processed() == 2, "the topic is read again")
        await asyncio.to_thread(until, lambda: said() == "ok", "all is well again")
        assert await asyncio.to_thread(service.stop) == 0
    finally:
        service.close()
