"""Which shard an event goes to: the same for ever, since state is kept by it."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import Event
from monitor.core.sharding.routing import EVERYWHERE, SHARDS, Router, partition_of, partitions_of, shards_of
from tests.support.streams import make_event, shop


def router(*services: Service) -> Router:
    return Router(Catalogue({service.name: service for service in services}))


def event(kind: str, **fields: Any) -> Event:
    return make_event(kind, 0, "e1", **fields)


def test_the_shard_of_a_name_never_changes() -> None:
    alone = router()
    assert SHARDS == 256
    assert [alone.shard_of(name) for name in ("db", "api", "überweisung")] == [40, 15, 235]
    assert alone.home(event("alert.fired", service=None)) == 238


def test_services_that_depend_on_each_other_lie_together() -> None:
    known = Router(shop())
    assert known.shard_of("db") == known.shard_of("api") == known.shard_of("shop") == known.shard_of("side")
    assert known.shard_of("db") == router().shard_of("api"), "by the first of their names"
    assert known.shard_of("mail") == router().shard_of("mail")


def test_one_domain_or_system_lies_together_by_its_first_name() -> None:
    known = router(
        Service("a", domain="x"), Service("b", domain="x"), Service("c", system="y"), Service("d", ("c", "b")),
    )  # fmt: skip
    assert len({known.shard_of(name) for name in ("a", "b", "c", "d")}) == 1
    assert known.shard_of("a") == router(Service("q", domain="x")).shard_of("q")
    apart = router(Service("a", domain="x"), Service("c", domain="y"))
    assert apart.shard_of("a") != apart.shard_of("c")


@pytest.mark.parametrize(
    ("found", "goes"),
    [
        (event("alert.fired"), "home"),
        (event("change.deployed", service=None), "home"),
        (event("impact.clear"), "home"),
        (event("impact.started"), "everywhere"),
        (event("impact.ended", service="mail"), "everywhere"),
        (event("incident.opened"), "everywhere"),
        (event("incident.closed", service="mail"), "everywhere"),
        (event("note.added"), "home"),
        (event("note.added", service=None), "everywhere"),
        (event("maintenance.started", service=None, labels={"scope": "db,api"}), "home"),
        (event("maintenance.started", service=None), "everywhere"),
        (event("maintenance.ended", service="db"), "everywhere"),
        (event("change.merged"), "home"),
        (event("change.merged", labels={"reverts": "c1"}), "everywhere"),
    ],
)
def test_where_an_event_goes(found: Event, goes: str) -> None:
    known = Router(shop())
    if goes == "everywhere":
        assert known.route(found) == EVERYWHERE
    else:
        assert set(known.route(found)) == {known.home(found), *[known.shard_of("db")][: bool(found.labels)]}


def test_what_is_said_of_one_thing_of_no_service_has_one_home() -> None:
    known = Router(shop())
    disk = [event("alert.fired", service=None, subject="disk"), event("change.scaled", service=None, subject="disk")]
    flag = [event("change.flag_set", service=None, subject=each, labels={"flag": "new"}) for each in ("a", "b")]
    assert len({known.home(each) for each in disk}) == len({known.home(each) for each in flag}) == 1
    nameless = [make_event("alert.fired", 0, name, service=None) for name in ("e1", "e2")]
    assert len({known.home(each) for each in nameless}) == 2


def test_announced_work_goes_to_every_service_that_it_lists() -> None:
    known = Router(shop())
    told = event("maintenance.started", service="mail", labels={"scope": "db, side"})
    assert known.route(told) == tuple(sorted({known.shard_of("db"), known.shard_of("mail")}))


def test_partitions_carry_shards_by_remainder() -> None:
    assert [partition_of(shard, 12) for shard in (0, 11, 12, 255)] == [0, 11, 0, 3]
    assert partitions_of((0, 12, 5, 255), 12) == (0, 3, 5)
    assert shards_of(3, 100) == (3, 103, 203)
    assert sorted(shard for partition in range(7) for shard in shards_of(partition, 7)) == list(EVERYWHERE)
