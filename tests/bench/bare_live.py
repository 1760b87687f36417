"""The reference for live reading: aiokafka's `getmany`, msgspec, and the same rows by asyncpg in batches of 1,000.

`python -m tests.bench.bare_live BOOTSTRAP TOPIC PARTITIONS DATABASE EVENTS WAY` prints seconds of wall and of processor
time. WAY is `insert` or `copy`. The rows are those that the service writes into the same table, whose events tell when
they were received.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import datetime
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # comes without types
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from monitor.core.model.events import to_text

BATCH = 1000
COLUMNS = ("source", "event_id", "at", "service", "kind", "body")
INSERT = (
    "INSERT INTO event_history (source, event_id, at, service, kind, body) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT DO NOTHING"
)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

Row = tuple[Any, ...]


async def run(bootstrap: str, topic: str, partitions: int, url: str, events: int, way: str) -> tuple[float, float]:
    """Wall and processor seconds from the first fetch to the last commit."""
    decode, encode = msgspec.json.Decoder(dict[str, Any]).decode, msgspec.json.Encoder().encode
    connection = await asyncpg.connect(url)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    await consumer.start()
    places = [TopicPartition(topic, number) for number in range(partitions)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    began, used = time.perf_counter(), time.process_time()
    rows: list[Row] = []
    written = 0
    while written < events:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=BATCH)).values():
            for record in records:
                event = decode(record.value)
                since = datetime.fromisoformat(event["time"]) - _EPOCH
                at = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
                event["received_at"] = to_text(record.timestamp * 1000)
                rows.append((event["source"], event["id"], at, event.get("service"), event["kind"], encode(event)))
        while len(rows) >= BATCH or written + len(rows) >= events > written:
            async with connection.transaction():
                await _write(connection, rows[:BATCH], way)
            written += len(rows[:BATCH])
            del rows[:BATCH]
    figures = time.perf_counter() - began, time.process_time() - used
    await consumer.stop()
    await connection.close()
    return figures


async def _write(connection: Any, rows: list[Row], way: str) -> None:
    if way == "copy":
        await connection.copy_records_to_table("event_history", records=rows, columns=COLUMNS)
    else:
        await connection.executemany(INSERT, rows)


def main() -> None:
    bootstrap, topic, partitions, url, events, way = sys.argv[1:]
    print(*asyncio.run(run(bootstrap, topic, int(partitions), url, int(events), way)))


if __name__ == "__main__":
    main()
