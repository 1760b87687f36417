"""Sends what could not be read to a topic for dead letters, after it was kept: at least once, with its coordinates.

Knows rejects and one topic; must not know why something could not be read or who looks at the letters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from monitor.core.model.events import to_text
from monitor.kafka.connection import Connector
from monitor.kafka.errors import KafkaProblem
from monitor.kafka.metrics import KafkaMetrics
from monitor.kafka.settings import KafkaSettings
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ports import Forwarding, Reject, Unavailable

_log = get_logger("kafka")

_MICROSECONDS_PER_MILLISECOND = 1000
_REFRESH = 300.0
_LETTERS = 200
_LARGEST = 900_000
"""Bytes of a body that are sent: below what brokers take by default. The whole body lies at the coordinates."""
_LARGEST_DETAIL = 1000
_EVERY_SECONDS = 1.0
_LONGEST_PAUSE = 60.0

DEFAULT_TIMEOUT = 10.0


class DeadLetters:
    """Moves rejects that wait to the topic `kafka.dead_letter`.

    A letter has the body and the headers of the message, and in headers of its own the topic, partition and offset that
    it lay at (`nearmiss-topic`, `nearmiss-partition`, `nearmiss-offset`), its decoder, the reason and the detail, and
    when it was received. `timeout` in seconds: how long the brokers may take.
    """

    def __init__(
        self, settings: KafkaSettings, rejects: Forwarding, metrics: KafkaMetrics, *, timeout: float = DEFAULT_TIMEOUT
    ) -> None:
        """Raises UnusableCertificate; connects to nothing yet."""
        self._topic = settings.dead_letter
        self._rejects = rejects
        self._metrics = metrics
        self._connector = Connector(settings, timeout, _REFRESH)
        self._producer: AIOKafkaProducer | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Forward until `stop` is set. Trouble is logged and tried again, less and less often."""
        pause = _EVERY_SECONDS
        try:
            while not stop.is_set():
                try:
                    while await self.forward():
                        pause = _EVERY_SECONDS
                except (KafkaProblem, Unavailable) as error:
                    if pause == _EVERY_SECONDS:
                        _log.warning("dead_letters_wait", topic=self._topic, why=str(error))
                    pause = min(pause * 2, _LONGEST_PAUSE)
                if await stopped_within(stop, pause):
                    return
        finally:
            await self.close()

    async def forward(self) -> int:
        """Send the oldest that wait, and tell how many; they are marked only once the brokers have them.

        Raises KafkaProblem, Unavailable: then some may have been sent, and will be sent again.
        """
        letters = await self._rejects.to_forward(_LETTERS)
        if not letters:
            return 0
        if self._producer is None:
            self._producer = await self._connector.producer()
        try:
            async with self._connector.patience("to take dead letters"):
                sent = [await self._send(self._producer, letter) for letter in letters]
                await asyncio.gather(*sent)
        except BaseException:
            await self.close()
            raise
        await self._rejects.mark_forwarded([letter.id for letter in letters if letter.id is not None])
        self._metrics.kafka_dead_letters.inc(len(letters))
        return len(letters)

    async def close(self) -> None:
        """Close the connection; what was not marked is sent again next time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await self._connector.close_producer(producer)

    async def _send(self, producer: AIOKafkaProducer, letter: Reject) -> asyncio.Future[object]:
        sent: asyncio.Future[object] = await producer.send(
            self._topic,
            letter.body[:_LARGEST],
            key=_place(letter),
            headers=_headers(letter),
            timestamp_ms=letter.received_at // _MICROSECONDS_PER_MILLISECOND,
        )
        return sent


def _place(letter: Reject) -> bytes:
    names = ("kafka-topic", "kafka-partition", "kafka-offset")
    return "/".join(letter.headers.get(name, "") for name in names).encode()


def _headers(letter: Reject) -> Sequence[tuple[str, bytes]]:
    """What was there, then what we say: of equal names Kafka's clients take the last."""
    own = {
        "topic": letter.headers.get("kafka-topic", ""),
        "partition": letter.headers.get("kafka-partition", ""),
        "offset": letter.headers.get("kafka-offset", ""),
        "decoder": letter.source,
        "reason": letter.reason,
        "detail": letter.detail[:_LARGEST_DETAIL],
        "received-at": to_text(letter.received_at) or "",
    }
    if len(letter.body) > _LARGEST:
        own["truncated-from"] = str(len(letter.body))
    theirs = [(name, value) for name, value in letter.headers.items() if not name.startswith("kafka-")]
    return [
        *((name, value.encode()) for name, value in theirs),
        *((f"nearmiss-{name}", value.encode()) for name, value in own.items()),
    ]
