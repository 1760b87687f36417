"""The laws of a reload: other rules and another catalogue while the engine is at work."""

from __future__ import annotations

from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.matching import last_values
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision
from monitor.core.model.events import HOUR, SECOND, Event, Instant
from monitor.core.model.rule import Rule, Step
from monitor.demo.story import CATALOGUE, story
from monitor.packs.catalogue.loader import load_catalogue
from tests.support.shipped import read_shipped
from tests.support.streams import (
    acted_rule,
    events,
    final,
    histories,
    last_values_rules,
    law_rules,
    new_engine,
    run,
    saved,
    shop,
    streams,
)

NOW = Instant(1_792_000_000 * SECOND)
MAIL = Step(frozenset({"alert.fired", "note.added"}))


def of_mail(version: str, **changes: Any) -> Rule:
    """A rule whose candidates all lie on a service that nothing is connected with."""
    from monitor.core.model.conditions import Compare

    hazard = Step(MAIL.kinds, Compare("service", "equals", ("mail",)))
    return acted_rule(name="mail", version=version, generic=False, hazard=hazard, **changes)


def with_reload(stream: list[Event], at: int, rules: list[Rule], after: list[Rule], by: str = "replace") -> Any:
    """What is decided when the rules change after so many events, in the running engine or by a restart."""
    engine = new_engine(rules)
    cells: dict[str, bytes] = {}
    decided: list[Decision] = []
    for event in stream[:at]:
        decided += engine.step([event])
        saved(cells, engine)
    if by == "replace":
        decided += engine.replace(after, shop())
    else:
        engine = new_engine(after, cells=saved(cells, engine))
    for event in stream[at:]:
        decided += engine.step([event])
    return decided + engine.end()


@given(streams(), st.integers(0, 200))
def test_the_same_rules_again_change_nothing(stream: list[Event], at: int) -> None:
    rules = law_rules()
    assert with_reload(stream, at, rules, rules) == run(new_engine(rules), stream)


@given(streams(), st.integers(0, 200))
def test_a_reload_equals_a_restart_with_the_new_rules(stream: list[Event], at: int) -> None:
    rules = law_rules()
    changed = [msgspec.structs.replace(rules[0], version="2", title="another"), *rules[2:], of_mail("1")]
    assert with_reload(stream, at, rules, changed) == with_reload(stream, at, rules, changed, by="restart")


@given(streams(), st.integers(0, 200), st.booleans())
def test_drafts_of_rules_that_stay_are_the_same(stream: list[Event], at: int, taken_out: bool) -> None:
    """Whatever becomes of a rule about one corner, what is found elsewhere does not notice."""
    rules = [*law_rules(), of_mail("1")]
    after = law_rules() if taken_out else [*law_rules(), of_mail("2", title="{service}: another title")]

    def elsewhere(decided: list[Decision]) -> dict[str, dict[str, object]]:
        return {draft: line for draft, line in final(decided).items() if line["service"] != "mail"}

    assert elsewhere(with_reload(stream, at, rules, after)) == elsewhere(run(new_engine(rules), stream))


@given(streams(), st.integers(0, 200))
def test_a_rule_that_means_the_same_under_a_new_version_finds_the_same(stream: list[Event], at: int) -> None:
    """As far as nothing of it was decided before: windows that are open begin anew with what is remembered."""
    rules = [acted_rule()]
    renewed = [acted_rule(version="2")]

    def found(decided: list[Decision]) -> set[str]:
        return set(final(decided))

    assert found(with_reload(stream, at, rules, renewed)) == found(run(new_engine(rules), stream))


@given(st.lists(events(), min_size=1, max_size=30, unique_by=lambda e: (e.source, e.id)), st.integers(0, 30))
def test_what_a_longer_window_needs_survives_a_later_stop(found: list[Event], at: int) -> None:
    """After a reload to a rule that looks back further, a stop and a start change nothing."""
    stream = sorted(found, key=lambda event: (event.time, event.source, event.id))
    short, long = [acted_rule()], [acted_rule(version="2", intervention=_within(72 * HOUR))]

    def decided(stop_at: int) -> list[Decision]:
        engine, cells, got = new_engine(short), dict[str, bytes](), list[Decision]()
        for place, event in enumerate(stream):
            if place == at:
                got += engine.replace(long, shop())
            if place == stop_at:
                engine = new_engine(long if place >= at else short, cells=saved(cells, engine))
            got += engine.step([event])
            saved(cells, engine)
        return got + engine.end()

    assert decided(len(stream) - 1) == decided(-1)


@given(histories(), st.data())
def test_what_other_rules_ask_of_what_was_is_told_once(stream: list[Event], data: st.DataObject) -> None:
    """After a reload, or a restart, by rules that ask for more, a later stop changes nothing."""
    late = data.draw(st.lists(st.sampled_from(stream), max_size=2))
    arrivals = [*(event for event in stream if event not in late), *late]
    first = data.draw(st.sampled_from([law_rules()[:2], last_values_rules()[:1], last_values_rules()[1:]]))
    then = [*last_values_rules()[:2], msgspec.structs.replace(last_values_rules()[2], version="2")]
    at, stop = (data.draw(st.integers(0, len(arrivals))) for _ in range(2))
    by_restart = data.draw(st.booleans())

    def decided(stops: bool) -> list[Decision]:
        engine, cells, got = new_engine(first), dict[str, bytes](), list[Decision]()
        for place, event in enumerate(arrivals):
            if place == at:
                if by_restart:
                    engine = new_engine(then, cells=saved(cells, engine))
                else:
                    got += engine.replace(then, shop())
            if stops and place == max(at + 1, stop):
                engine = new_engine(then, cells=saved(cells, engine))
            got += engine.step([event])
            saved(cells, engine)
        return got + engine.end()

    with mock.patch.object(last_values, "MOST_VALUES", data.draw(st.integers(1, 3))):
        assert decided(stops=True) == decided(stops=False)


def _within(within: int) -> Any:
    return msgspec.structs.replace(acted_rule().intervention, within=within)


@given(streams(max_size=30), st.integers(0, 100))
def test_another_catalogue_crashes_nothing(stream: list[Event], at: int) -> None:
    engine = new_engine()
    engine.step(stream[:at])
    engine.replace(law_rules(), Catalogue())
    engine.step(stream[at:])
    engine.replace(law_rules(), shop())
    engine.end()
    assert engine.gauges()["open_episodes"] == 0


@pytest.mark.parametrize("at", [500, 2600])
@pytest.mark.parametrize("change", ["grow", "shrink", "renew", "nothing"])
def test_with_the_shipped_rules_a_reload_equals_a_restart(change: str, at: int) -> None:
    """The same law on a stream that looks like life, to the very order of what is decided."""
    shipped = list(read_shipped())
    half = shipped[::2]
    renewed = [msgspec.structs.replace(rule, version=f"{rule.version}-2") for rule in half]
    before, after = {
        "grow": (half, shipped),
        "shrink": (shipped, half),
        "renew": (half, renewed),
        "nothing": (half, half),
    }[change]
    catalogue, _ = load_catalogue(CATALOGUE)
    stream = story(NOW)

    def decided(by: str) -> list[Decision]:
        engine, cells, got = new_engine(before, catalogue), dict[str, bytes](), list[Decision]()
        for start in range(0, at, 50):
            got += engine.step(stream[start : min(start + 50, at)])
            saved(cells, engine)
        if by == "replace":
            got += engine.replace(after, catalogue)
        else:
            engine = new_engine(after, catalogue, cells=saved(cells, engine))
        for start in range(at, len(stream), 50):
            got += engine.step(stream[start : start + 50])
        return got + engine.end()

    assert decided("replace") == decided("restart")
