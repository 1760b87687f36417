"""Everything that a fault can hit, set up and at work: brokers, a database, engines, intake, and what they are given.

Decides how it is put together and what has to hold in the end; must not know what is done to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from monitor.ops.clock import SystemClock
from tests.faults.flow import Flow
from tests.faults.proof import Ledger, check_nothing_lost_or_doubled, difference, drafts, position
from tests.faults.stream import LATENESS, TOLERANCE, Stream, batches, undisturbed
from tests.support.cluster import KafkaCluster
from tests.support.fleet import Fleet, Member, allow_logins
from tests.support.service import kafka_environment
from tests.support.waiting import until

TOPIC = "nearmiss.events"
CARRIED = "ops.events"
PARTITIONS = 6
DELIVERY = 100
_LIVES = 400
_READY_SECONDS = 90.0


class Site:
    """One installation of several engines on a topic that they share. Use it with `with`; nothing is started yet."""

    def __init__(self, cluster: KafkaCluster, database: str, stream: Stream, directory: Path) -> None:
        self.cluster = cluster
        self.database = database
        self.stream = stream
        self.fleet = Fleet()
        self.ledger = Ledger(database)
        self._directory = directory
        self._clock = SystemClock()
        self._began_at = self._clock.monotonic()
        self._expected = undisturbed(stream)
        cluster.create(TOPIC, PARTITIONS)
        cluster.create(CARRIED, 1)

    def member(self, name: str, role: str, lives: int = _LIVES, **where: object) -> Member:
        """A process in one role, not started yet; it may start so often. `where`: what `Member` takes beside it."""
        asyncio.run(allow_logins(self.database, name, lives))
        environment = {
            **kafka_environment(self.cluster.bootstrap, topics=f"{CARRIED}=events", canonical=TOPIC),
            "NEARMISS_LATENESS": f"{LATENESS // 1_000_000}s",
            "NEARMISS_FUTURE_TOLERANCE": f"{TOLERANCE // 1_000_000}s",
            "NEARMISS_WATCH_EVERY": "0s",
        }
        arguments = ("--roles", role, "--catalogue", str(self.stream.catalogue))
        options = {"database": self.database, **where}
        return Member(name, arguments, environment, self._directory, **options)  # type: ignore[arg-type] # by name

    def start(self, engines: int, intakes: int) -> None:
        """Start so many of each and wait until they are ready."""
        made = [self.member(f"engine-{number + 1}", "engine") for number in range(engines)]
        made += [self.member(f"ingest-{number + 1}", "ingest") for number in range(intakes)]
        self.start_members(made)

    def start_members(self, members: Sequence[Member]) -> None:
        self.fleet.start(*members)
        until(lambda: all(each.is_ready() for each in members), "all processes are ready", within=_READY_SECONDS)

    def in_role(self, role: str) -> list[Member]:
        return [member for member in self.fleet.members if member.name.startswith(role)]

    def flow(self, lines: Sequence[bytes]) -> Flow:
        """Senders of these lines, part of them by webhook and part by the topic that is carried over."""
        return Flow(
            batches(lines, DELIVERY),
            [member.address for member in self.in_role("ingest")],
            bootstrap=self.cluster.bootstrap,
            topic=CARRIED,
            read_of_topic=lambda: position(self.database, f"intake:{CARRIED}/%"),
        )

    def read(self) -> int | None:
        """How far the engines have committed, all partitions together."""
        return position(self.database, f"{TOPIC}/%")

    def finish(self, within: float) -> None:
        """Say the last word, wait until all is read, and hold what came out against a run that nothing happened to."""
        with self.flow([self.stream.last]) as flow:
            flow.wait_for(1.0, within)
        end = sum(self.cluster.ends(TOPIC, PARTITIONS).values())
        until(lambda: (self.read() or 0) >= end, "the engines have read everything", within=within)
        check_nothing_lost_or_doubled(self.database, self.stream.identities)
        found = drafts(self.database)
        assert found == self._expected, difference(found, self._expected)

    def figures(self, tell: Callable[[str, object], None], **more: object) -> None:
        """Check that nobody wrote after he had been replaced, and tell what there was of everything."""
        counted = self.ledger.check()
        tell("events", len(self.stream.lines) + 1)
        tell("copies", self.stream.copies)
        tell("out of order", self.stream.displaced)
        tell("drafts", len(self._expected))
        tell("commits", counted["commit"])
        tell("takeovers", counted["takeover"])
        for name, value in more.items():
            tell(name.replace("_", " "), value)
        tell("seconds", round(self._clock.monotonic() - self._began_at))

    def __enter__(self) -> Self:
        self.fleet.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.fleet.__exit__()
