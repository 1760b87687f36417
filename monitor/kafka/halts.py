"""Decides which topics are not read: one that gave nothing but rejects for too long, until somebody resumes it.

Knows entries and what is kept about topics; must not know connections or what an entry says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from monitor.core.model.events import SECOND
from monitor.kafka.messages import RecordContent
from monitor.kafka.metrics import KafkaMetrics
from monitor.kafka.partition_buffers import PartitionBuffer, give_back
from monitor.ops.logs import get_logger
from monitor.ports import Clock, Halt, TopicBook, Unavailable

_log = get_logger("kafka")
_LOOK_EVERY = 5 * SECOND


class Halts:
    """The topics that are halted, as the book has them, and the runs of rejects of the others.

    `limit`: after so many messages of one topic in a row, each of them unreadable, it is halted; 0: never.
    """

    def __init__(self, book: TopicBook, limit: int, clock: Clock, metrics: KafkaMetrics) -> None:
        self._book = book
        self._limit = limit
        self._clock = clock
        self._metrics = metrics
        self._runs: Counter[str] = Counter()
        self._halted: dict[str, Halt] = {}
        self._looked_at: int | None = None

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(self._halted)

    @property
    def words(self) -> str | None:
        """What an operator should know; None when every topic is read."""
        if not self._halted:
            return None
        return "; ".join(f"topic {halt.topic} is halted: {halt.detail}" for halt in self._halted.values())

    async def look(self) -> None:
        """Learn what others halted or resumed, every few seconds. Raises Unavailable at the first time only."""
        now = self._clock.now()
        if self._looked_at is not None and self._looked_at <= now < self._looked_at + _LOOK_EVERY:
            return
        try:
            found = {halt.topic: halt for halt in await self._book.halts()}
        except Unavailable:
            if self._looked_at is None:
                raise
            return
        self._looked_at = now
        for topic in self._halted.keys() - found.keys():
            del self._runs[topic]
            _log.info("topic_resumed", topic=topic)
        for topic in found.keys() - self._halted.keys():
            _log.warning("topic_is_halted", topic=topic, why=found[topic].detail)
        self._set(found)

    async def judge(
        self, taken: Sequence[tuple[PartitionBuffer, RecordContent]]
    ) -> list[tuple[PartitionBuffer, RecordContent]]:
        """Count the runs. What lies behind the end of a run that was too long goes back into its buffers.

        Raises Unavailable when a halt could not be kept.
        """
        rest = list(taken)
        if not self._limit:
            return rest
        place = 0
        while place < len(rest):
            buffer, entry = rest[place]
            place += 1
            if entry.events:
                self._runs[buffer.topic] = 0
            elif entry.rejects:
                self._runs[buffer.topic] += 1
                if self._runs[buffer.topic] >= self._limit:
                    rest = give_back(rest, buffer.topic, place)
                    await self._halt(buffer, entry)
        return rest

    async def _halt(self, buffer: PartitionBuffer, entry: RecordContent) -> None:
        last = entry.rejects[-1]
        detail = (
            f"{self._limit} messages in a row cannot be read, the last at {buffer.key} offset {entry.offset}: "
            f"{last.reason}. Fix the producer or the decoder in kafka.topics ({buffer.source}), then "
            f"`nearmiss topics resume {buffer.topic}`"
        )
        halt = Halt(buffer.topic, self._clock.now(), detail)
        await self._book.halt(halt)
        _log.error(
            "topic_halted", topic=buffer.topic, offset=entry.offset, partition=buffer.key, reason=str(last.reason)
        )
        self._set({**self._halted, buffer.topic: halt})

    def _set(self, halted: dict[str, Halt]) -> None:
        self._halted = halted
        self._metrics.kafka_halted_topics.set(len(halted))


class MemoryBook:
    """A TopicBook that forgets with the process: for readers whose positions nobody keeps either."""

    def __init__(self) -> None:
        self._clusters: dict[str, str] = {}
        self._halts: dict[str, Halt] = {}
        self._spread: dict[str, int] = {}

    async def bind(self, journal: str, cluster: str) -> str:
        return self._clusters.setdefault(journal, cluster)

    async def halts(self) -> list[Halt]:
        return list(self._halts.values())

    async def halt(self, halt: Halt) -> None:
        self._halts.setdefault(halt.topic, halt)

    async def resume(self, topic: str) -> bool:
        return self._halts.pop(topic, None) is not None

    async def spread(self, topic: str, partitions: int) -> int:
        return self._spread.setdefault(topic, partitions)
