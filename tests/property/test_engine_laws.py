"""The laws of the engine: what must hold for every stream, whatever it says."""

from __future__ import annotations

import random
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.matching import last_values
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Amend, Decision, Ignore, Open
from monitor.core.model.events import HOUR, MINUTE, SECOND, Event, Instant
from monitor.core.model.rule import Rule
from monitor.lab.ledger import Ledger
from tests.support.streams import (
    START,
    acted_rule,
    final,
    histories,
    last_values_rules,
    law_rules,
    make_event,
    new_engine,
    noises,
    run,
    saved,
    streams,
)

LATENESS = 60 * SECOND


def disordered(stream: list[Event], seed: int) -> list[Event]:
    """An arrival order in which every event comes less than the lateness behind its place."""
    chance = random.Random(seed)
    delay = {(e.source, e.id): chance.randrange(LATENESS) for e in stream}
    return sorted(stream, key=lambda e: (e.time + delay[e.source, e.id], e.source, e.id))


@given(streams(), st.integers(0, 2**32))
def test_arrival_order_within_the_lateness_does_not_matter(stream: list[Event], seed: int) -> None:
    assert final(run(new_engine(), disordered(stream, seed))) == final(run(new_engine(), stream))


@given(streams(), st.lists(st.integers(0, 1000), max_size=30))
def test_duplicates_do_not_matter(stream: list[Event], places: list[int]) -> None:
    doubled = list(stream)
    for place in places:
        doubled.insert((place + 7) % (len(doubled) + 1), stream[place % len(stream)])
    once = final(run(new_engine(), stream))
    sorted_doubles = sorted(doubled, key=lambda e: (e.time, e.source, e.id))
    assert final(run(new_engine(), sorted_doubles)) == once
    assert final(run(new_engine(), [*stream, *stream])) == once


@given(streams(), st.integers(0, 2**32))
def test_copies_that_come_hours_later_do_not_matter(stream: list[Event], seed: int) -> None:
    """A sender or a broker that was away repeats what it could not know to be here already."""
    chance = random.Random(seed)
    arrivals = [(int(event.time), place, event) for place, event in enumerate(stream)]
    copies = [event for event in stream if chance.random() < 0.4]
    arrivals += [(event.time + chance.randrange(LATENESS, 3 * HOUR), len(stream), event) for event in copies]
    arrivals.sort(key=lambda arrival: (arrival[0], arrival[1], arrival[2].source, arrival[2].id))
    assert final(run(new_engine(), [event for *_, event in arrivals])) == final(run(new_engine(), stream))


@given(streams(), st.lists(st.integers(1, 20), min_size=1, max_size=20))
def test_where_batches_end_does_not_matter(stream: list[Event], sizes: list[int]) -> None:
    whole = new_engine()
    decided = run(whole, stream)
    batched = new_engine()
    pieces: list[Decision] = []
    rest = list(stream)
    while rest:
        size = sizes[len(pieces) % len(sizes)]
        pieces += batched.step(rest[:size])
        rest = rest[size:]
    assert pieces + batched.end() == decided


@given(streams(), st.lists(st.integers(0, 60), max_size=4), st.integers(0, 2**32))
def test_stop_and_resume_at_any_point_equals_no_stop(stream: list[Event], stops: list[int], seed: int) -> None:
    arrivals = disordered(stream, seed)
    assert with_stops(arrivals, stops) == run(new_engine(), arrivals)


@given(histories(), st.data())
def test_a_stop_changes_nothing_whatever_is_learned_late_or_forgotten_early(
    stream: list[Event], data: st.DataObject
) -> None:
    """What was before an event is told when it comes: neither late events nor what is pushed out change it."""
    late = data.draw(st.lists(st.sampled_from(stream), max_size=2))
    arrivals = [*(event for event in stream if event not in late), *late]
    stops = data.draw(st.lists(st.integers(0, len(arrivals)), min_size=1, max_size=2))
    with mock.patch.object(last_values, "MOST_VALUES", data.draw(st.integers(1, 3))):
        assert with_stops(arrivals, stops, last_values_rules()) == run(new_engine(last_values_rules()), arrivals)


def with_stops(arrivals: list[Event], stops: list[int], rules: list[Rule] | None = None) -> list[Decision]:
    """What is decided by an engine that is stopped and goes on after so many events."""
    cells: dict[str, bytes] = {}
    engine = new_engine(rules)
    decided = []
    for place, event in enumerate(arrivals):
        decided += engine.step([event])
        kept = saved(cells, engine)
        if place in stops:
            engine = new_engine(rules, cells=kept)
    return decided + engine.end()


@given(streams(), st.lists(st.integers(0, 3 * 24 * 60), max_size=10))
def test_ticks_decide_only_when(stream: list[Event], minutes: list[int]) -> None:
    """A live run that ticks at the head of its journal opens what a replay without ticks opens."""
    live = new_engine()
    decided = []
    ticks = sorted(START + minute * MINUTE for minute in minutes)
    for event in stream:
        while ticks and ticks[0] <= event.time:
            decided += live.tick(Instant(ticks.pop(0) - LATENESS))
        decided += live.step([event])
    assert final(decided + live.end()) == final(run(new_engine(), stream))


@given(streams(), noises())
def test_other_peoples_noise_changes_neither_when_nor_whether(stream: list[Event], noise: list[Event]) -> None:
    with_noise = sorted([*stream, *noise], key=lambda e: (e.time, e.source, e.id))
    assert opened(run(new_engine([acted_rule()]), with_noise)) == opened(run(new_engine([acted_rule()]), stream))


def opened(decided: list[Decision]) -> dict[str, tuple[object, ...]]:
    """When each draft opened, when it was safe, and whether it stands."""
    ledger = Ledger()
    ledger.record(decided)
    return {
        str(entry.draft.id): (entry.draft.opened_at, entry.draft.safe_at, entry.draft.window_to, entry.stands)
        for entry in ledger.entries()
    }


@given(streams())
def test_a_quiet_key_gets_its_decision(stream: list[Event]) -> None:
    """Time alone settles everything that was begun: no further event is needed, and no end of a file."""
    engine = new_engine()
    engine.step(stream)
    engine.tick(Instant(stream[-1].time + 40 * 24 * 60 * MINUTE))
    assert engine.gauges()["open_instances"] == 0
    assert engine.gauges()["open_episodes"] == 0
    assert engine.gauges()["pending_events"] == 0


@given(streams())
def test_nothing_negative_before_its_window_has_passed(stream: list[Event]) -> None:
    engine = new_engine()
    for event in stream:
        for decision in engine.step([event]):
            if isinstance(decision, Open | Amend):
                assert engine.watermark is not None
                assert decision.draft.window_to < engine.watermark
            if isinstance(decision, Ignore):
                assert engine.watermark is not None
                assert decision.at < engine.watermark


@given(streams())
def test_a_silent_feed_never_gives_none(stream: list[Event]) -> None:
    silent = [event for event in stream if event.kind != "impact.clear"]
    if silent:
        for line in final(run(new_engine(), silent)).values():
            assert line["verdict"] == "unknown"
            assert "no_feed" in line["missing_evidence"]  # type: ignore[operator]


@given(streams())
def test_impact_announced_for_everyone_leaves_nothing_standing(stream: list[Event]) -> None:
    first, last = stream[0].time, stream[-1].time
    for_all = [
        make_event("impact.started", minute, f"public-{minute}", source="status", service=None)
        for minute in range(int((first - START) // MINUTE), int((last - START) // MINUTE) + 1, 12 * 60)
    ]
    both = sorted([*stream, *for_all], key=lambda e: (e.time, e.source, e.id))
    assert all(line["state"] != "draft" for line in final(run(new_engine(), both)).values())


@given(streams(), st.integers(-40 * 365, 40 * 365))
def test_a_shift_of_all_times_changes_no_verdict(stream: list[Event], days: int) -> None:
    import msgspec

    shift = days * 24 * 60 * MINUTE
    fields = ("time", "expires_at", "previous_expires_at")
    shifted = [
        msgspec.structs.replace(
            event, **{name: Instant(at + shift) for name in fields if (at := getattr(event, name)) is not None}
        )
        for event in stream
    ]

    def facts(lines: dict[str, dict[str, object]]) -> list[tuple[object, ...]]:
        return sorted((str(k), str(v["state"]), str(v["verdict"]), str(v["title"])) for k, v in lines.items())

    assert facts(final(run(new_engine(), shifted))) == facts(final(run(new_engine(), stream)))


@given(streams())
@settings(max_examples=20)
def test_an_empty_catalogue_crashes_nothing(stream: list[Event]) -> None:
    final(run(new_engine(law_rules(), Catalogue()), stream))


@given(streams(), st.lists(st.tuples(st.integers(0, 59), st.integers(2, 2000)), min_size=1, max_size=4))
def test_late_events_crash_nothing_and_keep_the_invariants(stream: list[Event], late: list[tuple[int, int]]) -> None:
    delay = {(stream[place % len(stream)].source, stream[place % len(stream)].id): minutes for place, minutes in late}
    arrivals = sorted(stream, key=lambda e: (e.time + delay.get((e.source, e.id), 0) * MINUTE, e.source, e.id))
    engine = new_engine()
    decided = []
    for event in arrivals:
        decided += engine.step([event])
    final(decided + engine.end())
