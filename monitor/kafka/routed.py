"""The canonical topic that several engines share: written by shard, read by partition.

Knows the header that carries an event's shards; must not know what becomes of an event in its shard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer

from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import Rejected
from monitor.core.sharding.routing import Route, Router, partitions_of
from monitor.decode.canonical import encode
from monitor.kafka.connection import Connector
from monitor.kafka.errors import TooFewPartitions
from monitor.kafka.messages import CLOCK_HEADER, SHARDS_HEADER, header_of
from monitor.kafka.settings import KafkaSettings
from monitor.kafka.source import DEFAULT_REFRESH, DEFAULT_TIMEOUT, KafkaReader
from monitor.kafka.writer import KafkaWriter
from monitor.ops.logs import get_logger
from monitor.ports import Batch, Clock, Positions, Reject, TopicBook

_log = get_logger("kafka")


class RoutingWriter(KafkaWriter):
    """A `JournalWriter` that writes each event to the partitions of the shards that it may matter to."""

    def __init__(
        self,
        settings: KafkaSettings,
        router: Callable[[], Router],
        partitions: int,
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        """`settings`: those of the engines' side; `router`: by the catalogue in force.

        Raises UnusableCertificate; connects to nothing yet.
        """
        super().__init__(settings, timeout=timeout)
        self._router = router
        self._partitions = partitions
        self.newest = Instant(0)

    async def _send(self, producer: AIOKafkaProducer, event: Event, body: bytes) -> asyncio.Future[Any]:
        route = self._router().route(event)
        self.newest = max(self.newest, event.time)
        header = [(SHARDS_HEADER, header_of(route).encode())]
        copies = [
            await self._send_one(producer, event, body, partition=partition, headers=header)
            for partition in partitions_of(route, self._partitions)
        ]
        return asyncio.gather(*copies)

    async def mark(self, at: Instant) -> None:
        """Write into every partition that everything up to `at` was written before. Raises Unavailable."""
        header = [(CLOCK_HEADER, str(int(at)).encode())]

        async def send(producer: AIOKafkaProducer) -> None:
            places = range(self._partitions)
            sent = [
                await producer.send(self._topic, None, key=CLOCK_HEADER.encode(), partition=place, headers=header)
                for place in places
            ]
            await asyncio.gather(*sent)

        await self._write_or_unavailable(send)


class RoutedReader:
    """A `JournalReader` of one partition that tells each event's shards."""

    def __init__(
        self, reader: KafkaReader, router: Callable[[], Router], partition: int, partitions: int, clock: Clock
    ) -> None:
        self._router = router
        self._reader = reader
        self._partition = partition
        self._partitions = partitions
        self._clock = clock

    async def read(self, positions: Positions, limit: int) -> Batch:
        """What others wrote into the topic is taken where it belongs here, and else kept as a reject.

        Raises what `KafkaReader.read` raises.
        """
        batch = await self._reader.read(positions, limit)
        if all(batch.routes):
            return batch
        events: list[Event] = []
        bodies: list[bytes] = []
        routes: list[Route] = []
        rejects = list(batch.rejects)
        for event, body, told in zip(batch.events, batch.bodies, batch.routes, strict=True):
            route = told or self._router().route(event)
            if self._partition in partitions_of(route, self._partitions):
                events.append(event)
                bodies.append(body)
                routes.append(route)
            else:
                rejects.append(self._misrouted(event, route))
        return msgspec.structs.replace(
            batch, events=tuple(events), bodies=tuple(bodies), routes=tuple(routes), rejects=tuple(rejects)
        )

    async def wait(self, timeout: float) -> None:
        await self._reader.wait(timeout)

    async def close(self) -> None:
        await self._reader.close()

    def _misrouted(self, event: Event, route: Route) -> Reject:
        where = ", ".join(str(each) for each in partitions_of(route, self._partitions))
        detail = (
            f"it was written into partition {self._partition} without its shards and belongs to partition {where}; "
            "expected that only nearmiss writes into kafka.canonical. Write into a topic of kafka.topics instead"
        )
        received_at = event.received_at or self._clock.now()
        return Reject(event.source, Rejected.MISROUTED, detail, encode(event), received_at)


async def settle_partitions(settings: KafkaSettings, book: TopicBook) -> int:
    """How many partitions the shards are spread over: as many as the canonical topic had at the first start.

    Partitions that were added later stay empty until somebody spreads the shards anew. Raises TooFewPartitions,
    MissingTopics, LoginRefused, Unavailable.
    """
    topic = settings.canonical
    connector = Connector(settings.shared, DEFAULT_TIMEOUT, DEFAULT_REFRESH)
    _, partitions = await connector.partitions()
    known = await book.spread(topic, len(partitions))
    if known > len(partitions):
        raise TooFewPartitions(topic, len(partitions), known)
    if known < len(partitions):
        _log.warning("kafka_partitions_unused", topic=topic, partitions=len(partitions), used=known)
    return known
