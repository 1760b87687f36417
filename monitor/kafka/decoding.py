"""Decodes fetched records so that nothing else of the service waits: briefly between others, or in a thread.

Knows how long records take; must not know consumers, or what becomes of what is decoded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from monitor.core.model.events import Instant
from monitor.core.model.reasons import Rejected
from monitor.decode.jsontext import INLINE
from monitor.kafka.messages import Message, RecordContent, read_message
from monitor.kafka.partition_buffers import PartitionBuffer
from monitor.kafka.settings import KafkaSettings
from monitor.ops.tasks import in_thread
from monitor.ports import Clock

SLICE_SECONDS = 0.01
"""Records are decoded for so long before others have their turn."""
ROUND_SECONDS = 0.1
"""Once each partition has something to hand out, the rest of it waits for the next round after so long."""


class Decoding:
    """What of each partition is decoded next. `future_tolerance` as of `read_message`."""

    def __init__(self, settings: KafkaSettings, clock: Clock, future_tolerance: int) -> None:
        self._journal = settings.journal
        self._forward = bool(settings.dead_letter)
        self._clock = clock
        self._future_tolerance = future_tolerance

    async def advance(self, buffers: Iterable[PartitionBuffer]) -> None:
        """Decode until each partition of which something was fetched has an entry, and more while there is time."""
        loop, now = asyncio.get_running_loop(), self._clock.now()
        until = loop.time() + ROUND_SECONDS
        waiting = [buffer for buffer in buffers if buffer.fetched_records]
        while waiting:
            buffer = min(waiting, key=lambda each: len(each.entries))
            if buffer.entries and loop.time() >= until:
                return
            await self._decode_some(buffer, now, loop.time() + SLICE_SECONDS)
            waiting = [buffer for buffer in waiting if buffer.fetched_records]

    async def _decode_some(self, buffer: PartitionBuffer, now: Instant, until: float) -> None:
        loop, records = asyncio.get_running_loop(), buffer.fetched_records
        while records:
            record = records[0]
            content = None
            if len(record.value or b"") <= INLINE:
                content = self._read(record, buffer, now, quick=True)
                if any(reject.reason == Rejected.MAPPING_OVERRUN for reject in content.rejects):
                    content = None
            if content is None:
                content = await in_thread(self._read, record, buffer, now)
            buffer.entries.append(content)
            records.popleft()
            if loop.time() >= until:
                await asyncio.sleep(0)
                return

    def _read(self, record: Message, buffer: PartitionBuffer, now: Instant, *, quick: bool = False) -> RecordContent:
        ours = buffer.topic == self._journal
        return read_message(
            record, buffer.source, now, self._future_tolerance, forward=self._forward, ours=ours, quick=quick
        )
