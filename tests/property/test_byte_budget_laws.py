"""The laws of the byte budget: what it evicts is a function of the events, and what is small keeps everything."""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random

import msgspec
import pytest

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Amend, Decision, Evicted, Ignore, Open, Withdraw
from monitor.core.model.events import DAY, HOUR, MINUTE, SECOND, Event, Instant
from monitor.core.model.reasons import Mark, NotOpened, StateKind
from monitor.core.model.rule import Rule
from monitor.core.sharding.routing import SHARDS
from monitor.core.sharding.shares import LEAST, Shares
from monitor.decode.canonical import decode_line
from monitor.demo.story import CATALOGUE, story
from monitor.lab.explain import explain_event
from monitor.lab.generator import StreamShape, generate, make_catalogue
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.packs.weights import shipped_weights
from tests.support.partitions import engines_of, routed, run_partition
from tests.support.shipped import compiled_shipped, read_shipped
from tests.support.streams import MACHINE, PERSON, START, final, make_event, saved

SHAPE = StreamShape(
    events=2_000, services=8, user_facing=2, rate=0.02, candidates=0.1, disorder=0.0, bytes_each=0, seed=1
)
AMPLE = 10**9
SMALL = (200_000, 600_000)


@cache
def parts() -> tuple[tuple[Rule, ...], Catalogue, tuple[Event, ...]]:
    events = tuple(decode_line(line) for line in generate(SHAPE))
    return tuple(read_shipped()), make_catalogue(SHAPE), events


def new_engine(limit: int | None, cells: dict[str, bytes] | None = None) -> Engine:
    rules, catalogue, _ = parts()
    settings = EngineSettings(weights=shipped_weights(), state_bytes=limit)
    return Engine(rules, catalogue, make_regex, settings, cells, compiled=compiled_shipped())


def held(engine: Engine) -> int:
    return engine.budget.measured(engine.state.now).total


def run(limit: int | None, *, batch: int = 100, stops: float = 0.0) -> list[Decision]:
    engine, cells, decided, random = new_engine(limit), dict[str, bytes](), list[Decision](), Random(3)
    events = parts()[2]
    for start in range(0, len(events), batch):
        decided += engine.step(events[start : start + batch])
        cells = saved(cells, engine)
        if random.random() < stops:
            shuffled = sorted(cells.items())
            random.shuffle(shuffled)
            engine = new_engine(limit, dict(shuffled))
    return decided + engine.end()


@pytest.mark.parametrize("limit", SMALL)
def test_what_is_evicted_depends_neither_on_batches_nor_on_stops(limit: int) -> None:
    whole = run(limit)
    assert any(isinstance(decision, Evicted) for decision in whole)
    assert run(limit, batch=37) == whole
    assert run(limit, stops=0.3) == whole


def test_an_engine_within_its_budget_decides_as_one_without() -> None:
    assert run(AMPLE) == run(None)


def test_the_bound_is_never_below_what_is_held_and_a_restart_counts_the_same() -> None:
    engine, cells = new_engine(AMPLE), dict[str, bytes]()
    events = parts()[2]
    for start in range(0, len(events), 250):
        engine.step(events[start : start + 250])
        cells = saved(cells, engine)
        assert 0 < held(engine) <= engine.state.held + engine.state.grown
    again = new_engine(AMPLE, dict(cells))
    assert (again.state.held, again.state.grown) == (engine.state.held, engine.state.grown)
    assert held(again) == held(engine)


@pytest.mark.parametrize("limit", SMALL)
def test_no_more_is_held_than_the_budget_and_what_one_event_adds(limit: int) -> None:
    engine = new_engine(limit)
    for event in parts()[2][:600]:
        engine.step([event])
        assert held(engine) <= limit + 100_000
    assert engine.state.cuts.dirty


def flood(count: int) -> list[Event]:
    """Alerts and actions with large labels, on services that nobody knows, each another one."""
    first, last = parts()[2][0].time, parts()[2][-1].time
    kinds = ("alert.fired", "change.deployed", "alert.resolved", "change.configured")
    return [
        Event(
            id=f"flood-{n}",
            source="events/stranger",
            time=Instant(first + (last - first) * n // count),
            kind=kinds[n % 4],  # type: ignore[arg-type]  # one of the kinds
            service=f"stranger-{n // 4}",
            environment="production",
            subject=f"thing-{n // 4}",
            severity="high",
            labels={f"label{m}": f"{n}-" + "x" * 2_000 for m in range(4)},
            actor=PERSON if n % 8 < 4 else MACHINE,
        )
        for n in range(count)
    ]


def drafts(decisions: list[Decision]) -> list[Decision]:
    known = parts()[1]
    return [
        each
        for each in decisions
        if (isinstance(each, Open | Amend) and known.knows(each.draft.service or "")) or isinstance(each, Withdraw)
    ]


def test_a_flood_on_unknown_services_leaves_the_drafts_of_the_catalogues() -> None:
    rules, catalogue, events = parts()
    mixed = sorted([*events, *flood(2_000)], key=lambda event: event.time)

    def run_mixed(limit: int | None) -> tuple[list[Decision], int]:
        engine = Engine(rules, catalogue, make_regex, EngineSettings(state_bytes=limit), compiled=compiled_shipped())
        decided: list[Decision] = []
        most = 0
        for start in range(0, len(mixed), 100):
            decided += engine.step(mixed[start : start + 100])
            engine.forget_changes()
            most = max(most, held(engine))
        return decided + engine.end(), most

    without, all_of_it = run_mixed(None)
    within, most = run_mixed(8_000_000)
    assert most <= 8_000_000 < all_of_it
    assert drafts(within) == drafts(without) != []
    assert {each.kind for each in within if isinstance(each, Evicted)} >= {StateKind.EVENTS}


def strangers(now: Instant, count: int) -> list[Event]:
    """Of every kind that costs, from the last minutes, each as large as it may be and on new services."""
    random = Random(1)
    kinds = ("alert.fired", "change.rolled_back", "change.deployed", "alert.resolved", "incident.opened", "note.added")
    return [
        Event(
            id=f"stranger-{n}",
            source=f"events/stranger-{n % 50}",
            time=Instant(now - random.randrange(1, 1_200) * SECOND),
            kind=random.choice(kinds),  # type: ignore[arg-type]  # one of the kinds
            service=f"stranger-{n // 3}",
            environment="production",
            subject=f"thing-{n}",
            severity="critical",
            actor=PERSON,
            labels={f"label{m}": f"{random.random()}" + "x" * 3_900 for m in range(4)},
        )
        for n in range(count)
    ]


def test_strangers_leave_the_drafts_of_honest_senders_that_are_hours_late() -> None:
    """As `tests.bench.worst` tries it with a service, where uploads and connections come on top."""
    now, parts_late = Instant(START), 5
    honest = story(Instant(now - 5 * MINUTE))
    first = [event for event in honest if event.time < now - 20 * HOUR]
    rest = [event for event in honest if event.time >= now - 20 * HOUR]
    rules, catalogue = parts()[0], load_catalogue(CATALOGUE)[0]
    settings = EngineSettings(weights=shipped_weights(), state_bytes=8_000_000)
    end = make_event("note.added", 0, "end", source="test/end", service=None)

    def run_beside(others: list[Event]) -> tuple[dict[str, dict[str, object]], Counter[StateKind]]:
        engine = Engine(rules, catalogue, make_regex, settings, compiled=compiled_shipped())
        decided: list[Decision] = []
        decided += engine.step(first) + engine.step([msgspec.structs.replace(end, time=now, received_at=now)])
        size, more = len(rest) // parts_late + 1, len(others) // parts_late
        for part in range(parts_late):
            decided += engine.step(others[part * more : (part + 1) * more])
            decided += engine.step(rest[part * size : (part + 1) * size])
            engine.forget_changes()
        decided += engine.tick(now)
        gone = Counter[StateKind]()
        for each in decided:
            if isinstance(each, Evicted):
                gone[each.kind] += each.count
        return {name: d for name, d in final(decided).items() if catalogue.knows(str(d["service"]))}, gone

    alone, nothing = run_beside([])
    beside, gone = run_beside(strangers(now, 800))
    assert not nothing
    assert gone[StateKind.EVENTS] > 0 < gone[StateKind.PLACES]
    assert len(alone) > 10
    assert beside == alone


def test_what_is_evicted_is_the_same_however_many_partitions_carry_the_shards() -> None:
    rules, catalogue, events = parts()
    few = [msgspec.structs.replace(event, service=f"stranger-{n % 5}") for n, event in enumerate(flood(400))]
    mixed = sorted([*events[:600], *few], key=lambda event: event.time)
    settings, until = EngineSettings(state_bytes=2_000_000), Instant(mixed[-1].time + 40 * DAY)

    def divided(partitions: int, batch: int) -> list[str]:
        decided: list[Decision] = []
        for partition, entries in enumerate(routed(mixed, catalogue, partitions)):
            shards = engines_of(rules, catalogue, partition, partitions, settings=settings)
            decided += run_partition(shards, entries, until, batch)
        assert any(isinstance(decision, Evicted) for decision in decided)
        return sorted(map(str, decided))

    assert divided(1, 100) == divided(3, 37) == divided(1, 1000)


@pytest.mark.parametrize(("limit", "homes"), [(10**9, (3, 3, 3, 9)), (10**9, ()), (10**9, tuple(range(200)))])
def test_the_shares_of_all_shards_are_the_budget(limit: int, homes: tuple[int, ...]) -> None:
    shares = Shares(limit, homes)
    sizes = [shares.of(shard) or 0 for shard in range(SHARDS)]
    assert limit - SHARDS * 2 <= sum(sizes) <= limit
    assert all(sizes[shard] > sizes[255] for shard in homes)
    assert Shares(None, homes).of(3) is None
    assert Shares(1, homes).of(255) == LEAST


def test_candidates_go_last_and_say_why() -> None:
    """Thousands that stand at once: nothing else is left to evict."""
    engine, decided = new_engine(200_000), list[Decision]()
    for number in range(120):
        service = {"service": f"unknown-{number}"}
        decided += engine.step(
            [
                make_event("alert.fired", number / 2, f"f{number}", subject="errors", severity="critical", **service),
                make_event("change.rolled_back", number / 2 + 0.4, f"r{number}", actor=PERSON, **service),
            ]
        )
        engine.forget_changes()
    decided += engine.tick(Instant(make_event("note.added", 61).time + 60 * SECOND))
    gone = [each for each in decided if isinstance(each, Ignore) and each.reason is NotOpened.EVICTED]
    assert any("nothing else was left" in each.detail for each in gone)
    order = [each.kind for each in decided if isinstance(each, Evicted)]
    assert order.index(StateKind.EVENTS) < order.index(StateKind.CANDIDATES)


def test_explain_shows_the_reason_with_the_budget_of_the_service() -> None:
    rules, catalogue, events = parts()
    how = EngineSettings(weights=shipped_weights(), state_bytes=SMALL[0])
    evicted = next(each for each in run(SMALL[0]) if isinstance(each, Ignore) and each.reason is NotOpened.EVICTED)
    said = str(explain_event(events[:800], rules, catalogue, evicted.evidence[0], make_regex, how=how))
    assert "evicted: the engine's memory budget was reached" in said


def waiting_flood(count: int, service: str) -> list[Event]:
    labels = {"text": "x" * 8_000}
    return [
        make_event("alert.fired", n / 60_000, f"{service}-{n}", service=service, subject=f"{n}", labels=labels)
        for n in range(count)
    ]


def test_what_waits_for_the_watermark_is_bounded_and_small_events_of_the_catalogue_pass() -> None:
    """Before anything could be processed: strangers are refused, large events lose their labels, by name."""
    ours = min(parts()[1].services)
    stream = [*waiting_flood(700, "stranger"), *waiting_flood(30, ours)]
    stream.append(make_event("alert.fired", 0.9, "small", service=ours, subject="errors"))
    whole, batched = new_engine(32_000_000), new_engine(32_000_000)
    decided = whole.step(stream)
    waits = {event.id: event for *_, event in whole.state.awaiting_watermark}
    assert sum(len(str(event)) for event in waits.values()) < 4_500_000
    assert waits["small"].marks == ()
    assert waits[f"{ours}-29"].marks == (Mark.LABELS_EVICTED,)
    assert waits[f"{ours}-29"].labels == {}
    assert "stranger-699" not in waits
    refused = {each.evidence[0].id for each in decided if isinstance(each, Ignore)}
    assert refused == {event.id for event in stream} - waits.keys()
    assert sum(each.count for each in decided if isinstance(each, Evicted)) == len(refused) + 30
    pieces, cells = list[Decision](), dict[str, bytes]()
    for start in range(0, len(stream), 61):
        pieces += batched.step(stream[start : start + 61])
        cells = saved(cells, batched)
        batched = new_engine(32_000_000, dict(cells))
    assert pieces == decided
