"""An engine is cut off from the database and comes back: others go on meanwhile, and it writes nothing that is theirs.

Needs root and network namespaces; where they are missing it says that it did not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.ops.clock import SystemClock
from tests.faults.conftest import MakeSite
from tests.faults.proof import Entry
from tests.faults.site import PARTITIONS, TOPIC, Site
from tests.support.cluster import KafkaCluster
from tests.support.fleet import Member
from tests.support.network import Apart, Wire, skip_unless_possible
from tests.support.postgres import TEMPLATE, PostgresServer, fresh_database, running
from tests.support.waiting import until

EVENTS = 12_000
CUTS = 3
TAKEOVER_SECONDS = 25.0
WAIT_SECONDS = 120.0

pytestmark = [pytest.mark.faults, pytest.mark.kafka, pytest.mark.postgresql, pytest.mark.timeout(600)]


@pytest.fixture
def apart() -> Iterator[Apart]:
    """A network with one wire to the brokers and one to the database."""
    skip_unless_possible()
    with Apart(wires=2) as apart:
        yield apart


@pytest.fixture
def server(apart: Apart) -> Iterator[PostgresServer]:
    with running(PostgresServer(also_at=apart.wires[1].here)) as server:
        yield server


@pytest.fixture
def database(server: PostgresServer) -> Iterator[str]:
    yield from fresh_database(server, TEMPLATE)


def _holders(site: Site) -> dict[str, Entry]:
    """Who took each part over last."""
    return {entry.part: entry for entry in site.ledger.entries() if entry.what == "takeover" and TOPIC in entry.part}


def _owned_by(site: Site, member: Member) -> int:
    return sum(entry.login == member.login for entry in _holders(site).values())


def _taken_over(site: Site, wire: Wire, zombie: Member, other: Member) -> float:
    """Cut the wire while the zombie works. How many seconds it took until the other had everything."""
    clock = SystemClock()
    before = sum(entry.what == "commit" and entry.login == zombie.login for entry in site.ledger.entries())

    def works() -> bool:
        commits = sum(entry.what == "commit" and entry.login == zombie.login for entry in site.ledger.entries())
        return commits > before and _owned_by(site, zombie) > 0

    until(works, "the engine that will be cut off works", within=WAIT_SECONDS)
    began_at = clock.monotonic()
    wire.cut()
    until(
        lambda: _owned_by(site, other) == PARTITIONS, "the other engine has taken everything over", within=WAIT_SECONDS
    )
    return clock.monotonic() - began_at


def test_an_engine_that_is_cut_off_from_the_database(
    apart: Apart,
    database: str,
    server: PostgresServer,
    make_cluster: Callable[..., KafkaCluster],
    make_site: MakeSite,
    record_property: Callable[[str, object], None],
) -> None:
    brokers, wire = apart.wires
    site = make_site(make_cluster(1, host=brokers.here), EVENTS, database)
    name = database.rpartition("/")[2]
    zombie = site.member("engine-1", "engine", database=server.url(name, wire.here), prefix=apart.prefix)
    other, intake = site.member("engine-2", "engine"), site.member("ingest-1", "ingest")
    site.start_members([zombie, other, intake])
    seconds = []
    with site.flow(site.stream.lines) as flow:
        for turn in range(CUTS):
            flow.wait_for((turn + 0.5) / (CUTS + 1), WAIT_SECONDS)
            seconds.append(_taken_over(site, wire, zombie, other))
            flow.wait_for((turn + 1) / (CUTS + 1), WAIT_SECONDS)
            wire.join()
            until(lambda: _owned_by(site, zombie) > 0, "who was cut off works again", within=WAIT_SECONDS)
        flow.wait_for(1.0, WAIT_SECONDS)
    site.finish(WAIT_SECONDS)
    assert max(seconds) < TAKEOVER_SECONDS
    site.figures(record_property, cuts=CUTS, seconds_to_take_over=[round(each, 1) for each in seconds])
