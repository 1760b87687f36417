"""Looks at a cluster the way the service will use it, and says everything that is wrong or odd, without changing it.

Decides what is a problem; must not know where positions are kept or how the answer is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.codec import has_gzip, has_lz4, has_snappy, has_zstd
from aiokafka.errors import KafkaError

from monitor.kafka.connection import Connector
from monitor.kafka.errors import KafkaProblem, TooFewPartitions
from monitor.kafka.rights import Right, rights_on
from monitor.kafka.settings import KafkaSettings
from monitor.ports import Halt, Unavailable

_REFRESH = 300.0
_CODECS = {"gzip": has_gzip, "snappy": has_snappy, "lz4": has_lz4, "zstd": has_zstd}
_SAFE_REPLICAS = 2


class Grade(StrEnum):
    """How bad a finding is: an error keeps the service from working, a warning may bite later."""

    ERROR = "error"
    WARNING = "warning"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong or odd, about what, and what to do."""

    grade: Grade
    about: str
    what: str


class PartitionSeen(msgspec.Struct, frozen=True):
    """What a partition holds (`first` to before `end`) and where the database says to go on; lag None: never read."""

    partition: int
    first: int
    end: int
    position: int | None
    lag: int | None


class TopicSeen(msgspec.Struct, frozen=True):
    """A topic that is read or written. `rights` is None where the broker does not tell."""

    topic: str
    decoder: str | None
    replicas: int
    rights: tuple[Right, ...] | None
    partitions: tuple[PartitionSeen, ...]

    @property
    def lag(self) -> int:
        """Messages that wait: what was never read counts whole."""
        return sum(each.end - each.first if each.lag is None else each.lag for each in self.partitions)


class TopicSurvey(msgspec.Struct, frozen=True):
    """Everything that was seen. `cluster` is None where it was not reached."""

    cluster: str | None
    brokers: int
    topics: tuple[TopicSeen, ...]
    codecs: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def is_good(self) -> bool:
        return not any(finding.grade is Grade.ERROR for finding in self.findings)


class StoredTopics(msgspec.Struct, frozen=True):
    """What the database has about the topics: positions, the cluster that they belong to, and halts.

    `spread`: over how many partitions of the topic that engines share the shards are spread; None: nobody used it yet.
    """

    positions: dict[str, int] = {}
    cluster: str | None = None
    halts: tuple[Halt, ...] = ()
    spread: int | None = None


async def survey(settings: KafkaSettings, kept: StoredTopics, *, timeout: float = 10.0) -> TopicSurvey:
    """Look once. Never raises for what is wrong with the cluster: that is a finding.

    `timeout` in seconds: how long one answer may take.
    """
    return await _Surveyor(settings, kept, timeout).look()


class _Surveyor:
    def __init__(self, settings: KafkaSettings, kept: StoredTopics, timeout: float) -> None:
        self._settings = settings
        self._kept = kept
        self._timeout = timeout
        self._findings: list[Finding] = []

    async def look(self) -> TopicSurvey:
        cluster: str | None = None
        brokers = 0
        topics: tuple[TopicSeen, ...] = ()
        codecs = tuple(name for name, is_there in _CODECS.items() if is_there())
        if missing := sorted(_CODECS.keys() - codecs):
            self._error("codecs", f"{', '.join(missing)} cannot be read: install the package cramjam")
        try:
            connector = Connector(self._settings, self._timeout, _REFRESH)
            async with connector.admin("to be looked at") as admin:
                told = await admin.describe_cluster()
                cluster, brokers = str(told["cluster_id"]), len(told["brokers"])
                self._judge_cluster(cluster)
                described = {topic["topic"]: topic for topic in await admin.describe_topics()}
                used = self._used(described)
                await self._judge_group(admin)
            async with connector.client("to tell the rights on its topics") as client:
                rights = await rights_on(client, used)
            limits = await self._limits(connector, {name: described[name] for name in used})
            topics = tuple(self._seen(described[name], rights.get(name), limits, brokers) for name in sorted(used))
        except (KafkaProblem, Unavailable) as problem:
            self._error("reach", str(problem))
        for halt in self._kept.halts:
            self._error(halt.topic, f"halted: {halt.detail}")
        return TopicSurvey(cluster, brokers, topics, codecs, tuple(self._findings))

    def _judge_cluster(self, cluster: str) -> None:
        known = self._kept.cluster
        if known is not None and known != cluster:
            self._error(
                "cluster",
                f"this is cluster {cluster}, the positions in the database belong to cluster {known}: correct "
                "kafka.bootstrap or database, or after a move run `nearmiss rewind --to TIME --new-cluster`",
            )

    def _used(self, described: Mapping[str, Any]) -> list[str]:
        settings = self._settings
        ours = [name for name in (settings.canonical, settings.dead_letter) if name]
        for name in [*settings.names, *ours]:
            if name not in described:
                self._error(name, "not found: create it (`nearmiss topics create`), or grant Describe to this user")
        read = [name for name in described if settings.source_of(name) is not None]
        for pattern in sorted(settings.topics.keys() - {*settings.names} - {settings.entry_of(name) for name in read}):
            self._warn(pattern, "no topic fits this pattern now; those that come later will be read")
        return [*read, *(name for name in ours if name in described)]

    async def _judge_group(self, admin: AIOKafkaAdminClient) -> None:
        if self._settings.group is None:
            return
        try:
            await admin.list_consumer_group_offsets(self._settings.group)
        except KafkaError as error:
            if self._settings.canonical:
                self._error(
                    f"group {self._settings.group}",
                    f"not allowed to join it ({type(error).__name__}), so that engines cannot share kafka.canonical: "
                    "grant Read on the group",
                )
                return
            self._warn(
                f"group {self._settings.group}",
                f"its offsets cannot be kept ({type(error).__name__}), so lag dashboards stay empty: grant "
                "Read on the group, or set kafka.group to null",
            )

    async def _limits(self, connector: Connector, topics: Mapping[str, Any]) -> dict[TopicPartition, tuple[int, int]]:
        """The first and the end offset of every partition that has a leader."""
        partitions = [
            TopicPartition(name, each["partition"])
            for name, topic in topics.items()
            for each in topic["partitions"]
            if each["leader"] >= 0
        ]
        consumer = await connector.consumer()
        try:
            async with connector.patience("to tell what the topics hold"):
                first = await consumer.beginning_offsets(partitions)
                end = await consumer.end_offsets(partitions)
        finally:
            await connector.close(consumer)
        return {partition: (first[partition], end[partition]) for partition in partitions}

    def _seen(
        self,
        topic: Mapping[str, Any],
        rights: frozenset[Right] | None,
        limits: Mapping[TopicPartition, tuple[int, int]],
        brokers: int,
    ) -> TopicSeen:
        name = topic["topic"]
        self._judge_rights(name, rights)
        replicas = min((len(each["replicas"]) for each in topic["partitions"]), default=0)
        if brokers >= _SAFE_REPLICAS and replicas < _SAFE_REPLICAS and name in self._journals:
            self._warn(name, "has one replica: acknowledged messages are lost with its broker; use three")
        seen = []
        for each in sorted(topic["partitions"], key=lambda partition: int(partition["partition"])):
            partition = TopicPartition(name, each["partition"])
            if partition not in limits:
                self._error(f"{name}/{partition.partition}", "has no leader now: a broker is away")
                continue
            if len(each["isr"]) < len(each["replicas"]):
                self._warn(f"{name}/{partition.partition}", "some replicas are not in sync: a broker is away or slow")
            seen.append(self._judge_place(partition, *limits[partition]))
        ordered = None if rights is None else tuple(sorted(rights))
        if name == self._settings.canonical:
            self._judge_spread(name, len(topic["partitions"]))
        return TopicSeen(name, self._decoder(name), replicas, ordered, tuple(seen))

    @property
    def _journals(self) -> tuple[str, str]:
        """What is written to and must not be lost: the one or the other is set."""
        return self._settings.journal, self._settings.canonical

    def _decoder(self, name: str) -> str | None:
        return "events" if name == self._settings.canonical else self._settings.source_of(name)

    def _judge_spread(self, name: str, partitions: int) -> None:
        known = self._kept.spread
        if known is None or known == partitions:
            return
        if known > partitions:
            self._findings.append(Finding(Grade.ERROR, name, str(TooFewPartitions(name, partitions, known))))
        else:
            self._warn(
                name,
                f"has {partitions} partitions, and only the first {known} are used: stop all processes and run "
                "`nearmiss topics spread` (docs/how-to/kafka.md, 'Several engines')",
            )

    def _judge_rights(self, name: str, rights: frozenset[Right] | None) -> None:
        if rights is None:
            self._warn(name, "this broker does not tell which rights there are")
            return
        wanted: list[Right] = []
        if self._decoder(name) is not None:
            wanted.append(Right.READ)
        if name in (*self._journals, self._settings.dead_letter):
            wanted.append(Right.WRITE)
        for right in wanted:
            if right not in rights:
                self._error(
                    name, f"not allowed to {right}: grant it (kafka-acls.sh --add --operation {right} --topic {name})"
                )

    def _judge_place(self, partition: TopicPartition, first: int, end: int) -> PartitionSeen:
        key = f"{partition.topic}/{partition.partition}"
        position = self._kept.positions.get(key)
        if position is not None and not first <= position <= end:
            grade = Grade.ERROR if self._settings.on_lost_position == "stop" else Grade.WARNING
            what = f"the position {position} is lost: the topic holds {first} to {end}"
            self._findings.append(Finding(grade, key, f"{what} (docs/how-to/kafka.md, 'When a position is lost')"))
        lag = None if position is None else max(end - max(position, first), 0)
        return PartitionSeen(partition.partition, first, end, position, lag)

    def _error(self, about: str, what: str) -> None:
        self._findings.append(Finding(Grade.ERROR, about, what))

    def _warn(self, about: str, what: str) -> None:
        self._findings.append(Finding(Grade.WARNING, about, what))
