"""Membership of a consumer group: which partitions are ours to work on, and where we stand in them for others to see.

Fetches nothing and is asked for no position: what is read, and from where, the database says. Must not know what is
done with a partition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from monitor.kafka.connection import Connector
from monitor.kafka.errors import GroupForbidden, TopicForbidden
from monitor.kafka.settings import KafkaSettings
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ports import Positions, Unavailable

_log = get_logger("kafka")
_TIMEOUT = 10.0
_REFRESH = 30.0
_POLL_MILLISECONDS = 500
_RETRY_SECONDS = 1.0
_LOOK_SECONDS = 0.5


class Membership:
    """One member of a group over one topic. `assigned` has the partitions as "topic/partition"."""

    def __init__(self, settings: KafkaSettings, group: str, topic: str, partitions: int) -> None:
        """`partitions`: of the topic so many are worked on, the first ones.

        Raises UnusableCertificate; connects to nothing yet.
        """
        self._group = group
        self._topic = topic
        self._partitions = partitions
        self._connector = Connector(settings, _TIMEOUT, _REFRESH)
        self._changed = asyncio.Event()
        self._stands: dict[TopicPartition, int] = {}
        self._told: dict[TopicPartition, int] = {}
        self._is_aside = False
        self.assigned: frozenset[str] = frozenset()

    async def run(self, stop: asyncio.Event) -> None:
        """Be a member until the stop. Raises KafkaProblem; what passes by itself is tried again."""
        while not stop.is_set():
            if self._is_aside:
                self._assign(frozenset())
                await stopped_within(stop, _LOOK_SECONDS)
                continue
            try:
                await self._be_member(stop)
            except (Unavailable, KafkaError) as error:
                # Not a reason to let go: whoever is given our partitions meanwhile stands by as long as we work.
                _log.warning("kafka_group_lost", group=self._group, why=str(error))
                await stopped_within(stop, _RETRY_SECONDS)
        self._assign(frozenset())

    def step_aside(self) -> None:
        """Leave the group soon, so that others are given our partitions, until `come_back`."""
        self._is_aside = True

    def come_back(self) -> None:
        """Join the group again soon."""
        self._is_aside = False

    async def changed(self, timeout: float) -> None:
        """Return when `assigned` has changed since the last call, or after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    def stands_at(self, positions: Positions) -> None:
        """Take note of committed positions; the group is told of them soon."""
        for key, position in positions.items():
            topic, _, partition = key.rpartition("/")
            self._stands[TopicPartition(topic, int(partition))] = position

    async def _be_member(self, stop: asyncio.Event) -> None:
        consumer = await self._connector.member(self._group, _own_assignor())
        try:
            consumer.subscribe(topics=[self._topic], listener=_Listener(consumer, self._take))
            while not stop.is_set() and not self._is_aside:
                # All is paused and nothing comes. It shows the group that somebody is there, and brings up errors.
                await consumer.getmany(timeout_ms=_POLL_MILLISECONDS)
                await self._tell(consumer)
            await self._tell(consumer)
        except (GroupAuthorizationFailedError, InconsistentGroupProtocolError) as error:
            raise GroupForbidden(self._group, repr(error)) from error
        except TopicAuthorizationFailedError as error:
            raise TopicForbidden([str(each) for each in error.args]) from error
        finally:
            await self._connector.close(consumer)

    def _take(self, partitions: set[TopicPartition]) -> None:
        mine = (each for each in partitions if each.partition < self._partitions)
        self._assign(frozenset(f"{each.topic}/{each.partition}" for each in mine))

    def _assign(self, assigned: frozenset[str]) -> None:
        if assigned != self.assigned:
            _log.info("kafka_assigned", group=self._group, partitions=sorted(assigned))
            self.assigned = assigned
            self._changed.set()

    async def _tell(self, consumer: AIOKafkaConsumer) -> None:
        """A hint for other tools, never read back.

        While the group is rebalanced it fails, since a partition may be another's by then; then the other tells.
        """
        assignment = consumer.assignment()
        news = {
            partition: position
            for partition, position in self._stands.items()
            if partition in assignment and self._told.get(partition) != position
        }
        if not news:
            return
        try:
            await consumer.commit(news)
        except KafkaError as error:
            _log.debug("kafka_offset_commit_failed", group=self._group, error=repr(error))
        else:
            self._told.update(news)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # comes without types
    """Hears of rebalances. Neither call waits for anything, so that a group of many is never held up by one."""

    def __init__(self, consumer: AIOKafkaConsumer, take: Callable[[set[TopicPartition]], None]) -> None:
        self._consumer = consumer
        self._take = take

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Everything is revoked before each new assignment, and most of it comes back: what is ours is known then."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._consumer.pause(*assigned)
        self._take(assigned)


def _own_assignor() -> type[Any]:
    """aiokafka keeps what a sticky assignor remembers in the class: each member needs one of its own."""
    return type("OwnSticky", (StickyPartitionAssignor,), {})
