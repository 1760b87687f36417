"""Writes events into a topic, so that Kafka is the journal also for what arrives by webhook and what people report.

Knows the canonical format and one topic; must not know who sent an event or who reads it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from monitor.core.model.events import Event
from monitor.decode.canonical import encode
from monitor.kafka.connection import Connector
from monitor.kafka.errors import KafkaProblem
from monitor.kafka.settings import KafkaSettings
from monitor.ports import NOT_AT_HAND, Appended, Unavailable

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

    async def append(self, events: Sequence[Event], bodies: Sequence[bytes] = ()) -> Appended:
        """Return once all in-sync replicas have the events; those of one service keep their order.

        `bodies`: each event's JSON as `Batch` has it, which is written as it is; nothing at all where none is at hand.

        Raises Unavailable: then some of the events may be there already, and sending all again does no harm. That
        holds too for what a person must mend (a login, a permission): a sender can only send again later.
        """
        if not events:
            return Appended(())

        told = bodies or (NOT_AT_HAND,) * len(events)

        async def send(producer: AIOKafkaProducer) -> None:
            each = zip(events, told, strict=True)
            await asyncio.gather(*[await self._send(producer, event, body or encode(event)) for event, body in each])

        await self._write_or_unavailable(send)
        return Appended((True,) * len(events))

    async def _write_or_unavailable(self, send: Callable[[AIOKafkaProducer], Awaitable[None]]) -> None:
        """Raises Unavailable."""
        try:
            await self._durably(send)
        except KafkaProblem as error:
            raise Unavailable(str(error)) from error

    async def _durably(self, send: Callable[[AIOKafkaProducer], Awaitable[None]]) -> None:
        """Raises Unavailable, KafkaProblem."""
        producer = await self._connected()
        try:
            async with self._connector.patience("to make events durable"):
                await send(producer)
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

    async def _send(self, producer: AIOKafkaProducer, event: Event, body: bytes) -> asyncio.Future[Any]:
        return await self._send_one(producer, event, body)

    async def _send_one(
        self,
        producer: AIOKafkaProducer,
        event: Event,
        body: bytes,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> asyncio.Future[Any]:
        received_at = event.time if event.received_at is None else event.received_at
        sent: asyncio.Future[Any] = await producer.send(
            self._topic,
            body,
            key=(event.service or event.source).encode(),
            partition=partition,
            headers=list(headers),
            # Rounded up: a reader that takes this for the receipt must not find the event's own a little later.
            timestamp_ms=-(-received_at // _MICROSECONDS_PER_MILLISECOND),
        )
        return sent

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        await self._connector.close_producer(producer)
