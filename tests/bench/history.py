"""`python -m tests.bench.history`: ways to keep the events of a foreign journal, by speed and by bytes an event.

Compares a row an event (as inserted today, and by COPY) with compressed chunks indexed by service and time, on both
databases, and how fast rows of the past are removed. The server is the tests' own, without fsync: the figures compare
ways with one another, not disks.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # comes without types

from monitor.core.model.events import DAY, Event, Instant
from monitor.decode.canonical import decode_line
from monitor.lab.generator import StreamShape, generate
from monitor.ops.clock import SystemClock
from monitor.ports import Commit, Retention
from monitor.store.codec import encode_event
from monitor.store.database import open_store
from monitor.store.journal import EVENT_COLUMNS, event_row
from monitor.store.migrations import upgrade
from tests.support.postgres import PostgresServer

COMMIT = 1000
CHUNKS = "CREATE TABLE chunks (service text, from_at bigint, to_at bigint, events integer, body bytea)"
INDEX = "CREATE INDEX chunks_service_from_at ON chunks (service, from_at)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--services", type=int, default=200)
    given = parser.parse_args()
    shape = StreamShape(given.events, given.services, user_facing=max(1, given.services // 10), seed=1)
    events = [decode_line(line) for line in islice(generate(shape), given.events)]
    body = sum(len(encode_event(event)) for event in events) / len(events)
    print(f"{len(events):,} events of {given.services} services, {body:.0f} bytes of JSON each, {COMMIT:,} a commit")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_through_the_store(f"sqlite:///{folder}/nearmiss.db", "SQLite", events))
        _sqlite_chunks(Path(folder) / "chunks.db", events)
    server = PostgresServer()
    with server.watched():
        server.initialise()
        server.start()
        server.execute("CREATE DATABASE history")
        asyncio.run(upgrade(server.url("history")))
        asyncio.run(_through_the_store(server.url("history"), "PostgreSQL", events))
        asyncio.run(_on_postgresql(server.url("history"), events))
        server.stop()


async def _through_the_store(url: str, name: str, events: Sequence[Event]) -> None:
    async with open_store(url) as store:
        saved = await store.engine_store.acquire("bench")
        before = (await store.retention.kept()).total_bytes
        clock = SystemClock()
        began = clock.monotonic()
        for batch in _batches(events):
            commit = Commit((), {}, {}, saved.epoch, batch[-1].time, history=tuple(batch))
            await store.engine_store.commit(commit)
        took = clock.monotonic() - began
        kept = await store.retention.kept()
        _say(f"{name}: a row an event, through the store", len(events), took, kept.total_bytes - before)
        print(f"    estimated {kept.events_bytes / len(events):.0f} bytes an event")
        began, removed = clock.monotonic(), 0
        now = Instant(events[-1].time + DAY)
        while count := (await store.retention.prune(Retention(events=0), now)).rows["history"]:
            removed += count
        took = clock.monotonic() - began
        print(f"    removed again in steps: {removed / took:,.0f} rows a second")


def _sqlite_chunks(path: Path, events: Sequence[Event]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(CHUNKS)
    connection.execute(INDEX)
    clock = SystemClock()
    began = clock.monotonic()
    for batch in _batches(events):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?)", list(_chunks(batch)))
        connection.execute("COMMIT")
    took = clock.monotonic() - began
    [(size,)] = connection.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
    _say("SQLite: a chunk a service and commit", len(events), took, size)
    connection.close()


async def _on_postgresql(url: str, events: Sequence[Event]) -> None:
    connection = await asyncpg.connect(url)
    clock = SystemClock()
    for name, how in {"executemany": False, "COPY": True}.items():
        await connection.execute("TRUNCATE event_history")
        began = clock.monotonic()
        for batch in _batches(events):
            rows = [event_row(event, encode_event(event)) for event in batch]
            async with connection.transaction():
                if how:
                    await connection.copy_records_to_table("event_history", records=rows, columns=EVENT_COLUMNS)
                else:
                    await connection.executemany(
                        "INSERT INTO event_history (source, event_id, at, service, kind, body) "
                        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                        rows,
                    )
        took = clock.monotonic() - began
        size = await connection.fetchval("SELECT pg_total_relation_size('event_history')")
        _say(f"PostgreSQL: a row an event, {name}", len(events), took, size)
    await connection.execute("DROP INDEX event_history_at, event_history_identity, event_history_service_at")
    await connection.execute("TRUNCATE event_history")
    began = clock.monotonic()
    for batch in _batches(events):
        rows = [event_row(event, encode_event(event)) for event in batch]
        await connection.copy_records_to_table("event_history", records=rows, columns=EVENT_COLUMNS)
    took = clock.monotonic() - began
    size = await connection.fetchval("SELECT pg_total_relation_size('event_history')")
    _say("PostgreSQL: a row an event, COPY, its key as the only index", len(events), took, size)
    await connection.execute(CHUNKS)
    await connection.execute(INDEX)
    for size_of_commit in (COMMIT, 5000):
        await connection.execute("TRUNCATE chunks")
        began = clock.monotonic()
        for batch in _batches(events, size_of_commit):
            async with connection.transaction():
                await connection.executemany("INSERT INTO chunks VALUES ($1, $2, $3, $4, $5)", list(_chunks(batch)))
        took = clock.monotonic() - began
        size = await connection.fetchval("SELECT pg_total_relation_size('chunks')")
        _say(f"PostgreSQL: a chunk a service and commit of {size_of_commit:,}", len(events), took, size)
    await connection.execute("TRUNCATE chunks")
    began = clock.monotonic()
    for batch in _batches(events):
        async with connection.transaction():
            await connection.execute("INSERT INTO chunks VALUES ($1, $2, $3, $4, $5)", *_chunk("", batch))
    took = clock.monotonic() - began
    size = await connection.fetchval("SELECT pg_total_relation_size('chunks')")
    _say("PostgreSQL: one chunk a commit, no service", len(events), took, size)
    await connection.close()


def _batches(events: Sequence[Event], size: int = COMMIT) -> Iterator[Sequence[Event]]:
    for start in range(0, len(events), size):
        yield events[start : start + size]


def _chunks(batch: Sequence[Event]) -> Iterator[tuple[str, int, int, int, bytes]]:
    by_service: dict[str, list[Event]] = {}
    for event in batch:
        by_service.setdefault(event.service or "", []).append(event)
    return (_chunk(service, found) for service, found in by_service.items())


def _chunk(service: str, events: Sequence[Event]) -> tuple[str, int, int, int, bytes]:
    body = zlib.compress(b"\n".join(encode_event(event) for event in events), 1)
    times = [event.time for event in events]
    return service, min(times), max(times), len(events), body


def _say(what: str, count: int, seconds: float, size: int) -> None:
    print(f"{what}: {count / seconds:,.0f} events a second, {size / count:.0f} bytes an event")


if __name__ == "__main__":
    main()
