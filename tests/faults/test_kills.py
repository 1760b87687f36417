"""Engines, intake and brokers are killed at random while events flow: the drafts are those of one engine, each once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from tests.faults.conftest import MakeSite, size
from tests.faults.site import Site
from tests.support.cluster import KafkaCluster
from tests.support.waiting import until

EVENTS = size("EVENTS", 5_000)
KILLS = size("KILLS", 6)
BROKERS = size("BROKERS", 1)
ENGINES = 3 if BROKERS > 1 else 2
INTAKES = 2
QUORUM = 3
"""Of so many brokers the others go on without one."""
WAIT_SECONDS = 120.0

pytestmark = [pytest.mark.faults, pytest.mark.kafka, pytest.mark.postgresql, pytest.mark.timeout(300 + EVENTS // 100)]


class Killer:
    """Kills so many processes, one after the other, in an order that the dice have made."""

    def __init__(self, site: Site, random: Random, kills: int) -> None:
        self.counts: Counter[str] = Counter()
        self._site = site
        self._random = random
        brokers, intakes = kills // 5 or 1, kills // 3
        self._plan = ["broker"] * brokers + ["ingest"] * intakes + ["engine"] * (kills - brokers - intakes)
        random.shuffle(self._plan)

    def kill(self) -> None:
        """Kill the next one. Of the brokers one at a time: the next goes when the last has all that the others have."""
        self.done()
        kind = self._plan.pop()
        self.counts[kind] += 1
        if kind == "broker":
            until(self._site.cluster.is_in_sync, "all brokers have everything", within=WAIT_SECONDS)
            self._random.choice(self._site.cluster.brokers).kill()
            if len(self._site.cluster.brokers) < QUORUM:
                # Nothing can be acknowledged, nor the next kill come, until it is back.
                self.done()
            return
        running = until(lambda: [each for each in self._site.in_role(kind) if each.runs], f"an {kind} runs")
        self._site.fleet.kill(self._random.choice(running))

    def done(self) -> None:
        """Start the broker again that was killed last; engines and intake are started by their supervisor."""
        for broker in self._site.cluster.brokers:
            if not broker.lives:
                broker.spawn()


def test_kills_at_random(
    make_cluster: Callable[..., KafkaCluster],
    make_site: MakeSite,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    """`kill -9` of whatever runs, with copies and disorder among the events; they come by webhook and by a topic."""
    site = make_site(make_cluster(BROKERS), EVENTS)
    site.start(ENGINES, INTAKES)
    random = Random(seed)
    killer = Killer(site, random, KILLS)
    with site.flow(site.stream.lines) as flow:
        for share in sorted(random.uniform(0.01, 0.99) for _ in range(KILLS)):
            flow.wait_for(share, WAIT_SECONDS)
            killer.kill()
        killer.done()
        flow.wait_for(1.0, WAIT_SECONDS)
    site.finish(WAIT_SECONDS + EVENTS / 1000)
    assert killer.counts.total() == KILLS
    site.figures(record_property, kills=dict(killer.counts), deliveries=dict(flow.counts))
