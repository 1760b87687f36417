"""Membership of a group: a rebalance behind our back changes who works, and never what was done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, GroupAuthorizationFailedError, KafkaError

from monitor.kafka import group as module
from monitor.kafka.errors import GroupForbidden
from monitor.kafka.group import Membership
from monitor.kafka.settings import KafkaSettings
from monitor.ops.tasks import WatchedTasks

ZERO, ONE, TWO = (TopicPartition("events", number) for number in range(3))


class FakeConsumer:
    """A member whose group does what a script says at each poll."""

    def __init__(self, script: list[Any]) -> None:
        self.script = script
        self.mine: set[TopicPartition] = set()
        self.paused: set[TopicPartition] = set()
        self.commits: list[dict[TopicPartition, int]] = []
        self.listener: Any = None
        self.commit_error: KafkaError | None = None

    def subscribe(self, topics: list[str], listener: Any) -> None:
        assert topics == ["events"]
        self.listener = listener

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused = set(partitions)

    def assignment(self) -> set[TopicPartition]:
        return self.mine

    async def give(self, *partitions: TopicPartition) -> None:
        await self.listener.on_partitions_revoked(self.mine)
        self.mine = set(partitions)
        await self.listener.on_partitions_assigned(self.mine)

    async def getmany(self, timeout_ms: int) -> dict[Any, Any]:
        await self.script.pop(0)(self)
        return {}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.commit_error is not None:
            raise self.commit_error
        self.commits.append(offsets)


class FakeConnector:
    consumer: FakeConsumer

    def __init__(self, *_: Any) -> None:
        pass

    async def member(self, group: str, assignor: type[Any]) -> FakeConsumer:
        assert assignor.name == "sticky"
        return self.consumer

    async def close(self, consumer: FakeConsumer) -> None:
        assert consumer is self.consumer


def _member(monkeypatch: pytest.MonkeyPatch, *script: Any) -> tuple[Membership, FakeConsumer]:
    FakeConnector.consumer = FakeConsumer(list(script))
    monkeypatch.setattr(module, "Connector", FakeConnector)
    settings = KafkaSettings(bootstrap="kafka:9092", canonical="events")
    return Membership(settings, "nearmiss", "events", 2), FakeConnector.consumer


async def test_a_commit_that_meets_a_rebalance_is_only_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop that the client's own pages show dies here: the group refuses the commit of who was overtaken."""
    stop = asyncio.Event()
    seen: list[frozenset[str]] = []

    async def is_given_both(consumer: FakeConsumer) -> None:
        await consumer.give(ZERO, ONE)
        member.stands_at({"events/0": 5, "events/1": 7})

    async def loses_one_while_it_tells(consumer: FakeConsumer) -> None:
        seen.append(member.assigned)
        consumer.commit_error = CommitFailedError()
        member.stands_at({"events/0": 6, "events/1": 8})

    async def goes_on_with_what_is_left(consumer: FakeConsumer) -> None:
        consumer.commit_error = None
        await consumer.give(ONE)

    async def ends(consumer: FakeConsumer) -> None:
        seen.append(member.assigned)
        stop.set()

    member, consumer = _member(monkeypatch, is_given_both, loses_one_while_it_tells, goes_on_with_what_is_left, ends)
    await member.run(stop)
    assert seen == [frozenset({"events/0", "events/1"}), frozenset({"events/1"})]
    # Never the position of what is another's by now.
    assert consumer.commits == [{ZERO: 5, ONE: 7}, {ONE: 8}]
    assert member.assigned == frozenset()


async def test_nothing_is_fetched_and_partitions_beyond_the_spread_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop = asyncio.Event()

    async def is_given_all(consumer: FakeConsumer) -> None:
        await consumer.give(ZERO, ONE, TWO)
        assert consumer.paused == {ZERO, ONE, TWO}
        assert member.assigned == frozenset({"events/0", "events/1"})
        stop.set()

    member, _ = _member(monkeypatch, is_given_all)
    await member.run(stop)


async def test_a_group_that_refuses_us_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses(_: FakeConsumer) -> None:
        raise GroupAuthorizationFailedError("nearmiss")

    member, _ = _member(monkeypatch, refuses)
    with pytest.raises(GroupForbidden, match="--operation Read --group"):
        await member.run(asyncio.Event())


async def test_trouble_with_the_group_takes_no_partition_away(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = asyncio.Event()

    async def is_given_one(consumer: FakeConsumer) -> None:
        await consumer.give(ZERO)

    async def breaks(_: FakeConsumer) -> None:
        stop.set()
        assert member.assigned == frozenset({"events/0"})
        raise KafkaError("the coordinator is away")

    member, _ = _member(monkeypatch, is_given_one, breaks)
    await member.run(stop)


async def test_who_steps_aside_leaves_the_group_until_the_return(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.001)
    stop = asyncio.Event()
    seen: list[frozenset[str]] = []

    async def is_given_one_and_steps_aside(consumer: FakeConsumer) -> None:
        await consumer.give(ZERO)
        seen.append(member.assigned)
        member.step_aside()

    async def joins_again(consumer: FakeConsumer) -> None:
        seen.append(member.assigned)
        await consumer.give(ONE)
        seen.append(member.assigned)
        stop.set()

    member, _ = _member(monkeypatch, is_given_one_and_steps_aside, joins_again)

    async def returns() -> None:
        while not seen or member.assigned:
            await member.changed(1.0)
        member.come_back()

    async with WatchedTasks() as tasks:
        tasks.start("returns", returns(), may_end=True)
        await member.run(stop)
    assert seen == [frozenset({"events/0"}), frozenset(), frozenset({"events/1"})]
