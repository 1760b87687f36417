"""The laws of a backtest: it opens what a replay opens, and a pack differs in nothing from itself."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model.events import Event
from monitor.core.model.rule import Rule
from monitor.lab.backtest import Backtest
from monitor.lab.backtest_index import IndexWriter
from monitor.lab.difference import differences
from monitor.lab.ledger import Ledger
from monitor.lab.shadow import as_live
from monitor.packs.language.regex import make_regex
from tests.support.small_stories import small_stories
from tests.support.streams import law_rules, new_engine, run, shop, streams


def backtested(stream: list[Event], rules: list[Rule], size: int) -> Backtest:
    backtest = Backtest(rules, shop(), make_regex, is_compared=True)
    for start in range(0, len(stream), size):
        backtest.want(backtest.step(stream[start : start + size]))
    backtest.end()
    return backtest


def shadowed(place: int) -> list[Rule]:
    rules = law_rules()
    rules[place] = msgspec.structs.replace(rules[place], mode="shadow")
    return rules


@given(streams(), st.integers(1, 40))
def test_it_finds_what_a_replay_finds(stream: list[Event], size: int) -> None:
    ledger = Ledger()
    ledger.record(run(new_engine(), stream))
    found = backtested(stream, law_rules(), size).report().found
    expected = [(entry.draft.id, entry.draft.title, entry.state) for entry in ledger.entries()]
    assert [(one.id, one.title, one.state) for one in found] == expected


@given(streams(), st.integers(1, 40), st.integers(0, 4))
def test_a_pack_differs_in_nothing_from_itself(stream: list[Event], size: int, place: int) -> None:
    before, after = backtested(stream, shadowed(place), size), backtested(stream, shadowed(place), 1000)
    assert differences(before, after) == ()


@given(streams(), st.integers(0, 4))
def test_a_rule_in_shadow_changes_nothing_of_what_is_shown(stream: list[Event], place: int) -> None:
    """What is shown is what a replay of the same pack shows."""
    ledger = Ledger()
    ledger.record(run(new_engine(shadowed(place)), stream))
    shown = [one for one in backtested(stream, shadowed(place), 1000).report().found if one.mode != "shadow"]
    assert [one.id for one in shown] == [entry.draft.id for entry in ledger.entries()]


@given(streams(), st.integers(0, 4))
def test_differences_are_the_same_from_both_sides(stream: list[Event], place: int) -> None:
    """What appears one way vanishes the other way."""
    less = [rule for number, rule in enumerate(law_rules()) if number != place]
    one, other = backtested(stream, law_rules(), 1000), backtested(stream, less, 1000)
    there, back = differences(one, other), differences(other, one)
    assert {change.found.id for change in there if change.kind == "vanishes"} == {
        change.found.id for change in back if change.kind == "appears"
    }
    standing = len(other.report().standing) - len(one.report().standing)
    kinds = [change.kind for change in there]
    assert kinds.count("appears") - kinds.count("vanishes") == standing


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(0, 8), st.booleans())
def test_what_rules_in_shadow_show_is_what_they_open_when_live(seed: int, size: int, place: int, indexed: bool) -> None:
    """Also where the second engine starts late, from the end of one of many stretches."""
    stream, rules = small_stories(seed), shadowed(place)
    ledger = Ledger()
    ledger.record(run(new_engine(as_live(rules)), stream))
    name = rules[place].name
    expected = [(e.draft.id, e.draft.title, e.state) for e in ledger.entries() if e.draft.rules[0] == name]
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr("monitor.lab.backtest_runs.HELD", 7)
        writer = IndexWriter(Path(folder) / "index", "", rules, 7) if indexed else None
        backtest = Backtest(rules, shop(), make_regex, writer=writer)
        for start in range(0, len(stream), size):
            backtest.step(stream[start : start + size])
        backtest.end()
    found = [one for one in backtest.report().found if one.mode == "shadow"]
    assert [(one.id, one.title, one.state) for one in found] == expected
