"""Several engines under one watermark: who gets an event, when time goes on, and what is written of them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from monitor.core.deciding.engine_settings import EngineSettings
from monitor.core.model.decisions import Decision, Ignore, Late, Open
from monitor.core.model.events import MINUTE, SECOND, Event, Instant
from monitor.core.sharding.routing import BROADCAST, EVERYWHERE, Router
from monitor.core.sharding.shards import Shards, scope_of, scopes_of
from monitor.core.state.cells import StateError
from monitor.packs.language.regex import make_regex
from tests.support.streams import PERSON, START, acted_rule, make_event, shop

HERE = Router(shop()).shard_of("db")
MAIL = Router(shop()).shard_of("mail")


def shards(only: Iterable[int] = EVERYWHERE, **more: object) -> Shards:
    return Shards("p0", tuple(only), [acted_rule()], shop(), make_regex, EngineSettings(), **more)  # type: ignore[arg-type]


def step(here: Shards, *events: Event) -> list[Decision]:
    router = Router(shop())
    return here.step(events, [router.route(event) for event in events])


def trouble(service: str = "db") -> list[Event]:
    return [
        make_event("alert.fired", 0, "alert", service=service, subject="full", severity="high"),
        make_event("change.scaled", 10, "act", service=service, actor=PERSON),
        make_event("alert.resolved", 20, "fine", service=service, subject="full"),
    ]


def test_an_event_of_another_partition_is_left_out() -> None:
    here = shards([HERE])
    step(here, *trouble("mail"))
    assert here.gauges() == {}
    step(here, *trouble("db"))
    assert here.gauges()["open_instances"] >= 1


def test_one_engine_is_made_for_each_shard_that_gets_an_event() -> None:
    here = shards()
    step(here, *trouble(), make_event("note.added", 30, "n", service="mail"))
    step(here, make_event("note.added", 31, "n2", service="mail"))
    assert sorted(here._engines) == sorted({HERE, MAIL})


def test_time_goes_on_for_all_of_them() -> None:
    here = shards()
    decided = step(here, *trouble(), make_event("note.added", 300, "n", service="mail"))
    assert [type(each) for each in decided] == [Open]
    assert here.watermark == START + 299 * MINUTE
    assert here._engines[HERE].watermark == here.watermark


def test_a_tick_goes_to_every_engine() -> None:
    here = shards()
    step(here, *trouble())
    assert here.tick(Instant(START + 140 * MINUTE)) == []
    assert [type(each) for each in here.tick(Instant(START + 140 * MINUTE + SECOND))] == [Open]


def test_before_anything_came_there_is_no_watermark() -> None:
    assert shards().watermark is None


def test_what_came_late_to_several_engines_is_late_once() -> None:
    here = shards()
    step(here, *trouble(), make_event("note.added", 30, "n", service="mail"))
    late = step(here, make_event("incident.opened", 5, "inc", service="db"))
    assert [type(each) for each in late] == [Late]
    old = step(here, make_event("note.added", -60 * 24 * 30, "old", service=None))
    assert [type(each) for each in old] == [Ignore, Late]


def test_what_changed_is_written_by_scope() -> None:
    here = shards()
    step(here, *trouble())
    assert sorted(here.take_changes()) == ["p0", scope_of(HERE)]
    assert here.take_changes() == {}
    here.tick(Instant(START + 25 * MINUTE))
    here.take_changes()
    here.tick(Instant(START + 26 * MINUTE))
    assert sorted(here.take_changes()) == ["p0"]
    here.tick(Instant(START + 300 * MINUTE))
    assert sorted(here.take_changes()) == ["p0", scope_of(HERE)]


def test_a_partition_goes_on_where_it_was() -> None:
    here = shards()
    step(here, *trouble())
    cells = {scope: {k: v for k, v in found.items() if v is not None} for scope, found in here.take_changes().items()}
    again = shards(cells=cells)
    assert again.watermark == here.watermark
    assert again.take_changes() == {}
    assert [type(each) for each in again.tick(Instant(START + 300 * MINUTE))] == [Open]


def test_a_watermark_that_cannot_be_read_is_named() -> None:
    with pytest.raises(StateError, match="the saved watermark of the partition cannot be read"):
        shards(cells={"p0": {"timeline:": b"x"}})


def test_the_names_of_scopes() -> None:
    assert scopes_of("p0", [1, 20, 255]) == ("p0", "shard/001", "shard/020", "shard/255")
    assert shards([2, 1]).scopes == ("p0", "shard/001", "shard/002")


def test_rules_are_replaced_in_every_engine() -> None:
    here = shards()
    step(here, *trouble())
    decided = here.replace([], shop())
    assert [each.reason for each in decided if isinstance(each, Ignore)] == ["rule_gone"]
    assert scope_of(HERE) in here.take_changes()


def test_sizes_are_sums_over_the_engines() -> None:
    here = shards()
    step(here, *trouble(), *trouble("mail"))
    each = [engine.gauges() for engine in here._engines.values()]
    assert len(each) == 2
    assert here.gauges() == {name: sum(gauges[name] for gauges in each) for name in each[0]}


@pytest.mark.parametrize("kind", sorted(BROADCAST))
def test_what_reaches_every_shard_is_observed_at_its_home_alone(kind: str) -> None:
    here = shards()
    step(here, *trouble(), *trouble("mail"))
    tests = [here._engines[shard]._is_home for shard in (HERE, MAIL)]
    assert [is_home is not None and is_home(make_event(kind, 40)) for is_home in tests] == [True, False]
    assert [is_home is not None and is_home(make_event("change.scaled", 41)) for is_home in tests] == [True, True]
