"""Which partitions are to be read: those of the configured topics, in the one cluster that the positions belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition

from monitor.kafka.connection import Connector
from monitor.kafka.errors import MissingTopics, WrongCluster
from monitor.kafka.settings import KafkaSettings
from monitor.ports import TopicBook, Unavailable

JOURNAL = "kafka"
"""The name that the cluster is remembered under."""


class BoundTopics:
    """`book` remembers the cluster. `refresh` in seconds: how often to look for new topics. `only`: of all partitions
    this one, as "topic/partition".
    """

    def __init__(
        self, settings: KafkaSettings, connector: Connector, book: TopicBook, only: str | None, refresh: float
    ) -> None:
        self._settings, self._connector, self._book = settings, connector, book
        self._only, self._refresh = only, refresh
        self._looked_at = 0.0
        self._found = False

    async def partitions(self) -> frozenset[TopicPartition]:
        """Those to read. Topics that were there and are not shown now make it Unavailable, not MissingTopics."""
        try:
            found = await self.check()
        except MissingTopics as error:
            if self._found:
                # They were there: a cluster that is restarting may not show them for a moment.
                raise Unavailable(str(error)) from error
            raise
        return found

    async def check(self) -> frozenset[TopicPartition]:
        """The same; a missing topic is missing. Raises MissingTopics, WrongCluster, and what the connector raises."""
        cluster, found = await self._connector.partitions()
        known = await self._book.bind(JOURNAL, cluster)
        if known != cluster:
            raise WrongCluster(self._settings.bootstrap, cluster, known)
        if self._only is not None:
            found = frozenset(each for each in found if f"{each.topic}/{each.partition}" == self._only)
            if not found:
                raise MissingTopics(self._settings.bootstrap, [self._only])
        self._found = True
        return found

    async def has_new(self, consumer: AIOKafkaConsumer, known: Collection[TopicPartition]) -> bool:
        """Whether there are partitions beside those that are known.

        The consumer renews by itself what it knows of its own topics; for patterns all topics are asked for.
        """
        if self._only is not None:
            return False
        topics = {partition.topic for partition in known}
        now = asyncio.get_running_loop().time()
        if self._settings.has_patterns and now >= self._looked_at + self._refresh:
            self._looked_at = now
            async with self._connector.patience("to list its topics"):
                found = await consumer.topics()
            if any(self._settings.source_of(topic) is not None for topic in found - topics):
                return True
        for topic in topics:
            for number in consumer.partitions_for_topic(topic) or ():
                if TopicPartition(topic, number) not in known:
                    return True
        return False
