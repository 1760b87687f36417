"""Files for the encryption that cannot be used are named before anything connects; what cannot be closed is left."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from monitor.kafka.connection import Connector
from monitor.kafka.errors import UnusableCertificate
from monitor.kafka.settings import KafkaSettings


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("this is no certificate")
    settings = KafkaSettings(
        bootstrap="a:1", topics={"t": "events"}, journal="t", security_protocol="SSL", ca_file=file
    )

    with pytest.raises(UnusableCertificate, match=r"kafka\.ca_file.*expected certificates in PEM format"):
        Connector(settings, timeout=1, refresh=1)


class Stuck:
    """A producer whose broker is gone: its sender finishes a request first, which waits for a client that is closed."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._sender: Any = self
        self.client = Client()
        self.sender = tasks.create_task(self._send(tasks))

    async def _send(self, tasks: asyncio.TaskGroup) -> None:
        request = tasks.create_task(asyncio.Event().wait())
        try:
            await asyncio.wait([request])
        except asyncio.CancelledError:
            await request

    async def stop(self) -> None:
        raise KafkaConnectionError

    async def close(self) -> None:
        self.sender.cancel()
        await self.sender


class Client:
    closed = False

    async def close(self) -> None:
        self.closed = True
        raise OSError("gone")


async def test_a_producer_that_cannot_be_closed_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.kafka.connection._GIVE_UP_SECONDS", 0.01)
    connector = Connector(KafkaSettings(bootstrap="a:1", topics={"t": "events"}, journal="t"), timeout=0.01, refresh=1)

    async with asyncio.TaskGroup() as tasks:
        producer = Stuck(tasks)
        await asyncio.sleep(0)
        await connector.close_producer(cast("AIOKafkaProducer", producer))

    assert producer.client.closed
    assert producer.sender.done()
