"""What the proofs under faults share: how large they are, a cluster of brokers, a database, and what flows.

Sizes come from the environment: FAULTS_EVENTS, FAULTS_KILLS, FAULTS_BROKERS and FAULTS_SEED; FAULTS_ALL=1 runs the
long ones as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.ops.clock import SystemClock
from tests.faults.site import Site
from tests.faults.stream import ahead_of, make_stream
from tests.support.cluster import KafkaCluster
from tests.support.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

MakeSite = Callable[..., Site]


def size(name: str, default: int) -> int:
    """A number from the environment."""
    return int(os.environ.get(f"FAULTS_{name}", default))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long ones to `make test-faults`, unless somebody names them; and say so."""
    if size("ALL", 0) or any("faults" in argument for argument in config.args):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="did not run: `make test-faults` runs it, and so does its name"))


@pytest.fixture
def seed(record_property: Callable[[str, object], None]) -> int:
    """What every choice of the test follows from; told with its figures, so that a run can be had again."""
    found = size("SEED", 1)
    record_property("seed", found)
    return found


@pytest.fixture
def make_cluster(tmp_path: Path) -> Iterator[Callable[..., KafkaCluster]]:
    """Running clusters of so many brokers, stopped at the end."""
    made: list[KafkaCluster] = []

    def make(count: int, **more: object) -> KafkaCluster:
        options = {"folder": tmp_path / "kafka", **more}
        cluster = KafkaCluster(count, **options)  # type: ignore[arg-type]  # by name
        made.append(cluster)
        cluster.start()
        return cluster

    yield make
    for cluster in made:
        cluster.stop()


@pytest.fixture
def make_site(postgres_url: str, tmp_path: Path, seed: int) -> Iterator[MakeSite]:
    """An installation on a cluster, for a stream of so many events."""
    made: list[Site] = []

    def make(cluster: KafkaCluster, events: int, database: str = postgres_url) -> Site:
        stream = make_stream(events, seed, ahead_of(SystemClock().now()), tmp_path)
        site = Site(cluster, database, stream, tmp_path)
        made.append(site.__enter__())
        return site

    yield make
    for site in made:
        site.__exit__()
