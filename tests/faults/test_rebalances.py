"""Every two seconds an engine joins or leaves: the drafts are those of one engine, each once, and work goes on."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from tests.faults.conftest import MakeSite
from tests.faults.site import Site
from tests.support.cluster import KafkaCluster
from tests.support.fleet import Member

EVENTS = 10_000
CHANGES = 26
EVERY_SECONDS = 2.0
GUESTS = 4
"""So many that each has joined the group before it leaves."""
WAIT_SECONDS = 120.0

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.kafka, pytest.mark.postgresql, pytest.mark.timeout(600)]


class Storm:
    """Lets engines come and go. One that leaves is stopped in order or killed, as the dice say."""

    def __init__(self, site: Site, random: Random) -> None:
        self.counts: Counter[str] = Counter()
        self._site = site
        self._random = random
        self._here: list[Member] = []

    def change(self) -> None:
        """One joins, or where there are many, the one leaves that came first."""
        if len(self._here) < GUESTS:
            self.counts["joined"] += 1
            member = self._site.member(f"guest-{self.counts['joined']}", "engine", lives=1)
            self._site.fleet.start(member)
            self._here.append(member)
            return
        by = self._random.choice((signal.SIGTERM, signal.SIGKILL))
        self._site.fleet.dismiss(self._here.pop(0), by=by)
        self.counts["left" if by is signal.SIGTERM else "killed"] += 1


def test_an_engine_joins_or_leaves_every_two_seconds(
    make_cluster: Callable[..., KafkaCluster],
    make_site: MakeSite,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    site = make_site(make_cluster(1), EVENTS)
    site.start(engines=1, intakes=1)
    storm = Storm(site, Random(seed))
    pace = threading.Event()
    read = []
    with site.flow(site.stream.lines) as flow:
        for change in range(CHANGES):
            flow.hold_at((change + 1) / CHANGES)
            storm.change()
            # The storm has a beat of its own, whatever the engines make of it.
            pace.wait(EVERY_SECONDS)
            read.append(site.read() or 0)
        flow.wait_for(1.0, WAIT_SECONDS)
    assert 0 < read[CHANGES // 2] < read[-1], "the engines got on while the storm lasted"
    site.finish(WAIT_SECONDS)
    site.figures(record_property, changes=dict(storm.counts), read_during_the_storm=read[-1])
