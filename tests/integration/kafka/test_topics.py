"""Topics of every sort: by pattern, compacted, in another cluster, with larger or framed bodies, without rights."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from monitor.app.metrics import Metrics
from monitor.core.model.events import SECOND, Instant
from monitor.core.model.reasons import Rejected
from monitor.kafka.errors import LoginRefused, MissingTopics, TopicForbidden, WrongCluster
from monitor.kafka.halts import MemoryBook
from monitor.kafka.settings import KafkaSettings
from monitor.kafka.writer import KafkaWriter
from monitor.ports import Unavailable
from tests.integration.kafka.conftest import KAFKA, NOON, Cluster, MakeReader, canonical, ids, read_all
from tests.integration.kafka.logins import grant, login, reader_of
from tests.integration.kafka.test_writing import note
from tests.support.kafka import GUEST

pytestmark = KAFKA


async def test_a_pattern_reads_topics_that_come_later(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    await cluster.create(f"{topic}-team-a")
    await cluster.produce(f"{topic}-team-a", canonical("a", 1))
    await cluster.create(f"{topic}-team-dead")
    await cluster.produce(f"{topic}-team-dead", b"a letter")
    reader = make_reader(
        refresh=0.2,
        with_settings={"dead_letter": f"{topic}-team-dead"},
        **{topic: "events", f"{topic}-team-*": "events"},
    )
    batches = await read_all(reader)

    await cluster.create(f"{topic}-team-b", partitions=2)
    await cluster.produce(f"{topic}-team-b", canonical("b", 2), partition=1)
    while "b" not in ids(batches):
        await reader.wait(0.1)
        batches.append(await reader.read(batches[-1].positions, 10))

    assert ids(batches) == ["a", "b"]
    assert {f"{topic}-team-b/0", f"{topic}-team-b/1"} <= batches[-1].positions.keys()
    assert not any("dead" in key for key in batches[-1].positions)


async def test_a_name_goes_before_a_pattern(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    await cluster.create(f"{topic}-x")
    await cluster.produce(f"{topic}-x", canonical("a"))

    batches = await read_all(make_reader(**{f"{topic}-*": "alertmanager", f"{topic}-x": "events", topic: "events"}))

    assert ids(batches) == ["a"]


async def test_a_compacted_topic_has_gaps(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    """What compaction removed was told again later; the offsets between are no loss."""
    await cluster.create(
        topic, cleanup_policy="compact", segment_ms="1", min_cleanable_dirty_ratio="0.01", delete_retention_ms="0"
    )
    for number in range(6):
        # A segment is closed by the time of the record that comes next, and only closed ones are cleaned.
        await cluster.produce(topic, canonical(f"value {number}", number), at=Instant(NOON + number * SECOND))
    reader = make_reader(**{topic: "events"})
    async with asyncio.timeout(60):
        while "value 0" in ids(batches := await read_all(reader)):
            await reader.wait(0.1)

    found = ids(batches)
    assert batches[-1].at_head
    [end] = batches[-1].positions.values()
    assert len(found) < end
    inside = await read_all(make_reader(**{topic: "events"}), {f"{topic}/0": 2})
    assert ids(inside)[-1] == "value 5"


async def test_structured_and_binary_cloudevents(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    envelopes = f"{topic}-envelopes"
    for name in (topic, envelopes):
        await cluster.create(name)
    attributes = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/chat",
        "type": "nearmiss.note.added",
        "time": "2026-01-01T12:00:03Z",
    }
    whole = {**attributes, "datacontenttype": "application/json", "data": {"service": "checkout", "title": "odd"}}
    structured = [("content-type", b"application/cloudevents+json; charset=utf-8")]
    await cluster.produce(envelopes, json.dumps(whole).encode(), headers=structured)
    binary = [(f"ce_{name}", value.encode()) for name, value in {**attributes, "id": "e-2"}.items()]
    await cluster.produce(
        envelopes, b'{"service": "checkout"}', headers=[*binary, ("content-type", b"application/json")]
    )

    batches = await read_all(make_reader(**{topic: "events", envelopes: "cloudevents"}))

    assert ids(batches) == ["e-1", "e-2"]
    assert [event.service for batch in batches for event in batch.events] == ["checkout", "checkout"]


async def test_a_schema_registrys_envelope_is_named(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    framed = b"\0" + (42).to_bytes(4, "big") + canonical("a")
    await cluster.produce(topic, framed, canonical("b"))

    [batch] = await read_all(make_reader(**{topic: "events"}))

    [reject] = batch.rejects
    assert (reject.reason, reject.body) == (Rejected.SCHEMA_FRAMED, framed)
    assert "magic byte 0 and schema 42 of a schema registry" in reject.detail
    assert "plain JSON" in reject.detail
    assert ids([batch]) == ["b"]


async def test_a_body_larger_than_a_fetch_is_fetched_and_named(
    cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    size = 17 * 1024**2
    await cluster.create(topic, max_message_bytes=str(size + 2048))
    async with AIOKafkaProducer(bootstrap_servers=cluster.broker.bootstrap, max_request_size=size + 4096) as producer:
        await producer.send_and_wait(topic, b" " * size)
    await cluster.produce(topic, canonical("next"))

    batches = await read_all(make_reader(**{topic: "events"}))

    assert ids(batches) == ["next"]
    assert [(each.reason, len(each.body)) for batch in batches for each in batch.rejects] == [
        (Rejected.TOO_LARGE, size)
    ]


async def test_a_database_of_another_cluster_is_refused(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    book = MemoryBook()
    await book.bind("kafka", "another-cluster")
    reader = make_reader(book=book, **{topic: "events"})
    said = r"belong to cluster another-cluster; nothing was read.*--new-cluster"

    with pytest.raises(WrongCluster, match=said):
        await reader.start()
    with pytest.raises(WrongCluster, match=said):
        await reader.read({}, 1)


async def test_the_gap_is_counted_where_the_operator_chose_to_go_on(
    cluster: Cluster, make_reader: MakeReader, topic: str, metrics: Metrics
) -> None:
    await cluster.create(topic, partitions=2)
    await cluster.produce(topic, *(canonical(str(n)) for n in range(6)))
    await cluster.admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=4)})
    reader = make_reader(with_settings={"on_lost_position": "continue"}, **{topic: "events"})

    # The first is older than what is kept, the others are beyond what there is: a topic that was created anew.
    batches = await read_all(reader, {f"{topic}/0": 1, f"{topic}/1": 7, f"{topic}/2": 3})
    again = await read_all(reader, {f"{topic}/0": 1, f"{topic}/1": 7, f"{topic}/2": 3})

    assert ids(batches) == ids(again) == ["4", "5"]
    rendered = metrics.render().decode()
    assert "nearmiss_kafka_positions_lost_total 3.0" in rendered
    assert "nearmiss_kafka_messages_lost_total 3.0" in rendered


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_a_salted_login(cluster: Cluster, metrics: Metrics, topic: str, mechanism: str) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a"))
    reader = reader_of(login(cluster.broker, topic, mechanism=mechanism), metrics)
    try:
        assert ids(await read_all(reader)) == ["a"]
    finally:
        await reader.close()


@pytest.mark.parametrize("has_certificate", [True, False])
async def test_a_certificate_on_both_sides(
    cluster: Cluster, metrics: Metrics, topic: str, has_certificate: bool
) -> None:
    broker = cluster.broker
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a"))
    settings = KafkaSettings(
        bootstrap=broker.mutual_bootstrap,
        topics={topic: "events"},
        journal=topic,
        security_protocol="SSL",
        ca_file=broker.certificate,
        cert_file=broker.client_certificate if has_certificate else None,
        key_file=broker.client_key if has_certificate else None,
    )
    reader = reader_of(settings, metrics)
    try:
        if has_certificate:
            assert ids(await read_all(reader)) == ["a"]
        else:
            with pytest.raises((LoginRefused, Unavailable)):
                await reader.start()
    finally:
        await reader.close()


async def test_each_right_that_is_missing_is_named(cluster: Cluster, metrics: Metrics, topic: str) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a"))
    settings = login(cluster.broker, topic, GUEST)
    reader, writer = reader_of(settings, metrics), KafkaWriter(settings, timeout=5.0)
    try:
        with pytest.raises(MissingTopics, match="grant Describe and Read"):
            await reader.start()
        await grant(cluster.admin, topic, "describe")
        await reader.start()
        with pytest.raises(TopicForbidden, match=rf"not allowed to use {topic}.*permission Read"):
            await read_all(reader)
        await grant(cluster.admin, topic, "read")
        assert ids(await read_all(reader)) == ["a"]
        # A sender is told to come again; what is missing is in the log, for whoever can mend it.
        with pytest.raises(Unavailable, match="lets this user write to no topic; expected the permission Write on"):
            await writer.append([note("b")])
        await grant(cluster.admin, topic, "write")
        await writer.append([note("b")])
    finally:
        await reader.close()
        await writer.close()
