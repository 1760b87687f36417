"""An engine is cut off from the database and comes back: others go on meanwhile, and it writes nothing that is theirs.

Needs root and network namespaces; where they are missing it says that it did not run.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from monitor.ops.clock import SystemClock
from tests.faults.conftest import MakeSite
from tests.faults.proof import Entry
from tests.faults.site import PARTITIONS, TOPIC, Site
from tests.support.cluster import KafkaCluster
from tests.support.fleet import Member
from tests.support.network import Apart, skip_unless_possible
from tests.support.postgres import TEMPLATE, PostgresServer, fresh_database, running
from tests.support.waiting import until

EVENTS = 15_000
CUTS = 3
TAKEOVER_SECONDS = 25.0
WAIT_SECONDS = 120.0

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.kafka, pytest.mark.postgresql, pytest.mark.timeout(600)]


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


def _commits(site: Site, member: Member) -> int:
    return sum(entry.what == "commit" and entry.login == member.login for entry in site.ledger.entries())


def _works(site: Site, member: Member) -> None:
    """Wait until it owns something and commits."""
    before = _commits(site, member)
    until(
        lambda: _owned_by(site, member) > 0 and _commits(site, member) > before,
        f"{member.name} works",
        within=WAIT_SECONDS,
    )


def test_an_engine_that_is_cut_off_from_the_database(
    apart: Apart,
    database: str,
    server: PostgresServer,
    make_cluster: Callable[..., KafkaCluster],
    make_site: MakeSite,
    record_property: Callable[[str, object], None],
) -> None:
    """It reaches the brokers all the time. Before the last cut it is stopped as well, as a machine that hangs."""
    brokers, wire = apart.wires
    site = make_site(make_cluster(1, host=brokers.here), EVENTS, database)
    name = database.rpartition("/")[2]
    zombie = site.member("engine-1", "engine", database=server.url(name, wire.here), prefix=apart.prefix)
    other, intake = site.member("engine-2", "engine"), site.member("ingest-1", "ingest")
    site.start_members([zombie, other, intake])
    clock = SystemClock()
    seconds = []
    with site.flow(site.stream.lines) as flow:
        for turn in range(CUTS):
            flow.hold_at((turn + 1) / CUTS)
            _works(site, zombie)
            hangs = turn == CUTS - 1
            if hangs:
                zombie.signal(signal.SIGSTOP)
            wire.cut()
            cut_at = clock.monotonic()
            until(lambda: _owned_by(site, other) == PARTITIONS, "the other has everything", within=WAIT_SECONDS)
            seconds.append(round(clock.monotonic() - cut_at, 1))
            flow.wait_for((turn + 1) / CUTS, WAIT_SECONDS)
            wire.join()
            if hangs:
                zombie.signal(signal.SIGCONT)
                until(lambda: zombie.metric("nearmiss_fenced_total") > 0, "it is fenced", within=WAIT_SECONDS)
            until(lambda: _owned_by(site, zombie) > 0, "who was cut off has a share again", within=WAIT_SECONDS)
    fenced = zombie.metric("nearmiss_fenced_total")
    site.finish(WAIT_SECONDS)
    assert max(seconds) < TAKEOVER_SECONDS
    site.figures(record_property, cuts=CUTS, fenced=int(fenced), seconds_to_take_over=seconds)
