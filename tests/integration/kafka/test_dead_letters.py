"""What cannot be read lies in the dead-letter topic too, with its coordinates, once it was kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from monitor.app.metrics import Metrics
from monitor.kafka.dead_letters import DeadLetters
from monitor.kafka.settings import KafkaSettings
from monitor.ports import Commit, Unavailable
from monitor.store.database import Store, open_store
from tests.integration.kafka.conftest import KAFKA, NOON, Cluster, MakeReader, canonical, read_all

pytestmark = KAFKA


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(f"sqlite:///{tmp_path / 'nearmiss.db'}") as opened:
        yield opened


async def letters(cluster: Cluster, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
    async with AIOKafkaConsumer(bootstrap_servers=cluster.broker.bootstrap, auto_offset_reset="earliest") as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        await consumer.seek_to_beginning(partition)
        found: list[ConsumerRecord[bytes, bytes]] = []
        while len(found) < end:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += records
        return found


async def test_a_letter_has_the_bytes_and_the_coordinates(
    cluster: Cluster, make_reader: MakeReader, topic: str, store: Store, metrics: Metrics
) -> None:
    dead = f"{topic}.dead"
    for name in (topic, dead):
        await cluster.create(name)
    large = b"[" + b" " * 950_000
    await cluster.produce(topic, canonical("a"), b"not an event", headers=[("Trace", b"t-1")])
    await cluster.produce(topic, large)
    settings = {"dead_letter": dead}
    batches = await read_all(make_reader(with_settings=settings, **{topic: "events"}))
    rejects = tuple(reject for batch in batches for reject in batch.rejects)
    sender = DeadLetters(
        KafkaSettings(bootstrap=cluster.broker.bootstrap, topics={topic: "events"}, journal=topic, dead_letter=dead),
        store.rejects,
        metrics,
    )

    assert await sender.forward() == 0
    saved = await store.engine_store.acquire("engine")
    await store.engine_store.commit(Commit((), {}, {}, saved.epoch, NOON, rejects=rejects))
    assert await sender.forward() == 2
    assert await sender.forward() == 0
    # Read and committed again, as after a rewind: kept once, sent once.
    again = Commit((), {}, {}, saved.epoch, NOON, rejects=rejects)
    await store.engine_store.commit(again)
    assert await sender.forward() == 0
    await sender.close()

    first, second = await letters(cluster, dead)
    assert (first.value, first.timestamp) == (b"not an event", NOON // 1000)
    assert dict(first.headers) == {
        "trace": b"t-1",
        "nearmiss-topic": topic.encode(),
        "nearmiss-partition": b"0",
        "nearmiss-offset": b"1",
        "nearmiss-decoder": b"events",
        "nearmiss-reason": b"not_json",
        "nearmiss-detail": rejects[0].detail.encode(),
        "nearmiss-received-at": b"2026-01-01T12:00:00Z",
    }
    assert len(second.value or b"") == 900_000
    assert dict(second.headers)["nearmiss-truncated-from"] == str(len(large)).encode()
    assert len(await store.rejects.page(None, 10)) == 2
    assert "nearmiss_kafka_dead_letters_total 2.0" in metrics.render().decode()


async def test_letters_wait_while_the_broker_is_away(
    cluster: Cluster, make_reader: MakeReader, topic: str, store: Store, metrics: Metrics
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, b"not an event")
    [batch] = await read_all(make_reader(with_settings={"dead_letter": f"{topic}.dead"}, **{topic: "events"}))
    saved = await store.engine_store.acquire("engine")
    await store.engine_store.commit(Commit((), {}, {}, saved.epoch, NOON, rejects=batch.rejects))
    away = KafkaSettings(bootstrap="127.0.0.1:1", topics={topic: "events"}, journal=topic, dead_letter="d")

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        await DeadLetters(away, store.rejects, metrics, timeout=1.0).forward()

    assert len(await store.rejects.to_forward(10)) == 1
