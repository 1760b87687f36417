"""The topic that a real, newer Alertmanager's event recorder writes, read as the page of tools says."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from monitor.ops.clock import SystemClock
from tests.integration.kafka.conftest import KAFKA, Cluster, MakeReader, read_all
from tests.support.recorder import FLAG, RECORDED, SECTION, elsewhere, fire, silence
from tests.support.shop import alertmanager, newer_alertmanager

pytestmark = KAFKA


async def test_its_topic_is_read_as_the_page_says(
    tmp_path: Path, cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    program = newer_alertmanager()
    (form,) = re.findall(r"Kafka topic in the format `(\w+)`", SECTION.text)
    (source,) = re.findall(r"with the source `([\w-]+)`", SECTION.text)
    journal = f"{topic}-journal"
    for name in (topic, journal):
        await cluster.create(name)
    output = {"brokers": [cluster.broker.bootstrap], "topic": topic, "format": form}
    clock = SystemClock()
    deadline = clock.monotonic() + 60
    with alertmanager(tmp_path, elsewhere(kafka_outputs=output), str(program), FLAG) as address:
        silence(address, "DiskFills")
        fire(address, "DiskFills")
        fire(address, "ErrorRate")
        reader = make_reader(**{topic: source, journal: "events"})
        kinds: dict[str, str] = {}
        while Counter(kinds.values()) != RECORDED:
            assert clock.monotonic() < deadline, kinds
            for batch in await read_all(reader):
                kinds |= {str(event.event_id): str(event.kind) for event in batch.events}
                assert batch.rejects == ()
