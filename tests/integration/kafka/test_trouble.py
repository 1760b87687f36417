"""When something is wrong with the broker or the positions, it is said by name and nothing is skipped."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from monitor.app.metrics import Metrics
from monitor.core.model.reasons import Rejected
from monitor.kafka.errors import LoginRefused, MissingTopics, PositionLost
from monitor.kafka.settings import KafkaSettings
from monitor.ops.tasks import WatchedTasks
from monitor.ports import Unavailable
from tests.integration.kafka.conftest import KAFKA, Cluster, MakeReader, canonical, ids, read_all
from tests.integration.kafka.logins import login, reader_of
from tests.support.kafka import SASL_PASSWORD

pytestmark = KAFKA


async def test_a_missing_topic_is_named_and_not_created(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    absent = f"{topic}-absent"

    with pytest.raises(MissingTopics, match=rf"{absent} not found .* Create them") as caught:
        await make_reader(**{topic: "events", absent: "events"}).start()

    assert caught.value.topics == (absent,)
    assert absent not in await cluster.admin.list_topics()


async def test_start_is_content_when_the_topics_are_there(
    cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a"))
    reader = make_reader(**{topic: "events"})

    await reader.start()

    assert ids(await read_all(reader)) == ["a"]


async def test_a_position_that_retention_removed_is_an_error(
    cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, *(canonical(str(n)) for n in range(6)))
    await cluster.admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=4)})
    key = f"{topic}/0"

    with pytest.raises(PositionLost, match=r"offset 1, but the topic holds 4 to 6: .*removed 3 entries") as caught:
        await make_reader(**{topic: "events"}).read({key: 1}, 10)

    assert (caught.value.position, caught.value.first, caught.value.end) == (1, 4, 6)
    assert ids(await read_all(make_reader(**{topic: "events"}), {key: 4})) == ["4", "5"]


async def test_retention_that_overtakes_a_reader_is_an_error(
    cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a"))
    reader = make_reader(**{topic: "events"})
    [batch] = await read_all(reader)
    # Away from the broker while records come and go, as after a long pause.
    await reader.close()
    await cluster.produce(topic, *(canonical(str(n)) for n in range(3)))
    await cluster.admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=3)})

    with pytest.raises(PositionLost, match="offset 1, but the topic holds 3 to 4"):
        await reader.read(batch.positions, 10)


async def test_a_position_beyond_the_end_is_an_error(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a"))

    with pytest.raises(PositionLost, match=r"offset 9, but the topic holds 0 to 1: .*recreated"):
        await make_reader(**{topic: "events"}).read({f"{topic}/0": 9}, 10)


async def test_a_position_of_a_partition_that_is_gone_is_an_error(
    cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    await cluster.create(topic)

    with pytest.raises(PositionLost, match=f"{topic}/5"):
        await make_reader(**{topic: "events"}).read({f"{topic}/5": 1}, 10)


async def test_nobody_listening_is_unavailable(metrics: Metrics) -> None:
    settings = KafkaSettings(bootstrap="127.0.0.1:1", topics={"t": "events"}, journal="t")
    reader = reader_of(settings, metrics, timeout=2.0)

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        await reader.start()
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        await reader.read({}, 1)


@pytest.mark.parametrize("password", [SASL_PASSWORD, "wrong"])
async def test_a_login_is_used_and_a_wrong_one_is_named(
    cluster: Cluster, metrics: Metrics, topic: str, password: str
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a"))
    reader = reader_of(login(cluster.broker, topic, password=password), metrics)
    try:
        if password == "wrong":
            with pytest.raises(LoginRefused, match=r"kafka\.password") as caught:
                await reader.start()
            assert "wrong" not in str(caught.value)
        else:
            assert ids(await read_all(reader)) == ["a"]
    finally:
        await reader.close()


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_broker_with_an_unknown_certificate_is_named(
    cluster: Cluster, metrics: Metrics, topic: str, is_known: bool
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a"))
    settings = KafkaSettings(
        bootstrap=cluster.broker.tls_bootstrap,
        topics={topic: "events"},
        journal=topic,
        security_protocol="SSL",
        ca_file=cluster.broker.certificate if is_known else None,
    )
    reader = reader_of(settings, metrics)
    try:
        if is_known:
            assert ids(await read_all(reader)) == ["a"]
        else:
            with pytest.raises(LoginRefused, match=r"certificate verify failed.*kafka\.ca_file"):
                await reader.start()
    finally:
        await reader.close()


async def test_a_read_that_is_cancelled_loses_nothing(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    """Wherever it is cut off: what was fetched and not handed out is fetched again."""
    await cluster.create(topic, partitions=2)
    for partition in range(2):
        await cluster.produce(topic, *(canonical(f"{partition}-{n}", n) for n in range(30)), partition=partition)
    reader = make_reader(**{topic: "events"})
    batch = await reader.read({}, 5)
    seen = ids([batch])
    for steps in range(12):
        async with WatchedTasks() as tasks:
            tasks.start("read", reader.read(batch.positions, 5), may_end=True)
            for _ in range(steps):
                await asyncio.sleep(0)
        batch = await reader.read(batch.positions, 3)
        seen += ids([batch])

    seen += ids(await read_all(reader, batch.positions))

    assert sorted(seen) == sorted(f"{partition}-{n}" for partition in range(2) for n in range(30))


async def test_a_message_that_is_too_large_is_a_reject_and_the_stream_goes_on(
    cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    await cluster.create(topic, max_message_bytes=str(8 * 1024**2))
    async with AIOKafkaProducer(bootstrap_servers=cluster.broker.bootstrap, max_request_size=8 * 1024**2) as producer:
        await producer.send_and_wait(topic, canonical("large", title="x" * 6 * 1024**2))
    await cluster.produce(topic, canonical("next"))

    batches = await read_all(make_reader(**{topic: "events"}))

    assert ids(batches) == ["next"]
    assert [reject.reason for batch in batches for reject in batch.rejects] == [Rejected.TOO_LARGE]
