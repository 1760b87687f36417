"""Writes events into a topic, so that Kafka is the journal also for what arrives by webhook and what people report.

Knows the canonical format and one topic; must not know who sent an event or who reads it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from monitor.core.events import Event
from monitor.decode.canonical import encode
from monitor.kafka.connection import Connector
from monitor.kafka.errors import KafkaProblem
from monitor.kafka.settings import KafkaSettings
from monitor.ports import Appended, Unavailable

_MICROSECONDS_PER_MILLISECOND = 1000
_REFRESH = 300.0

DEFAULT_TIMEOUT = 10.0


class KafkaWriter:
    """A `JournalWriter` into the topic `kafka.journal`.

    Kafka cannot tell whether it had an event before, so every event counts as new; the engine takes the first copy.
    `timeout` in seconds: how long the brokers may take to make events durable.
    """

    def __init__(self, settings: KafkaSettings, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Raises UnusableCertificate; connects to nothing yet."""
        self._topic = settings.journal
        self._connector = Connector(settings, timeout, _REFRESH)
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def append(self, events: Sequence[Event]) -> Appended:
        """Return once all in-sync replicas have the events; those of one service keep their order.

        Raises Unavailable: then some of the events may be there already, and sending all again does no harm. That
        holds too for what a person must mend (a login, a permission): a sender can only send again later.
        """
        if not events:
            return Appended(())
        try:
            await self._append(events)
        except KafkaProblem as error:
            raise Unavailable(str(error)) from error
        return Appended((True,) * len(events))

    async def _append(self, events: Sequence[Event]) -> None:
        """Raises Unavailable, KafkaProblem."""
        producer = await self._connected()
        try:
            async with self._connector.patience("to make events durable"):
                await asyncio.gather(*[await self._send(producer, event) for event in events])
        except BaseException:
            # Events that are on their way have an unknown fate, and this producer's sequence has a gap.
            await self._discard(producer)
            raise

    async def close(self) -> None:
        """Close the connection; what `append` returned for is durable already."""
        if self._producer is not None:
            await self._discard(self._producer)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                self._producer = await self._connector.producer()
            return self._producer

    async def _send(self, producer: AIOKafkaProducer, event: Event) -> asyncio.Future[object]:
        received_at = event.time if event.received_at is None else event.received_at
        sent: asyncio.Future[object] = await producer.send(
            self._topic,
            encode(event),
            key=(event.service or event.source).encode(),
            # Rounded up: a reader that takes this for the receipt must not find the event's own a little later.
            timestamp_ms=-(-received_at // _MICROSECONDS_PER_MILLISECOND),
        )
        return sent

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        await self._connector.close_producer(producer)
