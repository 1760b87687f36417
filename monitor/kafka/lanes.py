"""Merges the partitions of a journal into one stream, the earliest event first.

Pure: a partition is a queue of entries here. Must not know connections. An engine that reads several partitions has one
watermark; without this merge, the partition that happens to be fetched first would make the others' events late
whenever a backlog is read.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable

from monitor.kafka.messages import Entry


class Lane:
    """One partition: what was fetched from it and not handed out yet.

    `handed` is the offset after the last entry handed out, `fetched` the offset to fetch next, `end` the offset after
    the last entry that is known to be there.
    """

    __slots__ = ("end", "entries", "fetched", "first", "handed", "key", "source", "topic")

    def __init__(self, key: str, source: str, position: int, first: int, end: int) -> None:
        self.key = key
        self.topic = key.rpartition("/")[0]
        self.source = source
        self.first = first
        self.handed = position
        self.fetched = position
        self.end = end
        self.entries: deque[Entry] = deque()

    @property
    def is_behind(self) -> bool:
        """Whether nothing is at hand although more is known to be there."""
        return not self.entries and self.fetched < self.end

    @property
    def is_drained(self) -> bool:
        return not self.entries and self.fetched >= self.end


def give_back(taken: list[tuple[Lane, Entry]], topic: str, kept: int) -> list[tuple[Lane, Entry]]:
    """What `merge` took, without the entries of a topic after the first `kept` of all: those are in its lanes again."""
    back = [(lane, entry) for lane, entry in taken[kept:] if lane.topic == topic]
    for lane, entry in reversed(back):
        lane.entries.appendleft(entry)
        lane.handed = entry.offset
    return taken[:kept] + [(lane, entry) for lane, entry in taken[kept:] if lane.topic != topic]


def merge(lanes: Iterable[Lane], limit: int) -> list[tuple[Lane, Entry]]:
    """Take entries from the lanes, earliest event time first, each lane in its own order.

    Stops at `limit` events (a single entry that holds more is still taken whole: a position cannot lie inside of it)
    and as soon as a lane is behind, since its next entry might be the earliest.
    """
    waiting = list(lanes)
    taken: list[tuple[Lane, Entry]] = []
    if any(lane.is_behind for lane in waiting):
        return taken
    heap = [(lane.entries[0].at, lane.key, lane) for lane in waiting if lane.entries]
    heapq.heapify(heap)
    size = 0
    while heap:
        _, key, lane = heap[0]
        entry = lane.entries[0]
        size += len(entry.events) or 1
        if taken and size > limit:
            break
        lane.entries.popleft()
        lane.handed = entry.offset + 1
        taken.append((lane, entry))
        if lane.entries:
            heapq.heapreplace(heap, (lane.entries[0].at, key, lane))
            continue
        heapq.heappop(heap)
        if lane.is_behind:
            break
    for lane in waiting:
        if not lane.entries:
            # Offsets may have gaps (markers of transactions, compaction): the fetch position is behind them.
            lane.handed = lane.fetched
    return taken
