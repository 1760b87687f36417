"""Events come out of real topics whole, in order and once, from exactly the positions that were given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewPartitions

from monitor.app.metrics import Metrics
from monitor.core.model.events import HOUR, MINUTE, SECOND, Instant
from monitor.core.model.reasons import Ignored, Mark, Rejected
from monitor.kafka import decoding
from monitor.kafka.connection import Connector
from monitor.kafka.messages import RecordContent, read_message
from tests.integration.kafka.conftest import KAFKA, NOON, Cluster, MakeReader, canonical, ids, read_all

pytestmark = KAFKA


async def test_events_come_in_the_order_of_the_topic(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a", 2), canonical("b", 1), canonical("c", 3))

    [batch] = await read_all(make_reader(**{topic: "events"}))

    assert ids([batch]) == ["a", "b", "c"]
    assert batch.positions == {f"{topic}/0": 3}
    assert batch.at_head


async def test_an_empty_topic_is_at_its_head(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic, partitions=2)

    batch = await make_reader(**{topic: "events"}).read({}, 10)

    assert (batch.events, batch.at_head, batch.positions) == ((), True, {f"{topic}/0": 0, f"{topic}/1": 0})


async def test_reading_goes_on_after_the_head(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    reader = make_reader(**{topic: "events"})
    before = await reader.read({}, 10)

    await cluster.produce(topic, canonical("a"))
    await reader.wait(30)
    after = await reader.read(before.positions, 10)

    assert ids([before, after]) == ["a"]


async def test_partitions_are_merged_by_event_time(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    """A backlog in one partition must not make the events of another late."""
    await cluster.create(topic, partitions=3)
    for partition in range(3):
        await cluster.produce(
            topic, *(canonical(f"{second:03}", second) for second in range(partition, 300, 3)), partition=partition
        )

    batches = await read_all(make_reader(**{topic: "events"}), limit=7)

    assert ids(batches) == [f"{second:03}" for second in range(300)]
    assert all(len(batch.events) <= 7 for batch in batches)


async def test_a_backlog_longer_than_a_fetch_is_merged_too(
    cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    await cluster.create(topic, partitions=2)
    count = 1300
    for partition in range(2):
        name = "ab"[partition]
        values = [canonical(f"{number:04}{name}", number // 2) for number in range(count)]
        await cluster.produce(topic, *values, partition=partition)

    events = [event for batch in await read_all(make_reader(**{topic: "events"})) for event in batch.events]

    assert len(events) == 2 * count
    assert [event.time for event in events] == sorted(event.time for event in events)


async def test_what_decoding_takes_is_no_delay_of_the_broker(
    cluster: Cluster, make_reader: MakeReader, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic of slow bodies would be fetched, given up after the timeout, and fetched again for ever."""
    under_way: list[str] = []
    meanwhile: list[list[str]] = []
    patience = Connector.patience

    @asynccontextmanager
    async def watched(connector: Connector, what: str) -> AsyncIterator[None]:
        under_way.append(what)
        try:
            async with patience(connector, what):
                yield
        finally:
            under_way.remove(what)

    def noted(*args: Any, **options: Any) -> RecordContent:
        meanwhile.append(list(under_way))
        return read_message(*args, **options)

    monkeypatch.setattr(Connector, "patience", watched)
    monkeypatch.setattr(decoding, "read_message", noted)
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a"), canonical("b"))
    assert ids(await read_all(make_reader(**{topic: "events"}))) == ["a", "b"]
    assert meanwhile == [[], []]


async def test_any_position_resumes_exactly(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic, partitions=2)
    for partition in range(2):
        await cluster.produce(topic, *(canonical(f"{partition}-{n}", n) for n in range(20)), partition=partition)
    whole = {f"{partition}-{n}" for partition in range(2) for n in range(20)}

    first = await make_reader(**{topic: "events"}).read({}, 13)
    rest = await read_all(make_reader(**{topic: "events"}), first.positions, limit=6)

    assert len(first.events) == 13
    assert sorted(ids([first, *rest])) == sorted(whole)


async def test_a_batch_that_was_not_committed_is_read_again(
    cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, *(canonical(str(n), n) for n in range(10)))
    reader = make_reader(**{topic: "events"})

    first = await reader.read({}, 4)
    again = await reader.read({}, 4)
    in_the_middle = await reader.read({f"{topic}/0": 2}, 3)

    assert ids([first]) == ids([again]) == ["0", "1", "2", "3"]
    assert ids([in_the_middle]) == ["2", "3", "4"]


async def test_positions_of_other_journals_pass_through(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)

    batch = await make_reader(**{topic: "events"}).read({"journal": 17}, 10)

    assert batch.positions == {"journal": 17, f"{topic}/0": 0}


async def test_each_topic_has_its_decoder(
    cluster: Cluster, make_reader: MakeReader, topic: str, metrics: Metrics
) -> None:
    alerts, envelopes = f"{topic}-alerts", f"{topic}-envelopes"
    for name in (topic, alerts, envelopes):
        await cluster.create(name)
    await cluster.produce(topic, canonical("plain", 1))
    await cluster.produce(alerts, ALERTMANAGER)
    await cluster.produce(
        envelopes,
        b'{"service": "checkout", "title": "looks odd"}',
        headers=[
            ("ce_specversion", b"1.0"),
            ("ce_id", b"e-7"),
            ("ce_source", b"/chat"),
            ("ce_type", b"nearmiss.note.added"),
            ("ce_time", b"2026-01-01T12:00:03Z"),
            ("content-type", b"application/json"),
        ],
    )

    reader = make_reader(**{topic: "events", alerts: "alertmanager", envelopes: "cloudevents"})
    events = [event for batch in await read_all(reader) for event in batch.events]

    assert [(event.kind, event.service) for event in events] == [
        ("note.added", None),
        ("alert.fired", "checkout"),
        ("note.added", "checkout"),
    ]
    assert events[2].id == "e-7"
    rendered = metrics.render().decode()
    assert 'nearmiss_events_received_total{source="alertmanager"} 1.0' in rendered


async def test_what_cannot_be_read_is_a_reject_and_the_stream_goes_on(
    cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a"))
    await cluster.produce(topic, b"\xff\xfe broken", headers=[("Trace", b"t-1")])
    await cluster.produce(topic, canonical("b"))

    [batch] = await read_all(make_reader(**{topic: "events"}))

    assert ids([batch]) == ["a", "b"]
    [reject] = batch.rejects
    assert (reject.source, reject.body, reject.received_at) == ("events", b"\xff\xfe broken", NOON)
    assert reject.reason in set(Rejected)
    assert reject.headers == {"trace": "t-1", "kafka-topic": topic, "kafka-partition": "0", "kafka-offset": "1"}


async def test_tombstones_and_empty_records_are_ignored_by_name(
    cluster: Cluster, make_reader: MakeReader, topic: str, metrics: Metrics
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, None, b"", canonical("a"), None)

    [batch] = await read_all(make_reader(**{topic: "events"}))

    assert (ids([batch]), batch.rejects, batch.positions) == (["a"], (), {f"{topic}/0": 4})
    assert f'nearmiss_events_ignored_total{{reason="{Ignored.EMPTY}"}} 3.0' in metrics.render().decode()


async def test_the_time_of_the_record_is_the_receipt(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("a", 5), at=Instant(NOON + 9 * SECOND))
    await cluster.produce(topic, canonical("far", 0, time="2099-01-01T00:00:00Z"))
    await cluster.produce(topic, canonical("sent in the future", 5), at=Instant(NOON + HOUR // 2))

    [batch] = await read_all(make_reader(**{topic: "events"}))

    plain, far, sent = sorted(batch.events, key=lambda event: event.id != "a")
    now = NOON + 10 * MINUTE
    assert plain.received_at == NOON + 9 * SECOND
    assert (far.time, far.marks) == (NOON + 5 * MINUTE, (Mark.TIME_IN_FUTURE,))
    assert sent.received_at == now


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_every_compression_is_read(cluster: Cluster, make_reader: MakeReader, topic: str, codec: str) -> None:
    await cluster.create(topic)
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.broker.bootstrap, compression_type=codec, linger_ms=50
    ) as producer:
        sent = [await producer.send(topic, canonical(f"{n:02}", n)) for n in range(50)]
        for each in sent:
            await each

    batches = await read_all(make_reader(**{topic: "events"}), limit=20)

    assert ids(batches) == [f"{n:02}" for n in range(50)]


async def test_only_committed_transactions_are_read(cluster: Cluster, make_reader: MakeReader, topic: str) -> None:
    """Markers of transactions take offsets without being records; the head is reached all the same."""
    await cluster.create(topic)
    async with AIOKafkaProducer(bootstrap_servers=cluster.broker.bootstrap, transactional_id=topic) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, canonical("kept"))
        await producer.begin_transaction()
        await producer.send_and_wait(topic, canonical("taken back"))
        await producer.abort_transaction()

    batches = await read_all(make_reader(**{topic: "events"}))

    assert ids(batches) == ["kept"]
    assert batches[-1].positions == {f"{topic}/0": 4}


async def test_new_partitions_are_picked_up_from_their_beginning(
    cluster: Cluster, make_reader: MakeReader, topic: str
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, canonical("old"))
    reader = make_reader(refresh=0.2, **{topic: "events"})
    batches = await read_all(reader)

    await cluster.admin.create_partitions({topic: NewPartitions(2)})
    async with AIOKafkaProducer(bootstrap_servers=cluster.broker.bootstrap) as producer:
        await producer.send_and_wait(topic, canonical("new"), partition=1)
    while not batches[-1].events or batches[-1].events[-1].id != "new":
        await reader.wait(0.1)
        batches.append(await reader.read(batches[-1].positions, 10))

    assert ids(batches) == ["old", "new"]
    assert batches[-1].positions == {f"{topic}/0": 1, f"{topic}/1": 1}


ALERTMANAGER = b"""{
  "version": "4", "groupKey": "{}:{alertname=\\"QueueFull\\"}", "status": "firing", "receiver": "nearmiss",
  "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alerts.example",
  "truncatedAlerts": 0,
  "alerts": [{
    "status": "firing", "labels": {"alertname": "QueueFull", "service": "checkout", "severity": "warning"},
    "annotations": {"summary": "The queue is filling up"}, "startsAt": "2026-01-01T12:00:02Z",
    "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus.example/g", "fingerprint": "f0e1d2c3b4a59687"
  }]
}"""
