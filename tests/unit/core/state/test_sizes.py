"""What each piece of state is taken to cost, in bytes: by what it says alone."""

from __future__ import annotations

import pytest

from monitor.core.deciding.engine_settings import EngineSettings
from monitor.core.model.events import Event
from monitor.core.state.alerts import Track
from monitor.core.state.candidates import Candidate, CappedEvidence
from monitor.core.state.costs import event_bytes, labels_bytes, next_event_bytes, text_bytes, texts_bytes
from monitor.core.state.episodes import Episode, PastDraft
from monitor.core.state.sizes import (
    candidate_bytes,
    caught_bytes,
    episode_bytes,
    evidence_bytes,
    past_draft_bytes,
    place_bytes,
)
from monitor.core.weighing.habits import Rate
from monitor.core.weighing.option import Caught, Option
from monitor.core.weighing.place import ServiceMemory
from tests.support.streams import make_event, new_engine, run
from tests.unit.core.deciding.test_verdict import decide, the_draft

BARE = 420 + 1


def bare(**fields: object) -> Event:
    return make_event("note.added", 0, "n", **fields)


@pytest.mark.parametrize(
    ("text", "size"), [(None, 0), ("", 56), ("abc", 59), ("é", 84), ("añb", 92)], ids=["none", "empty", "abc", "é", "ñ"]
)
def test_a_text(text: str | None, size: int) -> None:
    assert text_bytes(text) == size


def test_texts_and_labels() -> None:
    assert texts_bytes(["a", "bc"]) == 57 + 58
    assert labels_bytes({}) == 0
    assert labels_bytes({"a": "xy", "b": "z"}) == 64 + 2 * 166 + 3
    assert labels_bytes({"a": "xé"}) == 64 + 166 + 8


@pytest.mark.parametrize(
    ("event", "size"),
    [
        (bare(), BARE),
        (bare(title="abc"), BARE + 59),
        (bare(subject="abc"), BARE + 59),
        (bare(url="abc"), BARE + 59),
        (bare(labels={"a": "xy"}), BARE + 232),
        (bare(marks=("m",)), BARE + 57),
        (bare(resolved_from={"service": "xy"}), BARE + 232),
    ],
)
def test_an_event(event: Event, size: int) -> None:
    assert event_bytes(event) == size


def test_an_event_behind_another_shares_equal_labels_with_it() -> None:
    labelled = bare(labels={"a": "xy"})
    assert next_event_bytes(labelled, None) == BARE + 232
    assert next_event_bytes(labelled, labelled) == BARE
    assert next_event_bytes(labelled, bare(labels={"a": "xy"})) == BARE
    assert next_event_bytes(labelled, bare(labels={"a": "zz"})) == BARE + 232
    assert next_event_bytes(bare(), bare()) == BARE


def evidence(count: int) -> CappedEvidence:
    found = CappedEvidence()
    for _ in range(count):
        found.add(bare())
    return found


def test_a_candidate_with_what_it_follows() -> None:
    assert evidence_bytes(evidence(3)) == 3 * BARE
    found = Candidate("id", "r", "1", "key", "db", 0, evidence(2), evidence(1), {"abc": Track()})
    assert candidate_bytes(found) == 1600 + 4 * 58 + 59 + (110 + 100 + 59) + 3 * BARE


def test_an_episode_with_and_without_a_draft() -> None:
    bare_one = Episode("e", ["db"], ["i"], ["c"], ["s"], {"k": Track()})
    assert episode_bytes(bare_one) == 2000 + 58 + 4 * 57 + 160
    draft = the_draft(decide())
    with_draft = Episode("e", ["db"], draft=draft)
    assert episode_bytes(with_draft) == 2000 + 58 + 6000 + sum(event_bytes(cited.event) for cited in draft.evidence)
    assert past_draft_bytes(PastDraft(["db", "api"], 0, 1)) == 220 + 200 + 58 + 59


def test_what_the_net_caught() -> None:
    option = Option("alert", "k", "db", 0, 0, {"bias": 1.0, "note": 1.0}, {"severity": "xy"}, [bare()], ["p"])
    assert caught_bytes(Caught("id", bare(), None, [option])) == 58 + BARE + 900 + 220 + 232 + 57 + BARE
    assert caught_bytes(Caught("id", bare(), bare(), [])) == 58 + 2 * BARE


def test_what_the_weighing_keeps_of_a_service() -> None:
    place = ServiceMemory("db")
    assert place_bytes(place) == 900 + 58
    place.fired(bare(subject="k", labels={"alertname": "abc"}), production=True)
    sign = 420 + event_bytes(place.signs[0].first) + 57 + 59
    assert place_bytes(place) == 900 + 58 + sign
    place.changed(bare())
    place.responded(bare())
    place.rates["r"] = Rate(1.0, 0)
    place.orphans["abc"] = 1
    assert place_bytes(place) == 900 + 58 + sign + 2 * BARE + 400 + 59


def test_a_state_counts_what_it_holds_only_under_a_budget() -> None:
    assert new_engine([]).gauges()["state_bytes"] == 0
    engine = new_engine([], settings=EngineSettings(state_bytes=10_000_000))
    run(engine, [make_event("alert.fired", 0, "a"), make_event("note.added", 60, "n")], end=False)
    assert engine.gauges()["state_bytes"] > 0
