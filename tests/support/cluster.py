"""Kafka as clusters are run: several brokers in KRaft mode, each a process that can be killed and started by itself.

Knows how brokers live and die; nothing of the product but its clock and its way to write a file of settings.
"""

from __future__ import annotations

import asyncio
import base64
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from tests.support.kafka import find_jars, find_java
from tests.support.ports import free_ports
from tests.support.waiting import until

LOOPBACK = "127.0.0.1"
START_SECONDS = 120.0
STOP_SECONDS = 30.0
_REQUEST_MILLISECONDS = 3000


class Broker:
    """One of the brokers, which is a controller as well. Its port and its data stay the same over kill and start."""

    def __init__(self, number: int, address: str, command: tuple[str, ...], folder: Path) -> None:
        self.number = number
        self.address = address
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self._command = command

    @property
    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def spawn(self) -> None:
        """Start it; it takes requests some seconds later."""
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )

    def kill(self) -> None:
        """As a power cut of its process: no handler runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def said(self) -> str:
        """The end of its log."""
        path = self.folder / "broker.log"
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]) if path.exists() else ""


class KafkaCluster:
    """`count` brokers; each topic lies on three of them, or on all there are. Stop it after use.

    `host`: the address of this machine that they listen at. `folder`: where each keeps its data, in one of its own.
    """

    def __init__(self, count: int, folder: Path, host: str = LOOPBACK) -> None:
        java, jars = find_java(), find_jars()
        run = (
            *(java, "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
            *("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", str(jars / "*")),
        )
        ports = free_ports(2 * count)
        voters = ",".join(f"{number + 1}@{host}:{ports[count + number]}" for number in range(count))
        cluster_id = base64.urlsafe_b64encode(b"\x01" + uuid.uuid4().bytes[1:]).rstrip(b"=").decode()
        self.replicas = min(count, 3)
        self.brokers: list[Broker] = []
        for number in range(count):
            own = folder / f"broker-{number + 1}"
            own.mkdir(parents=True)
            config = own / "server.properties"
            settings = _settings(number + 1, host, ports[number], ports[count + number], voters, self.replicas, own)
            config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="utf-8")
            tool = (*run, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(config))
            done = subprocess.run(tool, capture_output=True, text=True, check=False, cwd=own)
            if done.returncode != 0:
                pytest.fail(f"Kafka could not format its storage: {done.stderr.strip()}", pytrace=False)
            command = (*run, "kafka.Kafka", str(config))
            self.brokers.append(Broker(number + 1, f"{host}:{ports[number]}", command, own))

    @property
    def bootstrap(self) -> str:
        return ",".join(broker.address for broker in self.brokers)

    def start(self) -> None:
        """Start all brokers and return when they know each other."""
        for broker in self.brokers:
            broker.spawn()
        try:
            until(self._is_whole, "every broker takes requests", within=START_SECONDS)
        except AssertionError:
            said = "\n".join(broker.said() for broker in self.brokers)
            self.stop()
            pytest.fail(f"Kafka did not start; the end of its logs:\n{said}", pytrace=False)

    def stop(self) -> None:
        # One at a time would have the last ones wait for a quorum that is gone.
        for broker in self.brokers:
            if broker.lives and broker.process is not None:
                broker.process.terminate()
        for broker in self.brokers:
            broker.stop()

    def create(self, topic: str, partitions: int) -> None:
        """A topic that survives one broker: written to all replicas but one before it counts as durable."""
        config = {"min.insync.replicas": str(max(self.replicas - 1, 1))}
        asyncio.run(self._create(NewTopic(topic, partitions, self.replicas, topic_configs=config)))

    def is_in_sync(self) -> bool:
        """Whether every broker lives and has all that the others have: one of them could be missed."""
        return all(broker.lives for broker in self.brokers) and asyncio.run(self._look(_in_sync))

    def ends(self, topic: str, partitions: int) -> dict[int, int]:
        """Where each partition of the topic ends, by its number."""
        return asyncio.run(_ends(self.bootstrap, topic, partitions))

    def _is_whole(self) -> bool:
        if not all(broker.lives for broker in self.brokers):
            raise AssertionError("a broker ended by itself")
        return asyncio.run(self._look(lambda described, _: len(described["brokers"]) == len(self.brokers)))

    async def _create(self, topic: NewTopic) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([topic])
        finally:
            await admin.close()

    async def _look(self, judge: Any) -> bool:
        addresses = [broker.address for broker in self.brokers]
        if not all([await _listens(address) for address in addresses]):
            # The client would log an error for each that refuses.
            return False
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=_REQUEST_MILLISECONDS)
        try:
            await admin.start()
            return bool(judge(await admin.describe_cluster(), await admin.describe_topics()))
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            await admin.close()


def _in_sync(_cluster: Any, topics: Any) -> bool:
    return all(set(each["isr"]) == set(each["replicas"]) for topic in topics for each in topic["partitions"])


async def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
    except (OSError, TimeoutError):
        return False
    return True


async def _ends(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(partitions)])
        return {each.partition: end for each, end in ends.items()}
    finally:
        await consumer.stop()


def _settings(
    number: int, host: str, port: int, controller_port: int, voters: str, replicas: int, folder: Path
) -> dict[str, str]:
    in_sync = str(max(replicas - 1, 1))
    return {
        "process.roles": "broker,controller",
        "node.id": str(number),
        "controller.quorum.voters": voters,
        "listeners": f"CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}",
        "advertised.listeners": f"CLIENT://{host}:{port}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(folder / "data"),
        "offsets.topic.replication.factor": str(replicas),
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        # Retention goes by the records' own timestamps.
        "log.retention.ms": "-1",
        "auto.create.topics.enable": "false",
        # Who was killed is missed soon, and soon leads again.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "1000",
        "leader.imbalance.check.interval.seconds": "5",
        "replica.lag.time.max.ms": "5000",
        # A small machine runs several of them.
        "num.network.threads": "2",
        "num.io.threads": "2",
        "num.recovery.threads.per.data.dir": "1",
        "background.threads": "2",
        "log.cleaner.enable": "false",
        "log.segment.bytes": str(32 * 1024**2),
        "log.index.size.max.bytes": str(1024**2),
    }
