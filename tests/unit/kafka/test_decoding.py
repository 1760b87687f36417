"""Records are decoded whole and in order, and nothing else of the service waits for those that take long."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.core.model.events import MINUTE
from monitor.core.model.reasons import Rejected
from monitor.decode.jsontext import INLINE
from monitor.decode.registry import use_own
from monitor.kafka import decoding
from monitor.kafka.decoding import Decoding
from monitor.kafka.messages import Message, RecordContent, read_message
from monitor.kafka.partition_buffers import PartitionBuffer, merge
from monitor.kafka.settings import KafkaSettings
from monitor.ops.clock import ManualClock
from tests.unit.intake.test_bad_source import LABORIOUS, TOOLS, Turns
from tests.unit.kafka.test_messages import EVENT, NOW, Record

SETTINGS = KafkaSettings.model_validate(
    {"bootstrap": "127.0.0.1:9", "topics": {"ops": "events"}, "journal": "ops", "dead_letter": "dead"}
)
SMALL = json.dumps(EVENT).encode()
LARGE = json.dumps([EVENT | {"id": f"e{number}"} for number in range(INLINE // 60)]).encode()


@pytest.fixture(autouse=True)
def mappings() -> Iterator[None]:
    use_own(TOOLS)
    yield
    use_own([])


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bool, bool]]:
    """For each record that was read: its body, whether nothing else went on meanwhile, and whether in few steps."""
    read: list[tuple[bytes, bool, bool]] = []
    ours = threading.current_thread()

    def watched(message: Message, *args: Any, quick: bool = False, **rest: Any) -> RecordContent:
        read.append((message.value or b"", threading.current_thread() is ours, quick))
        return read_message(message, *args, quick=quick, **rest)

    monkeypatch.setattr(decoding, "read_message", watched)
    return read


def buffer(key: str, source: str, *values: bytes) -> PartitionBuffer:
    made = PartitionBuffer(key, source, position=0, first=0, end=len(values))
    made.fetched = len(values)
    topic, _, partition = key.rpartition("/")
    made.fetched_records.extend(
        Record(topic, int(partition), offset, NOW // 1000, value, ()) for offset, value in enumerate(values)
    )
    return made


def made() -> Decoding:
    return Decoding(SETTINGS, ManualClock(NOW), MINUTE)


async def test_what_takes_long_is_read_beside_everything_else(threads: list[tuple[bytes, bool, bool]]) -> None:
    large, laborious = buffer("ops/0", "events", SMALL, LARGE), buffer("tool/0", "laborious", LABORIOUS)
    assert len(LABORIOUS) <= INLINE < len(LARGE)
    await made().advance([large, laborious])
    assert sorted(threads) == sorted(
        [(SMALL, True, True), (LARGE, False, False), (LABORIOUS, True, True), (LABORIOUS, False, False)]
    )
    assert [len(entry.events) for entry in large.entries] == [1, INLINE // 60]
    assert [reject.reason for entry in laborious.entries for reject in entry.rejects] == [Rejected.MAPPING_OVERRUN]
    assert not large.fetched_records
    assert not laborious.fetched_records


async def test_what_is_read_is_what_reading_at_once_gives() -> None:
    ours, others = buffer("ops/0", "events", SMALL, b"{", LARGE, b""), buffer("x/1", "events", SMALL, b'{"id":"')
    expected = {
        each.key: [
            read_message(record, "events", NOW, MINUTE, forward=True, ours=each is ours)
            for record in each.fetched_records
        ]
        for each in (ours, others)
    }
    await made().advance([ours, others])
    assert {each.key: list(each.entries) for each in (ours, others)} == expected


async def test_others_have_their_turn_between_short_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "SLICE_SECONDS", 0.0)
    turns = Turns(made().advance([buffer("ops/0", "events", *[SMALL] * 50)]))
    await turns
    assert turns.count == 50


async def test_a_round_gives_each_partition_something_and_leaves_the_rest_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise hundreds of slow records would be one step, after which a stop has to begin again from the first."""
    monkeypatch.setattr(decoding, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(decoding, "ROUND_SECONDS", 0.0)
    buffers = [buffer("ops/0", "events", *[SMALL] * 3), buffer("ops/1", "events", *[SMALL] * 2)]
    decoder, handed = made(), []
    while not all(each.is_drained for each in buffers):
        await decoder.advance(buffers)
        assert all(len(each.entries) == 1 for each in buffers if each.size)
        taken = merge(buffers, 10)
        assert taken
        handed += [(each.key, entry.offset) for each, entry in taken]
    assert sorted(handed) == [("ops/0", 0), ("ops/0", 1), ("ops/0", 2), ("ops/1", 0), ("ops/1", 1)]


async def test_where_there_is_no_memory_for_a_thread_the_record_is_read_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    large = buffer("ops/0", "events", LARGE)
    monkeypatch.setattr(threading, "_start_new_thread", lacking)
    with pytest.raises(MemoryError):
        await made().advance([large])
    monkeypatch.undo()
    assert (len(large.entries), len(large.fetched_records)) == (0, 1)
    await made().advance([large])
    assert (len(large.entries), len(large.fetched_records)) == (1, 0)
