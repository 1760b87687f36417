"""The disk of a broker is full: intake says so, nothing that was acknowledged is lost, and it goes on with space again.

Needs root for a small disk; where it may not be mounted it says that it did not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import MakeSite
from tests.faults.site import Site
from tests.support.cluster import KafkaCluster
from tests.support.disks import SmallDisk, small_disk
from tests.support.waiting import until

EVENTS = 9_000
FILLS = 2
WAIT_SECONDS = 120.0

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.kafka, pytest.mark.postgresql, pytest.mark.timeout(600)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small", "192m") as disk:
        yield disk


def _is_paused(site: Site) -> bool:
    return any(member.metric("nearmiss_intake_paused") == 1 for member in site.in_role("ingest"))


def test_the_disk_of_the_broker_is_full(
    disk: SmallDisk,
    make_cluster: Callable[..., KafkaCluster],
    make_site: MakeSite,
    record_property: Callable[[str, object], None],
) -> None:
    """A broker that cannot write ends itself; whoever keeps it running starts it again, also while nothing fits."""
    cluster = make_cluster(1, folder=disk.path / "kafka")
    [broker] = cluster.brokers
    site = make_site(cluster, EVENTS)
    site.start(engines=1, intakes=1)
    starts = 0
    with site.flow(site.stream.lines) as flow:
        for turn in range(FILLS):
            flow.hold_at((turn + 1) / FILLS)
            flow.wait_for((turn + 0.3) / FILLS, WAIT_SECONDS)
            disk.fill()
            _more_than(flow.counts["refused"], lambda: flow.counts["refused"], "senders are told to come back")
            until(lambda: _is_paused(site), "intake says that it is paused", within=WAIT_SECONDS)
            if not broker.lives:
                # It does not come up either: there is no room even for what it writes at its start.
                broker.spawn()
                starts += 1
                until(lambda: not broker.lives, "the broker ends again", within=WAIT_SECONDS)
            disk.clear()
            if not broker.lives:
                broker.spawn()
                starts += 1
            _more_than(flow.acknowledged, lambda: flow.acknowledged, "intake goes on")
            flow.wait_for((turn + 1) / FILLS, WAIT_SECONDS)
            until(lambda: not _is_paused(site), "intake is no longer paused", within=WAIT_SECONDS)
    site.finish(WAIT_SECONDS)
    site.figures(record_property, fills=FILLS, starts_of_the_broker=starts, deliveries=dict(flow.counts))


def _more_than(before: int, count: Callable[[], int], what: str) -> None:
    until(lambda: count() > before, what, within=WAIT_SECONDS)
