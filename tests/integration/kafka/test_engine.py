"""From Kafka into the database exactly once, whenever the engine is killed."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from zlib import crc32

import pytest
from aiokafka import TopicPartition

from monitor.core.deciding.engine import Engine
from monitor.core.model.events import Event
from monitor.core.model.near_miss import public_line
from monitor.decode.canonical import encode
from monitor.demo.story import CATALOGUE, story
from monitor.lab.ledger import Ledger
from monitor.ops.clock import SystemClock
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.ports import Query
from monitor.store.database import open_store
from tests.integration.kafka.conftest import KAFKA, Cluster
from tests.support.kafka import PROJECT
from tests.support.shipped import read_shipped
from tests.support.waiting import until

pytestmark = [*KAFKA, pytest.mark.faults]

KILLS = 4


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """Six days of an invented web shop that end now, in the order of arrival."""
    return story(SystemClock().now())


@pytest.mark.parametrize("partitions", [1, 3])
async def test_killed_at_random_points(
    cluster: Cluster, topic: str, tmp_path: Path, events: list[Event], partitions: int
) -> None:
    await cluster.create(topic, partitions=partitions)
    database = tmp_path / "nearmiss.db"
    chance = random.Random(7)
    produced = 0
    for piece in _pieces(events, KILLS):
        produced += await _produce(cluster, topic, piece, partitions)
        with _engine(database, cluster.broker.bootstrap, topic) as process:
            before = _read_so_far(database)
            # Somewhere in the midst of it: the piece is longer than a commit by far.
            _wait_for(process, database, min(produced, before + chance.randrange(1, len(piece))))
    with _engine(database, cluster.broker.bootstrap, topic) as process:
        _wait_for(process, database, produced)
        group = f"{topic}-group"
        hinted: dict[TopicPartition, int] = {}
        while sum(hinted.values()) < produced:
            offsets = await cluster.admin.list_consumer_group_offsets(group)
            hinted = {partition: found.offset for partition, found in offsets.items()}

    expected = _expected(events)
    async with open_store(f"sqlite:///{database}") as store:
        records = (await store.near_misses.page(Query(), None, 200)).records
        rejects = await store.rejects.page(None, 100)
    found = {record.draft.id: record for record in records}
    assert len(found) == len(records) >= 13
    lines = {each: public_line(record.draft, record.state, record.reason) for each, record in found.items()}
    assert lines == {entry.draft.id: entry.line() for entry in expected.entries()}
    assert len(rejects) == KILLS
    assert len({(each.headers["kafka-partition"], each.headers["kafka-offset"]) for each in rejects}) == KILLS
    assert _count(database, "event_history") == len(events)


def _pieces(events: Sequence[Event], count: int) -> Iterator[Sequence[Event]]:
    size = -(-len(events) // count)
    for start in range(0, len(events), size):
        yield events[start : start + size]


async def _produce(cluster: Cluster, topic: str, events: Sequence[Event], partitions: int) -> int:
    """The events, each service in a partition of its own, and one message that cannot be read; how many messages."""
    for event in events:
        partition = crc32((event.service or "").encode()) % partitions
        await cluster.send(topic, encode(event), partition=partition, at=event.received_at or event.time)
    await cluster.produce(topic, b"not an event")
    return len(events) + 1


@contextmanager
def _engine(database: Path, bootstrap: str, topic: str) -> Iterator[subprocess.Popen[bytes]]:
    """The engine at work, until it is killed."""
    module = "tests.integration.kafka.engine_process"
    command = [sys.executable, "-m", module, f"sqlite:///{database}", bootstrap, topic]
    process = subprocess.Popen(command, cwd=PROJECT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], database: Path, messages: int) -> None:
    def is_there() -> bool:
        assert process.poll() is None, "the engine ended by itself"
        return _read_so_far(database) >= messages

    until(is_there, f"the engine has read {messages} messages", within=90)


def _read_so_far(database: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT coalesce(sum(position), 0) FROM engine_positions").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # not created yet


def _count(database: Path, table: str) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - a constant


def _expected(events: Sequence[Event]) -> Ledger:
    """What the same events give in one go, up to the last of them."""
    catalogue, _ = load_catalogue(CATALOGUE)
    ledger = Ledger()
    ledger.record(Engine(read_shipped(), catalogue, make_regex).step(events))
    return ledger
