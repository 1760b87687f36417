"""Finds where a time lies in the topics. Knows offsets; must not know where positions are kept."""

from __future__ import annotations

import msgspec
from aiokafka import TopicPartition

from monitor.core.model.events import Instant
from monitor.kafka.connection import Connector
from monitor.kafka.settings import KafkaSettings

_MICROSECONDS_PER_MILLISECOND = 1000
_REFRESH = 300.0


class Offset(msgspec.Struct, frozen=True):
    """Where to read a partition on, and what it holds: `first` to before `end`."""

    at: int
    first: int
    end: int


async def offsets_at(settings: KafkaSettings, at: Instant, *, timeout: float = 10.0) -> tuple[str, dict[str, Offset]]:
    """The cluster's id, and for each partition ("topic/number") the first message whose timestamp is `at` or later.

    A partition without one stands at its end. `timeout` in seconds a question. Raises KafkaProblem, Unavailable.
    """
    connector = Connector(settings, timeout, _REFRESH)
    cluster, partitions = await connector.partitions()
    consumer = await connector.consumer()
    try:
        async with connector.patience("to tell where a time lies"):
            first = await consumer.beginning_offsets(partitions)
            end = await consumer.end_offsets(partitions)
            times = dict.fromkeys(partitions, at // _MICROSECONDS_PER_MILLISECOND)
            found = await consumer.offsets_for_times(times)
    finally:
        await connector.close(consumer)
    return cluster, {_key(each): _offset(found.get(each), first[each], end[each]) for each in sorted(partitions)}


def _offset(found: object, first: int, end: int) -> Offset:
    offset = getattr(found, "offset", None)
    return Offset(end if offset is None else max(int(offset), first), first, end)


def _key(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"
