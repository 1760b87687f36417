"""What is written to the journal's topic is durable, in order, and read back as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from monitor.core.model.events import SECOND, Event, Instant
from monitor.decode.canonical import encode
from monitor.kafka.settings import KafkaSettings
from monitor.kafka.writer import KafkaWriter
from monitor.ports import NOT_AT_HAND, Batch, Unavailable
from tests.integration.kafka.conftest import KAFKA, NOON, Cluster, MakeReader, ids, read_all

pytestmark = KAFKA


@pytest_asyncio.fixture
async def writer(cluster: Cluster, topic: str) -> AsyncIterator[KafkaWriter]:
    """Writes to a topic of three partitions."""
    await cluster.create(topic, partitions=3)
    settings = KafkaSettings(bootstrap=cluster.broker.bootstrap, topics={topic: "events"}, journal=topic)
    writer = KafkaWriter(settings, timeout=2.0)
    yield writer
    await writer.close()


def note(name: str, second: int = 0, service: str | None = "checkout") -> Event:
    at = Instant(NOON + second * SECOND + 123_456)
    return Event(
        id=name, source="test", time=at, kind="note.added", service=service, received_at=Instant(at + 1), title="é\n"
    )


async def test_events_come_back_as_they_were(writer: KafkaWriter, make_reader: MakeReader, topic: str) -> None:
    events = [note(str(second), second, service=f"service-{second % 5}") for second in range(20)]

    appended = await writer.append(events)
    [batch] = await read_all(make_reader(**{topic: "events"}))

    assert (appended.accepted, appended.duplicates) == (20, 0)
    assert list(batch.events) == events


async def test_what_is_at_hand_is_written_as_it_is(writer: KafkaWriter, make_reader: MakeReader, topic: str) -> None:
    events = [note("a", 1), note("b", 2)]
    wide = encode(events[0]).replace(b",", b" , ")

    await writer.append(events, [wide, NOT_AT_HAND])
    [batch] = await read_all(make_reader(**{topic: "events"}))

    assert list(batch.events) == events
    assert batch.bodies == (wide, encode(events[1]))


async def test_events_of_a_service_keep_their_order(writer: KafkaWriter, make_reader: MakeReader, topic: str) -> None:
    await asyncio.gather(writer.append([note("c", 3), note("a", 1)]), writer.append([note("other", 2, service=None)]))
    await writer.append([note("b", 2)])

    found = ids(await read_all(make_reader(**{topic: "events"})))

    assert [name for name in found if name != "other"] == ["c", "a", "b"]


async def test_nothing_to_write_needs_no_broker(topic: str) -> None:
    settings = KafkaSettings(bootstrap="127.0.0.1:1", topics={topic: "events"}, journal=topic)

    assert (await KafkaWriter(settings).append([])).fresh == ()


async def test_a_broker_that_goes_away_is_unavailable_and_both_sides_resume(
    cluster: Cluster, writer: KafkaWriter, make_reader: MakeReader, topic: str
) -> None:
    """One outage for reading and writing: a broker takes ten seconds to come back."""
    await writer.append([note("a", 1), note("b", 2)])
    reader = make_reader(timeout=2.0, **{topic: "events"})
    first = await reader.read({}, 1)
    await asyncio.to_thread(cluster.broker.stop)
    try:
        for _ in range(2):
            with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
                await writer.append([note("again", 3)])
        # What was fetched already may still be handed out; that the head is reached must not be claimed.
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
            await read_all(reader, first.positions)
        with pytest.raises(Unavailable):
            await reader.read(first.positions, 10)
        await reader.wait(0.01)
    finally:
        await asyncio.to_thread(cluster.broker.start)

    rest: list[Batch] = []
    async with asyncio.timeout(60):
        while True:
            try:
                await writer.append([note("again", 3)])
                rest = await read_all(reader, first.positions)
                break
            except Unavailable:
                await asyncio.sleep(0)

    found = ids([first, *rest])
    # What was refused may have been written all the same, and is then there twice: the same event.
    assert found[:2] == ["a", "b"]
    assert set(found[2:]) == {"again"}
