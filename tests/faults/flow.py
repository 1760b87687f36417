"""Senders that deliver a stream while something fails, as tools do: what was not acknowledged is sent again.

Part of it comes by webhook, part lies in a topic that the service carries over. Decides when what is sent; must not
know what fails.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Self

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from monitor.kafka.connection import Connector
from monitor.kafka.settings import KafkaSettings

_SENDERS = 4
_APART = 7
"""Deliveries that the quickest sender may be ahead of the slowest: far less event time than the lateness allows."""
_EVERY_FIFTH = 5
_PAUSE = 0.25
_REQUEST_SECONDS = 30.0
_STOP_SECONDS = 5.0


class Flow:
    """Sends `bodies` in their order, some at a time. Use it with `with`; inside, it sends.

    `addresses`: of the processes that take webhooks in. `read_of_topic`: how many messages of `topic` were carried
    over, None while nobody can tell; without a topic everything comes by webhook.
    """

    def __init__(
        self,
        bodies: Sequence[bytes],
        addresses: Sequence[str],
        *,
        bootstrap: str = "",
        topic: str = "",
        read_of_topic: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.errors: list[BaseException] = []
        self._bodies = bodies
        self._addresses = addresses
        self._bootstrap, self._topic, self._read_of_topic = bootstrap, topic, read_of_topic
        self._changed = threading.Condition()
        self._next = 0
        self._allowed = len(bodies)
        self._under_way: set[int] = set()
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._work, name=f"sender-{n}") for n in range(_SENDERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    @property
    def acknowledged(self) -> int:
        """Deliveries that are done, and all before them."""
        with self._changed:
            return min(self._under_way, default=self._next)

    @property
    def is_done(self) -> bool:
        return self.acknowledged == len(self._bodies)

    def hold_at(self, share: float) -> None:
        """Send no further than this share of the deliveries, until another is told."""
        with self._changed:
            self._allowed = int(share * len(self._bodies))
            self._changed.notify_all()

    def wait_for(self, share: float, within: float) -> None:
        """Until this share of the deliveries is acknowledged. Raises what a sender met that it must not meet."""
        goal = int(share * len(self._bodies))

        def reached() -> bool:
            return bool(self.errors) or min(self._under_way, default=self._next) >= goal

        with self._changed:
            came = self._changed.wait_for(reached, within)
            at = min(self._under_way, default=self._next)
        if self.errors:
            raise self.errors[0]
        assert came, f"{at} of {len(self._bodies)} deliveries were acknowledged, {goal} expected; {dict(self.counts)}"

    def _work(self) -> None:
        try:
            with httpx.Client(timeout=_REQUEST_SECONDS, trust_env=False) as http:
                while (number := self._take()) is not None:
                    if self._topic and number % _EVERY_FIFTH == 0:
                        self._put_into_topic(self._bodies[number])
                    else:
                        self._post(http, number, self._bodies[number])
                    with self._changed:
                        self._under_way.discard(number)
                        self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - handed to the test, which fails with it
            self.errors.append(error)
            with self._changed:
                self._changed.notify_all()

    def _take(self) -> int | None:
        with self._changed:
            self._changed.wait_for(self._may_go_on)
            if self._end.is_set() or self._next == len(self._bodies):
                return None
            number, self._next = self._next, self._next + 1
            self._under_way.add(number)
            return number

    def _may_go_on(self) -> bool:
        first = min(self._under_way, default=self._next)
        is_turn = self._next < self._allowed and self._next - first < _APART
        return self._end.is_set() or self._next == len(self._bodies) or is_turn

    def _post(self, http: httpx.Client, number: int, body: bytes) -> None:
        """To one after the other, until somebody has acknowledged it."""
        for turn in itertools.count(number):
            if self._end.is_set():
                return
            address = self._addresses[turn % len(self._addresses)]
            try:
                answer = http.post(
                    f"{address}/ingest/events", content=body, headers={"content-type": "application/x-ndjson"}
                )
            except httpx.TransportError:
                self.counts["unanswered"] += 1
            else:
                if answer.status_code == 202:
                    assert answer.json()["rejected"] == []
                    self.counts["acknowledged"] += 1
                    return
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["retry-after"]) > 0
                self.counts["refused"] += 1
            self._end.wait(_PAUSE)

    def _put_into_topic(self, body: bytes) -> None:
        while not self._end.is_set():
            try:
                end = asyncio.run(_produce(self._bootstrap, self._topic, body.splitlines()))
            except (KafkaError, TimeoutError, OSError):
                self.counts["unproduced"] += 1
                self._end.wait(_PAUSE)
                continue
            self.counts["produced"] += 1
            while not self._end.is_set():
                read = self._read_of_topic()
                if read is not None and read >= end:
                    return
                self._end.wait(_PAUSE)


async def _produce(bootstrap: str, topic: str, lines: Sequence[bytes]) -> int:
    """Write them durably; where the topic's one partition ends after them."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    async with asyncio.timeout(_REQUEST_SECONDS):
        try:
            await producer.start()
            sent = [await producer.send(topic, line, partition=0) for line in lines]
            return int(max([(await each).offset for each in sent])) + 1
        finally:
            # With its broker away the library's own way to stop may wait for ever, and with it the end of the test.
            settings = KafkaSettings(bootstrap=bootstrap, topics={topic: "events"}, journal=topic)
            await Connector(settings, timeout=_STOP_SECONDS, refresh=_REQUEST_SECONDS).close_producer(producer)
