"""A topic that cannot be read is halted by name, the others go on, and it is resumed where it stood."""

from __future__ import annotations

import pytest

from monitor.app.metrics import Metrics
from monitor.core.model.events import MINUTE, SECOND
from monitor.kafka.halts import MemoryBook
from monitor.ops.clock import ManualClock
from tests.integration.kafka.conftest import KAFKA, NOON, Cluster, MakeReader, canonical, ids, read_all

pytestmark = KAFKA

BROKEN = b"not an event"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON + 10 * MINUTE)


async def test_a_run_of_rejects_halts_its_topic_and_no_other(
    cluster: Cluster, make_reader: MakeReader, topic: str, metrics: Metrics, clock: ManualClock
) -> None:
    bad, book = f"{topic}-bad", MemoryBook()
    for name in (topic, bad):
        await cluster.create(name)
    await cluster.produce(bad, *[BROKEN] * 9)
    await cluster.produce(topic, *(canonical(str(n), n) for n in range(20)))
    reader = make_reader(book=book, clock=clock, with_settings={"reject_limit": 4}, **{topic: "events", bad: "events"})

    batches = await read_all(reader)

    assert ids(batches) == [str(n) for n in range(20)]
    assert sum(len(batch.rejects) for batch in batches) == 4
    assert batches[-1].positions == {f"{topic}/0": 20, f"{bad}/0": 4}
    assert batches[-1].at_head
    said = await reader.trouble()
    assert said is not None
    assert f"4 messages in a row cannot be read, the last at {bad}/0 offset 3" in said
    assert f"`nearmiss topics resume {bad}`" in said
    assert "nearmiss_kafka_halted_topics 1.0" in metrics.render().decode()

    await cluster.produce(topic, canonical("later", 30))
    await reader.wait(10)
    assert ids(await read_all(reader, batches[-1].positions)) == ["later"]


async def test_a_halted_topic_goes_on_where_it_stood(
    cluster: Cluster, make_reader: MakeReader, topic: str, metrics: Metrics, clock: ManualClock
) -> None:
    bad, book = f"{topic}-bad", MemoryBook()
    for name in (topic, bad):
        await cluster.create(name)
    await cluster.produce(bad, *[BROKEN] * 5, canonical("good at last"))
    topics = {topic: "events", bad: "events"}
    reader = make_reader(book=book, clock=clock, with_settings={"reject_limit": 4}, **topics)
    halted = (await read_all(reader))[-1]
    # A restart does not resume it.
    again = make_reader(book=book, clock=clock, with_settings={"reject_limit": 4}, **topics)
    assert (await read_all(again, halted.positions))[-1].positions == halted.positions

    assert await book.resume(bad)
    clock.advance(6 * SECOND)

    for each in (reader, again):
        rest = await read_all(each, halted.positions)
        assert ids(rest) == ["good at last"]
        assert sum(len(batch.rejects) for batch in rest) == 1
        assert await each.trouble() is None
    assert "nearmiss_kafka_halted_topics 0.0" in metrics.render().decode()


async def test_good_messages_between_rejects_end_the_run(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    for number in range(5):
        await cluster.produce(topic, BROKEN, None, BROKEN, canonical(str(number), number))

    batches = await read_all(make_reader(with_settings={"reject_limit": 3}, **{topic: "events"}))

    assert ids(batches) == [str(number) for number in range(5)]
    assert sum(len(batch.rejects) for batch in batches) == 10


async def test_without_a_limit_nothing_is_halted(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, *[BROKEN] * 150)

    batches = await read_all(make_reader(with_settings={"reject_limit": 0}, **{topic: "events"}))

    assert sum(len(batch.rejects) for batch in batches) == 150


async def test_time_stands_still_while_every_topic_is_halted(
    cluster: Cluster, make_reader: MakeReader, topic: str, clock: ManualClock
) -> None:
    """Else windows would pass in a silence that is ours."""
    await cluster.create(topic)
    await cluster.produce(topic, *[BROKEN] * 9)
    reader = make_reader(clock=clock, with_settings={"reject_limit": 2}, **{topic: "events"})

    batch = await reader.read({}, 100)
    await reader.wait(0.01)
    rest = await reader.read(batch.positions, 100)

    assert (len(batch.rejects), batch.at_head, batch.positions) == (2, False, {f"{topic}/0": 2})
    assert (rest.rejects, rest.at_head, rest.positions) == ((), False, {f"{topic}/0": 2})
