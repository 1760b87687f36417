"""Reads Kafka topics as the engine's journal: from exactly the positions that the database holds, nothing skipped.

Knows partitions, offsets and the decoders; must not know what becomes of the events or where positions are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from monitor.kafka.batch import batch_of
from monitor.kafka.bound_topics import BoundTopics
from monitor.kafka.connection import Connector
from monitor.kafka.decoding import Decoding
from monitor.kafka.halts import Halts, MemoryBook
from monitor.kafka.metrics import KafkaMetrics
from monitor.kafka.partition_buffers import PartitionBuffer, merge
from monitor.kafka.read_counts import count_read
from monitor.kafka.settings import KafkaSettings
from monitor.kafka.starting_points import StartingPoints
from monitor.ops.logs import get_logger
from monitor.ports import Batch, Clock, Positions, TopicBook, Unavailable

_log = get_logger("kafka")

_CHUNK = 500
_SLICE_MILLISECONDS = 100
_MILLISECONDS = 1000

DEFAULT_TIMEOUT = 10.0
DEFAULT_REFRESH = 30.0


class KafkaReader:
    """A `JournalReader` over the topics of `settings`; positions are named "topic/partition".

    `future_tolerance` in microseconds: how far an event's time may lie after its receipt. `timeout` in seconds: how
    long the broker may take for one answer. `refresh` in seconds: how often to look for new partitions and topics.
    `book` remembers the cluster and the halted topics; without one the reader does, for as long as it lives. `only`: of
    all partitions this one, as "topic/partition".
    """

    def __init__(
        self,
        settings: KafkaSettings,
        clock: Clock,
        metrics: KafkaMetrics,
        *,
        future_tolerance: int,
        book: TopicBook | None = None,
        only: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        refresh: float = DEFAULT_REFRESH,
    ) -> None:
        """Raises UnusableCertificate; connects to nothing yet."""
        self._clock = clock
        self._metrics = metrics
        self._decoding = Decoding(settings, clock, future_tolerance)
        self._connector = Connector(settings, timeout, refresh)
        book = MemoryBook() if book is None else book
        self._halts = Halts(book, settings.reject_limit, clock, metrics)
        self._topics = BoundTopics(settings, self._connector, book, only, refresh)
        self._starting_points = StartingPoints(settings, metrics)
        self._consumer: AIOKafkaConsumer | None = None
        self._buffers: dict[TopicPartition, PartitionBuffer] = {}
        self._in_step = False  # the consumer stands where the buffers say

    async def start(self) -> None:
        """Connect and check the topics.

        Raises MissingTopics, TopicForbidden, LoginRefused, WrongCluster, Unavailable.

        Not needed before `read`, which connects when it has to; it tells at start what is wrong.
        """
        await self._halts.look()
        await self._topics.check()
        if self._consumer is None:
            self._consumer = await self._connector.consumer()

    async def trouble(self) -> str | None:
        """What an operator should know although reading goes on: which topics are halted, and why."""
        return self._halts.words

    async def read(self, positions: Positions, limit: int) -> Batch:
        """At most `limit` events from `positions` on, the partitions merged by event time; waits only for answers.

        A partition without a position is read from its oldest entry. Raises Unavailable when the broker cannot be
        reached (the next call connects anew), PositionLost when a position lies outside of what the topic holds, and
        what `start` raises.
        """
        try:
            return await self._read(positions, limit)
        except Unavailable:
            await self._disconnect()
            raise
        except BaseException:
            # Fetched and not handed out, or cancelled halfway: seek again before anything else.
            self._in_step = False
            raise

    async def wait(self, timeout: float) -> None:
        """Return when entries have arrived, or after `timeout` seconds. Trouble is for the next `read` to tell."""
        consumer = self._consumer
        if consumer is None or not self._in_step or any(buffer.size for buffer in self._open.values()):
            return
        try:
            if not self._open:
                async with asyncio.timeout(timeout):
                    await asyncio.Event().wait()
            patience = round(timeout * _MILLISECONDS)
            fetched = await consumer.getmany(*self._open, timeout_ms=patience, max_records=_CHUNK)
            await self._take(consumer, fetched)
        except TimeoutError:
            return
        except KafkaError as error:
            self._in_step = False
            _log.debug("kafka_wait_failed", error=repr(error))
        except BaseException:
            self._in_step = False
            raise

    async def close(self) -> None:
        """Close the connection. What was fetched and not handed out is read again next time."""
        await self._disconnect()

    async def _read(self, positions: Positions, limit: int) -> Batch:
        await self._halts.look()
        consumer = await self._stand_at(positions)
        try:
            async with self._connector.patience("to fetch entries"):
                await self._fill(consumer)
        except Unavailable as error:
            if isinstance(error.__cause__, OffsetOutOfRangeError):
                # Retention overtook us between two fetches; looking at the limits again names which partition.
                self._in_step = False
                await self._stand_at(positions)
            raise
        # What decoding takes is no delay of the broker's.
        await self._decoding.advance(self._open.values())
        taken = await self._halts.judge(merge(self._open.values(), limit))
        count_read(taken, self._clock.now(), self._metrics)
        reached = {**positions, **{buffer.key: buffer.handed for buffer in self._buffers.values()}}
        return batch_of(taken, reached, at_head=await self._is_at_head(consumer))

    async def _stand_at(self, positions: Positions) -> AIOKafkaConsumer:
        """A consumer whose partitions stand at `positions`; does nothing when they do already."""
        consumer = self._consumer
        if consumer is None:
            consumer = self._consumer = await self._connector.consumer()
            self._in_step = False
        if self._in_step and not await self._topics.has_new(consumer, self._buffers):
            buffers = self._buffers.values()
            if all(positions.get(buffer.key, buffer.first) == buffer.handed for buffer in buffers):
                return consumer
        self._in_step = False
        partitions = await self._topics.partitions()
        async with self._connector.patience("to tell what the topics hold"):
            first = await consumer.beginning_offsets(partitions)
            end = await consumer.end_offsets(partitions)
        self._buffers = self._starting_points.buffers(positions, first, end)
        consumer.assign(list(self._buffers))
        for partition, buffer in self._buffers.items():
            consumer.seek(partition, buffer.handed)
        self._in_step = True
        _log.info("kafka_reading", positions={buffer.key: buffer.handed for buffer in self._buffers.values()})
        return consumer

    @property
    def _open(self) -> dict[TopicPartition, PartitionBuffer]:
        """The partitions that are read."""
        if not self._halts.topics:
            return self._buffers
        return {
            partition: buffer for partition, buffer in self._buffers.items() if buffer.topic not in self._halts.topics
        }

    async def _fill(self, consumer: AIOKafkaConsumer) -> None:
        """Fetch until no partition is behind. The caller bounds the time."""
        buffers = self._open
        low = [partition for partition, buffer in buffers.items() if buffer.size < _CHUNK]
        if low:
            await self._take(consumer, await consumer.getmany(*low, timeout_ms=0, max_records=_CHUNK))
        while behind := [partition for partition, buffer in buffers.items() if buffer.lacks]:
            # In slices: a fetch that brings only markers of transactions moves the position and returns nothing.
            fetched = await consumer.getmany(*behind, timeout_ms=_SLICE_MILLISECONDS, max_records=_CHUNK)
            await self._take(consumer, fetched)

    async def _take(
        self, consumer: AIOKafkaConsumer, fetched: Mapping[TopicPartition, list[ConsumerRecord[bytes, bytes]]]
    ) -> None:
        for partition, records in fetched.items():
            self._buffers[partition].fetched_records.extend(records)
        for partition, buffer in self._buffers.items():
            buffer.fetched = await consumer.position(partition)
            buffer.end = max(buffer.end, consumer.last_stable_offset(partition) or 0)

    async def _is_at_head(self, consumer: AIOKafkaConsumer) -> bool:
        """Asks the broker: what the last fetch told is old when the broker is gone, and then time must stand still.

        It also does where every topic is halted. Where only some are, the others go on without them.
        """
        buffers = self._open
        if not buffers or not all(buffer.is_drained for buffer in buffers.values()):
            return False
        async with self._connector.patience("to tell where its topics end"):
            ends = await consumer.end_offsets(list(buffers))
        for partition, end in ends.items():
            buffers[partition].end = max(buffers[partition].end, end)
        return all(buffer.is_drained for buffer in buffers.values())

    async def _disconnect(self) -> None:
        self._in_step = False
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await self._connector.close(consumer)
