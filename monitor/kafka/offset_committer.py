"""Commits a consumer group's offsets for other tools to read; nothing is ever read back from them.

Has a connection of its own: trouble with the group (no permission, no coordinator) must not touch the reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from monitor.core.model.events import MINUTE
from monitor.kafka.connection import Connector
from monitor.kafka.errors import KafkaProblem
from monitor.kafka.settings import KafkaSettings
from monitor.ops.logs import get_logger
from monitor.ports import WHOLE, Clock, Commit, EngineStore, Saved, Unavailable

_log = get_logger("kafka")

_PAUSE_AFTER_FAILURE = 5 * MINUTE
_TIMEOUT = 2.0
_NEVER = 3600.0


class OffsetCommitter:
    """An `EngineStore` that commits the group's offsets after each commit of `store`.

    The offsets follow the commit, so that the group is never ahead of the database. A failure is logged and retried
    after five minutes; the commit stands.
    """

    def __init__(self, store: EngineStore, settings: KafkaSettings, clock: Clock) -> None:
        self._store = store
        self._offsets = None if settings.group is None else _GroupOffsets(settings, settings.group)
        self._settings = settings
        self._clock = clock
        self._next_at = 0

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        """Raises Held, Unavailable."""
        return await self._store.acquire(owner, part, scopes, lease)

    async def heartbeat(self, part: str, epoch: int) -> None:
        """Raises Fenced, Unavailable."""
        await self._store.heartbeat(part, epoch)

    async def release(self, part: str, epoch: int) -> None:
        """Raises Unavailable."""
        await self._store.release(part, epoch)

    async def commit(self, commit: Commit) -> int:
        """Raises Fenced, Unavailable; never because of the offsets."""
        contradicted = await self._store.commit(commit)
        if self._offsets is None or self._clock.now() < self._next_at:
            return contradicted
        try:
            await self._offsets.commit(_offsets(commit.positions, self._settings))
        except (KafkaError, KafkaProblem, Unavailable) as error:
            self._next_at = self._clock.now() + _PAUSE_AFTER_FAILURE
            _log.warning("kafka_offset_commit_failed", error=str(error))
            await self._offsets.close()
        return contradicted

    async def close(self) -> None:
        """Close the connection of the group; the store stays open."""
        if self._offsets is not None:
            await self._offsets.close()


class _GroupOffsets:
    def __init__(self, settings: KafkaSettings, group: str) -> None:
        self._connector = Connector(settings, _TIMEOUT, _NEVER)
        self._group = group
        self._consumer: AIOKafkaConsumer | None = None
        self._committed: dict[TopicPartition, int] = {}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Raises KafkaProblem, Unavailable."""
        if not offsets or offsets == self._committed:
            return
        if self._consumer is None:
            self._consumer = await self._connector.consumer(self._group)
        consumer = self._consumer
        if consumer.assignment() != offsets.keys():
            consumer.assign(list(offsets))
            for partition, offset in offsets.items():
                # A position of its own and a pause: otherwise this consumer would begin to fetch as well.
                consumer.seek(partition, offset)
            consumer.pause(*offsets)
        async with self._connector.patience("to keep the group's offsets"):
            await consumer.commit(dict(offsets))
        self._committed = dict(offsets)

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._committed = {}
        if consumer is not None:
            await self._connector.close(consumer)


def _offsets(positions: Mapping[str, int], settings: KafkaSettings) -> dict[TopicPartition, int]:
    offsets: dict[TopicPartition, int] = {}
    for key, offset in positions.items():
        topic, _, partition = key.rpartition("/")
        if settings.source_of(topic) is not None:
            offsets[TopicPartition(topic, int(partition))] = offset
    return offsets
