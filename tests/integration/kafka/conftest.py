"""What the Kafka tests share: the broker, and short ways to create topics, to produce and to read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from monitor.app.metrics import Metrics
from monitor.core.model.events import MINUTE, SECOND, Instant
from monitor.kafka.settings import KafkaSettings
from monitor.kafka.source import KafkaReader
from monitor.ops.clock import ManualClock
from monitor.ports import Batch, Positions, TopicBook
from tests.support.kafka import KafkaBroker, kafka_broker, topic
from tests.support.service import kafka_environment

__all__ = ["kafka_broker", "topic"]

NOON = Instant(1_767_268_800 * SECOND)  # 2026-01-01T12:00:00Z
KAFKA = [
    pytest.mark.kafka,
    pytest.mark.xdist_group("kafka"),
    # The first test of all starts the broker, and on a fresh machine downloads it.
    pytest.mark.timeout(600),
]
MakeReader = Callable[..., KafkaReader]


def canonical(name: str, second: int = 0, **fields: object) -> bytes:
    """A canonical event as bytes; `second` after noon."""
    minute, rest = divmod(second, 60)
    time = f"2026-01-01T12:{minute:02}:{rest:02}Z"
    return json.dumps({"id": name, "source": "test", "time": time, "kind": "note.added", **fields}).encode()


class Cluster:
    """The running broker, as tests use it."""

    def __init__(self, broker: KafkaBroker, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer) -> None:
        self.broker = broker
        self.admin = admin
        self._producer = producer

    async def create(self, name: str, partitions: int = 1, **config: str) -> None:
        """Create a topic and wait until the broker's metadata show it: on a busy machine they lag behind."""
        settings = {key.replace("_", "."): value for key, value in config.items()}
        await self.admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
        while not await self._shows(name, partitions):
            pass

    async def _shows(self, name: str, partitions: int) -> bool:
        (found,) = await self.admin.describe_topics([name])
        shown = found["partitions"]
        return not found["error_code"] and len(shown) == partitions and all(each["leader"] >= 0 for each in shown)

    async def produce(
        self,
        name: str,
        *values: bytes | None,
        partition: int = 0,
        headers: Sequence[tuple[str, bytes]] = (),
        at: Instant = NOON,
    ) -> None:
        """Send and wait until the broker has them. `at` is the timestamp of the records."""
        for value in values:
            await self.send(name, value, partition=partition, headers=headers, at=at)
        await self._producer.flush()

    async def send(
        self,
        name: str,
        value: bytes | None,
        *,
        partition: int = 0,
        headers: Sequence[tuple[str, bytes]] = (),
        at: Instant = NOON,
    ) -> None:
        """Send; the next `produce` waits for it."""
        await self._producer.send(
            name, value, key=b"key", partition=partition, headers=headers, timestamp_ms=at // 1000
        )

    async def ends(self, name: str, partitions: int) -> dict[TopicPartition, int]:
        """Where each partition ends."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.broker.bootstrap)
        await consumer.start()
        try:
            return dict(await consumer.end_offsets([TopicPartition(name, number) for number in range(partitions)]))
        finally:
            await consumer.stop()


@pytest_asyncio.fixture
async def cluster(kafka_broker: KafkaBroker) -> AsyncIterator[Cluster]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_broker.bootstrap)
    await admin.start()
    await producer.start()
    yield Cluster(kafka_broker, admin, producer)
    await producer.stop()
    await admin.close()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(sources=["events", "alertmanager", "alertmanager-events", "cloudevents"])


@pytest_asyncio.fixture
async def make_reader(
    kafka_broker: KafkaBroker,
    metrics: Metrics,
) -> AsyncIterator[MakeReader]:
    """Readers of given topics; closed at the end of the test."""
    made: list[KafkaReader] = []

    def make(
        *,
        timeout: float = 10.0,
        refresh: float = 30.0,
        book: TopicBook | None = None,
        clock: ManualClock | None = None,
        with_settings: Mapping[str, Any] | None = None,
        **topics: str,
    ) -> KafkaReader:
        journal = next(name for name, source in topics.items() if source == "events" and "*" not in name)
        settings = KafkaSettings.model_validate(
            {"bootstrap": kafka_broker.bootstrap, "topics": topics, "journal": journal, **(with_settings or {})}
        )
        reader = KafkaReader(
            settings,
            clock or ManualClock(NOON + 10 * MINUTE),
            metrics,
            future_tolerance=5 * MINUTE,
            book=book,
            timeout=timeout,
            refresh=refresh,
        )
        made.append(reader)
        return reader

    yield make
    for reader in made:
        await reader.close()


def on_topic(cluster: Cluster, topic: str) -> dict[str, str]:
    """The environment of a service whose journal is this topic, and which waits a second for what is late."""
    topics, group = f"{topic}=events", f"{topic}-group"
    kafka = kafka_environment(cluster.broker.bootstrap, topics=topics, journal=topic, group=group)
    return {**kafka, "NEARMISS_LATENESS": "1s"}


async def read_all(reader: KafkaReader, positions: Positions | None = None, limit: int = 100) -> list[Batch]:
    """Batches until the head is reached, each from where the one before ended."""
    batches: list[Batch] = []
    where = positions or {}
    while not batches or not batches[-1].at_head:
        batches.append(await reader.read(where, limit))
        where = batches[-1].positions
    return batches


def ids(batches: Sequence[Batch]) -> list[str]:
    return [event.id for batch in batches for event in batch.events]
