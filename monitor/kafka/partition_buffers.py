"""Merges the partitions of a journal into one stream, the earliest event first.

Pure: a partition is a queue of entries here. Must not know connections. An engine that reads several partitions has one
watermark; without this merge, the partition that happens to be fetched first would make the others' events late
whenever a backlog is read.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable

from monitor.kafka.messages import Message, RecordContent


class PartitionBuffer:
    """One partition: what was fetched from it and not handed out yet.

    `handed` is the offset after the last entry handed out, `fetched` the offset to fetch next, `end` the offset after
    the last entry that is known to be there. `fetched_records` come after the entries, and wait to be decoded.
    """

    __slots__ = ("end", "entries", "fetched", "fetched_records", "first", "handed", "key", "source", "topic")

    def __init__(self, key: str, source: str, position: int, first: int, end: int) -> None:
        self.key = key
        self.topic = key.rpartition("/")[0]
        self.source = source
        self.first = first
        self.handed = position
        self.fetched = position
        self.end = end
        self.entries: deque[RecordContent] = deque()
        self.fetched_records: deque[Message] = deque()

    @property
    def size(self) -> int:
        """How many records are here, decoded or not."""
        return len(self.entries) + len(self.fetched_records)

    @property
    def lacks(self) -> bool:
        """Whether nothing is here although more is known to be on the broker."""
        return not self.size and self.fetched < self.end

    @property
    def is_behind(self) -> bool:
        """Whether nothing can be handed out although more is known to be there."""
        return not self.entries and (bool(self.fetched_records) or self.fetched < self.end)

    @property
    def is_drained(self) -> bool:
        return not self.size and self.fetched >= self.end


def give_back(
    taken: list[tuple[PartitionBuffer, RecordContent]], topic: str, kept: int
) -> list[tuple[PartitionBuffer, RecordContent]]:
    """Return the entries of a topic after the first `kept` of all to their buffers; the rest of what `merge` took."""
    back = [(buffer, entry) for buffer, entry in taken[kept:] if buffer.topic == topic]
    for buffer, entry in reversed(back):
        buffer.entries.appendleft(entry)
        buffer.handed = entry.offset
    return taken[:kept] + [(buffer, entry) for buffer, entry in taken[kept:] if buffer.topic != topic]


def merge(buffers: Iterable[PartitionBuffer], limit: int) -> list[tuple[PartitionBuffer, RecordContent]]:
    """Take entries from the buffers, earliest event time first, each buffer in its own order.

    Stops at `limit` events (a single entry that holds more is still taken whole: a position cannot lie inside of it)
    and as soon as a buffer is behind, since its next entry might be the earliest.
    """
    waiting = list(buffers)
    taken: list[tuple[PartitionBuffer, RecordContent]] = []
    if any(buffer.is_behind for buffer in waiting):
        return taken
    heap = [(buffer.entries[0].at, buffer.key, buffer) for buffer in waiting if buffer.entries]
    heapq.heapify(heap)
    size = 0
    while heap:
        _, key, buffer = heap[0]
        entry = buffer.entries[0]
        size += len(entry.events) or 1
        if taken and size > limit:
            break
        buffer.entries.popleft()
        buffer.handed = entry.offset + 1
        taken.append((buffer, entry))
        if buffer.entries:
            heapq.heapreplace(heap, (buffer.entries[0].at, key, buffer))
            continue
        heapq.heappop(heap)
        if buffer.is_behind:
            break
    for buffer in waiting:
        if not buffer.size:
            # Offsets may have gaps (markers of transactions, compaction): the fetch position is behind them.
            buffer.handed = buffer.fetched
    return taken
