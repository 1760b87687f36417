"""The laws of the engine with its acts weighed: order, copies, stops and partitions change no draft."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.deciding.engine import EngineSettings
from monitor.core.model.decisions import Decision
from monitor.core.model.events import MINUTE, Event
from monitor.core.weighing.weights import reasoned
from tests.property.test_engine_laws import disordered, opened
from tests.support.streams import START, final, new_engine, noises, run, saved, streams

HOW = EngineSettings(weights=reasoned(live=0.2, digest=0.1))
"""Low thresholds, so that many of the made-up candidates give drafts."""


@given(streams(), st.integers(0, 2**32))
def test_arrival_order_within_the_lateness_does_not_matter(stream: list[Event], seed: int) -> None:
    assert final(run(new_engine(settings=HOW), disordered(stream, seed))) == final(
        run(new_engine(settings=HOW), stream)
    )


@given(streams(), st.lists(st.integers(0, 1000), max_size=30))
def test_copies_do_not_matter(stream: list[Event], places: list[int]) -> None:
    copied = list(stream)
    for place in places:
        at = place % len(stream)
        copied.insert(copied.index(stream[at]) + 1, stream[at])
    assert final(run(new_engine(settings=HOW), copied)) == final(run(new_engine(settings=HOW), stream))


@given(streams(), st.integers(0, 2**32))
def test_a_stop_anywhere_changes_nothing(stream: list[Event], seed: int) -> None:
    """After every event the engine may be stopped and restored from its cells, given back in any order."""
    random = Random(seed)
    engine, cells, decided = new_engine(settings=HOW), dict[str, bytes](), list[Decision]()
    for event in stream:
        decided += engine.step([event])
        kept = list(saved(cells, engine).items())
        if random.random() < 0.2:
            random.shuffle(kept)
            engine = new_engine(settings=HOW, cells=dict(kept))
    decided += engine.end()
    assert final(decided) == final(run(new_engine(settings=HOW), stream))


@given(streams(), st.data())
def test_noise_after_the_last_act_changes_nothing(stream: list[Event], data: st.DataObject) -> None:
    """Before it, what stands beside an act is weighed; afterwards other people's alerts are nobody's business."""
    last = max((event.time for event in stream if event.kind.startswith("change.")), default=START)
    noise = data.draw(noises((last - START) // MINUTE + 1))
    with_noise = sorted([*stream, *noise], key=lambda e: (e.time, e.source, e.id))
    assert opened(run(new_engine([], settings=HOW), with_noise)) == opened(run(new_engine([], settings=HOW), stream))


@given(streams())
def test_no_weights_no_probability(stream: list[Event]) -> None:
    assert all(line["probability"] is None for line in final(run(new_engine(), stream)).values())


@given(streams())
def test_every_draft_has_a_probability_and_reasons(stream: list[Event]) -> None:
    for line in final(run(new_engine(settings=HOW), stream)).values():
        chance = line["probability"]
        assert isinstance(chance, float)
        assert 0.0 <= chance <= 1.0
