"""The database crashes and its connections are cut, again and again: the drafts are those of one engine, each once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from tests.faults.conftest import MakeSite
from tests.faults.proof import ask
from tests.support.cluster import KafkaCluster
from tests.support.postgres import PostgresServer

EVENTS = 8_000
CRASHES = 3
CUTS = 27
WAIT_SECONDS = 120.0
_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nearmiss'"

pytestmark = [pytest.mark.faults, pytest.mark.kafka, pytest.mark.postgresql, pytest.mark.timeout(600)]


def test_the_database_crashes_and_connections_are_cut(
    make_cluster: Callable[..., KafkaCluster],
    make_site: MakeSite,
    postgres_server: PostgresServer,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    site = make_site(make_cluster(1), EVENTS)
    site.start(engines=2, intakes=2)
    random = Random(seed)
    faults = ["crash"] * CRASHES + ["cut"] * CUTS
    random.shuffle(faults)
    counts: Counter[str] = Counter()
    with site.flow(site.stream.lines) as flow:
        for fault, share in zip(faults, sorted(random.random() for _ in faults), strict=True):
            flow.wait_for(share, WAIT_SECONDS)
            counts[fault] += 1
            if fault == "crash":
                postgres_server.crash()
                postgres_server.start()
            else:
                counts["connections cut"] += len(ask(site.database, _CUT))
        flow.wait_for(1.0, WAIT_SECONDS)
    site.finish(WAIT_SECONDS)
    assert counts["connections cut"] > CUTS
    site.figures(record_property, faults=dict(counts), deliveries=dict(flow.counts))
