"""The commands for operators: what they say about a real cluster, and their exit codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewPartitions, RecordsToDelete

from monitor.cli.main import run
from monitor.core.model.events import HOUR, SECOND, Instant
from monitor.kafka.bound_topics import JOURNAL
from monitor.ports import Commit, Halt
from monitor.store.database import open_store
from tests.integration.kafka.conftest import KAFKA, NOON, Cluster, canonical
from tests.integration.kafka.logins import as_guest, grant
from tests.support.service import kafka_environment

pytestmark = KAFKA

Command = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'nearmiss.db'}"


@pytest.fixture
def command(
    cluster: Cluster,
    topic: str,
    database: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Command:
    """`nearmiss` with this topic as its journal; gives the exit code and what was said."""
    environment = kafka_environment(
        cluster.broker.bootstrap,
        topics=f"{topic}=events,{topic}-more*=events",
        journal=topic,
        dead_letter=f"{topic}.dead",
        group=f"{topic}-group",
    )
    for name, value in (environment | {"NEARMISS_DATABASE": database}).items():
        monkeypatch.setenv(name, value)

    async def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = await asyncio.to_thread(run_it, arguments)
        return code, *capfd.readouterr()

    def run_it(arguments: tuple[str, ...]) -> int:
        try:
            return run(list(arguments))
        except SystemExit as end:
            return int(end.code or 0)

    return call


async def at(database: str, positions: dict[str, int]) -> None:
    """An engine stood there."""
    async with open_store(database) as store:
        saved = await store.engine_store.acquire("engine")
        await store.engine_store.commit(Commit((), {}, positions, saved.epoch, NOON))


async def looked_at(command: Command) -> tuple[int, dict[str, Any]]:
    code, out, _ = await command("kafka", "check", "--format", "json")
    return code, json.loads(out)


def said(found: dict[str, Any]) -> list[str]:
    return [f"{each['grade']}: {each['about']}: {each['what']}" for each in found["findings"]]


async def test_topics_are_created_once_and_then_all_is_well(
    cluster: Cluster, command: Command, topic: str, database: str
) -> None:
    code, out, _ = await command("topics", "create", "--dry-run")
    assert code == 0
    assert f"{topic}: would be created (6 partitions, 1 replicas" in out
    assert topic not in await cluster.admin.list_topics()
    assert (await looked_at(command))[0] == 1

    code, out, _ = await command("topics", "create", "--partitions", "2")
    assert code == 0
    assert f"{topic}: created (2 partitions" in out
    assert f"{topic}.dead: created (1 partitions" in out
    code, out, _ = await command("topics", "create", "--partitions", "2")
    assert (code, out.count("is there, as planned")) == (0, 2)
    code, out, _ = await command("topics", "create", "--partitions", "3")
    assert f"{topic}: is there and stays as it is; it differs: partitions 2, planned 3" in out

    await cluster.produce(topic, *(canonical(str(n), n) for n in range(7)), partition=1)
    await at(database, {f"{topic}/0": 0, f"{topic}/1": 3})
    code, found = await looked_at(command)
    assert (code, found["ok"], found["lag"]) == (0, True, 4)
    assert found["codecs"] == ["gzip", "snappy", "lz4", "zstd"]
    [journal, dead] = found["topics"]
    assert journal["rights"] == ["Describe", "Read", "Write"]
    assert [each["lag"] for each in journal["partitions"]] == [0, 4]
    assert (dead["decoder"], dead["topic"]) == (None, f"{topic}.dead")
    assert said(found) == [
        f"warning: {topic}-more*: no topic fits this pattern now; those that come later will be read"
    ]
    code, out, _ = await command("kafka", "check")
    assert code == 0
    assert f"{topic}" in out
    assert "Describe,Read,Write" in out


async def test_everything_that_is_wrong_is_said_at_once(
    cluster: Cluster, command: Command, topic: str, database: str
) -> None:
    await cluster.create(topic)
    await cluster.produce(topic, *(canonical(str(n), n) for n in range(7)))
    await cluster.admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=4)})
    await at(database, {f"{topic}/0": 2})
    async with open_store(database) as store:
        await store.topics.bind(JOURNAL, "another-cluster")
        await store.topics.halt(Halt(f"{topic}-more", NOON, "100 messages in a row cannot be read"))

    code, found = await looked_at(command)

    assert (code, found["ok"]) == (1, False)
    lines = "\n".join(said(found))
    assert "error: cluster: this is cluster" in lines
    assert f"error: {topic}.dead: not found: create it" in lines
    assert f"error: {topic}/0: the position 2 is lost: the topic holds 4 to 7" in lines
    assert f"error: {topic}-more: halted: 100 messages in a row cannot be read" in lines

    code, out, _ = await command("topics", "halted")
    assert (code, f"{topic}-more  since 2026-01-01T12:00:00" in out) == (0, True)
    assert (await command("topics", "resume", f"{topic}-more"))[0] == 0
    code, _, err = await command("topics", "resume", f"{topic}-more")
    assert code == 1
    assert f"not halted: {topic}-more; halted now: none" in err


async def test_missing_rights_are_named(
    cluster: Cluster, command: Command, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cluster.create(topic)
    await grant(cluster.admin, topic, "describe")
    as_guest(cluster.broker, monkeypatch)

    code, found = await looked_at(command)

    assert code == 1
    lines = said(found)
    assert (
        f"error: {topic}: not allowed to Read: grant it (kafka-acls.sh --add --operation Read --topic {topic})" in lines
    )
    assert any(line.startswith(f"error: {topic}: not allowed to Write") for line in lines)
    assert any(line.startswith(f"warning: group {topic}-group: its offsets cannot be kept") for line in lines)
    code, _, err = await command("topics", "create")
    assert code == 1
    assert f"{topic}.dead" in err
    assert "expected the permission Create" in err


async def test_a_cluster_that_is_away_is_named_and_no_database_is_made(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEARMISS_KAFKA__BOOTSTRAP", "127.0.0.1:1")

    code, found = await looked_at(command)

    assert code == 1
    assert any(line.startswith("error: reach: Kafka at 127.0.0.1:1") for line in said(found))
    assert any(line.startswith("warning: database: there is no database") for line in said(found))
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_without_kafka_the_commands_say_what_to_set(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BOOTSTRAP", "TOPICS", "JOURNAL", "DEAD_LETTER"):
        monkeypatch.delenv(f"NEARMISS_KAFKA__{name}")

    for arguments in (("kafka", "check"), ("topics", "create")):
        code, _, err = await command(*arguments)
        assert code == 2
        assert "expected kafka.bootstrap, kafka.topics and kafka.journal" in err


async def test_a_rewind_goes_by_the_time_of_the_messages(
    cluster: Cluster, command: Command, topic: str, database: str
) -> None:
    await cluster.create(topic, partitions=2)
    for hour in range(6):
        await cluster.produce(topic, canonical(str(hour)), partition=0, at=Instant(NOON + hour * HOUR))
    await cluster.produce(topic, canonical("old"), partition=1, at=NOON)
    await at(database, {f"{topic}/0": 6, f"{topic}/1": 1})

    arguments = ("rewind", "--to", "2026-01-01T16:00:00Z", "--warm-up", "2h")
    code, out, _ = await command(*arguments, "--dry-run")
    assert (code, f"{topic}/0: 6 -> 2" in out, f"{topic}/1: 1 -> 1" in out) == (0, True, True)
    assert (await command(*arguments))[0] == 0
    async with open_store(database) as store:
        assert await store.topics.positions() == {f"{topic}/0": 2, f"{topic}/1": 1}

    await cluster.admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=5)})
    code, _, err = await command(*arguments)
    assert code == 1
    assert f"{topic}/0: what came at 2026-01-01T16:00:00Z is no longer there" in err


async def test_a_rewind_moves_to_a_new_cluster(cluster: Cluster, command: Command, topic: str, database: str) -> None:
    await cluster.create(topic, partitions=2)
    for hour in range(6):
        await cluster.produce(topic, canonical(str(hour)), partition=0, at=Instant(NOON + hour * HOUR))
    await at(database, {f"{topic}/0": 4711})
    async with open_store(database) as store:
        await store.topics.bind(JOURNAL, "the-old-cluster")

    arguments = ("rewind", "--to", "2026-01-01T16:00:00Z", "--warm-up", "1h")
    code, _, err = await command(*arguments)
    assert (code, "belong to cluster the-old-cluster" in err) == (1, True)
    code, out, _ = await command(*arguments, "--new-cluster")
    assert (code, f"{topic}/0: 4711 -> 3" in out, f"{topic}/1: new -> 0" in out) == (0, True, True)

    async with open_store(database) as store:
        assert await store.topics.positions() == {f"{topic}/0": 3, f"{topic}/1": 0}
        assert await store.topics.cluster(JOURNAL) not in (None, "the-old-cluster")


@pytest.fixture
def shared(command: Command, topic: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same where engines share this topic, and another one is carried over into it."""
    monkeypatch.delenv("NEARMISS_KAFKA__JOURNAL")
    monkeypatch.setenv("NEARMISS_KAFKA__CANONICAL", topic)
    monkeypatch.setenv("NEARMISS_KAFKA__TOPICS", f"{topic}-in=events")
    return command


async def test_the_shared_topic_is_created_and_checked(
    cluster: Cluster, shared: Command, topic: str, database: str
) -> None:
    await cluster.create(f"{topic}-in")
    code, found = await looked_at(shared)
    assert code == 1
    assert any(line.startswith(f"error: {topic}: not found: create it") for line in said(found))

    code, out, _ = await shared("topics", "create", "--partitions", "3")
    assert (code, f"{topic}: created (3 partitions" in out) == (0, True)
    await cluster.produce(f"{topic}-in", *(canonical(str(n), n) for n in range(4)))
    await cluster.produce(topic, *(canonical(str(n), n) for n in range(5)), partition=2)
    await at(database, {f"{topic}/2": 1, f"intake:{topic}-in/0": 2})
    async with open_store(database) as store:
        assert await store.topics.spread(topic, 3) == 3
    code, found = await looked_at(shared)

    assert (code, said(found), found["lag"]) == (0, [], 4 + 2)
    assert [(each["topic"], each["decoder"], each["lag"]) for each in found["topics"]] == [
        (topic, "events", 4),
        (f"{topic}-in", "events", 2),
        (f"{topic}.dead", None, 0),
    ]
    assert found["topics"][0]["rights"] == ["Describe", "Read", "Write"]


async def test_rights_on_the_shared_topic_and_its_group_are_needed(
    cluster: Cluster, shared: Command, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cluster.create(topic)
    await grant(cluster.admin, topic, "describe")
    as_guest(cluster.broker, monkeypatch)

    lines = "\n".join(said((await looked_at(shared))[1]))

    assert f"error: {topic}: not allowed to Read" in lines
    assert f"error: {topic}: not allowed to Write" in lines
    assert f"error: group {topic}-group: not allowed to join it" in lines


async def test_partitions_that_were_added_are_used_once_all_is_read(
    cluster: Cluster, shared: Command, topic: str, database: str
) -> None:
    for name, partitions in ((topic, 2), (f"{topic}-in", 1), (f"{topic}.dead", 1)):
        await cluster.create(name, partitions=partitions)
    async with open_store(database) as store:
        code, _, err = await shared("topics", "spread")
        assert (code, "nobody has used it yet" in err) == (1, True)
        await store.topics.spread(topic, 2)
    code, out, _ = await shared("topics", "spread")
    assert (code, out) == (0, f"{topic}: its 2 partitions are all in use\n")

    await cluster.produce(topic, canonical("a"), canonical("b"))
    await cluster.admin.create_partitions({topic: NewPartitions(5)})
    await at(database, {f"{topic}/0": 1})
    code, found = await looked_at(shared)
    assert code == 0
    assert f"warning: {topic}: has 5 partitions, and only the first 2 are used" in "\n".join(said(found))
    code, _, err = await shared("topics", "spread")
    assert (code, f"not everything is read: {topic}/0 (1)" in err) == (1, True)

    await at(database, {f"{topic}/0": 2})
    async with open_store(database) as store:
        saved = await store.engine_store.acquire("a-process", f"{topic}/0", lease=6 * SECOND)
        code, _, err = await shared("topics", "spread")
        assert (code, "a process is running (a-process)" in err) == (1, True)
        await store.engine_store.release(f"{topic}/0", saved.epoch)
    code, out, _ = await shared("topics", "spread", "--dry-run")
    assert (code, out) == (0, f"{topic}: would be spread over 5 partitions instead of 2\n")
    code, out, _ = await shared("topics", "spread")
    assert (code, out) == (0, f"{topic}: is spread over 5 partitions instead of 2\n")
    assert said((await looked_at(shared))[1]) == []


async def test_there_is_nothing_to_spread_without_a_shared_topic(command: Command) -> None:
    code, _, err = await command("topics", "spread")
    assert (code, "expected kafka.canonical to be set" in err) == (2, True)


async def test_a_rewind_of_engines_that_share_a_topic(
    cluster: Cluster, shared: Command, topic: str, database: str
) -> None:
    """All that was carried over lies in the shared topic, so that only the places there are set back."""
    await cluster.create(topic, partitions=2)
    await cluster.create(f"{topic}-in")
    for hour in range(6):
        await cluster.produce(topic, canonical(str(hour)), partition=1, at=Instant(NOON + hour * HOUR))
        await cluster.produce(f"{topic}-in", canonical(str(hour)), at=Instant(NOON + hour * HOUR))
    await at(database, {f"{topic}/0": 0, f"{topic}/1": 6, f"intake:{topic}-in/0": 6})

    code, _, _ = await shared("rewind", "--to", "2026-01-01T16:00:00Z", "--warm-up", "2h")

    assert code == 0
    async with open_store(database) as store:
        positions = await store.topics.positions()
    assert positions == {f"{topic}/0": 0, f"{topic}/1": 2, f"intake:{topic}-in/0": 6}
