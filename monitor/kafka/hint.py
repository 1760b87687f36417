"""Keeps a consumer group's offsets near the truth, for other tools to look at; nothing is ever read back from them.

Has a connection of its own: trouble with the group (no permission, no coordinator) must not touch the reading.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from monitor.core.events import MINUTE, SECOND
from monitor.kafka.connection import Connector
from monitor.kafka.errors import KafkaProblem
from monitor.ops.logs import get_logger
from monitor.ports import Clock, Unavailable

_log = get_logger("kafka")

_PAUSE = 5 * SECOND
_PAUSE_AFTER_FAILURE = 5 * MINUTE


class OffsetHint:
    """Commits positions to `group` every few seconds, when they moved."""

    def __init__(self, connector: Connector, group: str, clock: Clock) -> None:
        self._connector = connector
        self._group = group
        self._clock = clock
        self._consumer: AIOKafkaConsumer | None = None
        self._told: dict[TopicPartition, int] = {}
        self._next_at = 0

    async def tell(self, positions: Mapping[TopicPartition, int]) -> None:
        """Say that everything before `positions` is in the database. Never raises; a failure is logged."""
        now = self._clock.now()
        if not positions or now < self._next_at or positions == self._told:
            return
        self._next_at = now + _PAUSE
        try:
            await self._commit(positions)
        except (KafkaError, KafkaProblem, Unavailable) as error:
            self._next_at = now + _PAUSE_AFTER_FAILURE
            _log.warning("kafka_offset_hint_failed", group=self._group, error=str(error))
            await self.close()

    async def _commit(self, positions: Mapping[TopicPartition, int]) -> None:
        if self._consumer is None:
            self._consumer = await self._connector.consumer(self._group)
        consumer = self._consumer
        if consumer.assignment() != positions.keys():
            consumer.assign(list(positions))
            for partition, offset in positions.items():
                # A position of its own and a pause: otherwise this consumer would begin to fetch as well.
                consumer.seek(partition, offset)
            consumer.pause(*positions)
        async with self._connector.patience("to keep the group's offsets"):
            await consumer.commit(dict(positions))
        self._told = dict(positions)

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await self._connector.close(consumer)
