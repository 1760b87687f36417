"""Where the reading of each partition begins, and what is lost when a position lies outside of what the topic holds."""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import TopicPartition

from monitor.kafka.errors import PositionLost
from monitor.kafka.metrics import KafkaMetrics
from monitor.kafka.partition_buffers import PartitionBuffer
from monitor.kafka.settings import KafkaSettings
from monitor.ops.logs import get_logger
from monitor.ports import Positions

_log = get_logger("kafka")


class StartingPoints:
    """Remembers which losses it has told."""

    def __init__(self, settings: KafkaSettings, metrics: KafkaMetrics) -> None:
        self._settings, self._metrics = settings, metrics
        self._lost: dict[str, tuple[int, int]] = {}

    def buffers(
        self, positions: Positions, first: Mapping[TopicPartition, int], end: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, PartitionBuffer]:
        """A buffer per partition, at its position. Raises PositionLost."""
        buffers: dict[TopicPartition, PartitionBuffer] = {}
        for partition in sorted(first):
            key = f"{partition.topic}/{partition.partition}"
            position = positions.get(key, first[partition])
            if not first[partition] <= position <= end[partition]:
                self._lose(PositionLost(key, position, first[partition], end[partition]))
                position = first[partition]
            source = self._settings.source_of(partition.topic)
            if source is None:
                raise LookupError(f"{partition.topic} is not one of the topics that were asked for")
            buffers[partition] = PartitionBuffer(key, source, position, first[partition], end[partition])
        known = {buffer.key for buffer in buffers.values()}
        for key, position in positions.items():
            # A place without a slash is one in another journal, which any pattern might fit.
            if "/" in key and self._settings.source_of(key.rpartition("/")[0]) is not None and key not in known:
                self._lose(PositionLost(key, position, 0, 0))
        return buffers

    def _lose(self, lost: PositionLost) -> None:
        """Raises `lost` unless the operator wants to go on; then it is counted, each once."""
        if self._settings.on_lost_position == "stop":
            raise lost
        if self._lost.get(lost.key) == (lost.position, lost.first):
            return
        self._lost[lost.key] = lost.position, lost.first
        self._metrics.kafka_positions_lost.inc()
        self._metrics.kafka_messages_lost.inc(max(lost.first - lost.position, 0))
        _log.error("kafka_position_lost", partition=lost.key, position=lost.position, first=lost.first, end=lost.end)
