"""An engine that was sent back decides again what began since then, and nothing twice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import pytest

from monitor.cli.main import run
from monitor.core.deciding.engine import Engine
from monitor.core.model.decisions import Decision, Open, Withdraw
from monitor.core.model.events import DAY, HOUR, SECOND, Event, Instant, to_text
from monitor.core.model.near_miss import Cited, Move, State
from monitor.core.model.reasons import Withdrawn
from monitor.demo.story import CATALOGUE, story
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.ports import Commit, Decide, Fenced, Held, Query, Record
from monitor.store.database import Store
from monitor.store.journal import PARTITION
from tests.support.records import BASE, at, draft, event
from tests.support.shipped import compiled_shipped, read_shipped

NOW = Instant(1_772_366_400 * SECOND)  # 2026-03-01T12:00:00Z


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """Six days of an invented web shop that end now, in the order of arrival."""
    return story(NOW)


async def drive(store: Store) -> None:
    """The engine reads to the end of the journal, from where the store says, and commits every 200 events."""
    saved = await store.engine_store.acquire("engine")
    catalogue, _ = load_catalogue(CATALOGUE)
    engine = Engine(read_shipped(), catalogue, make_regex, cells=saved.cells, compiled=compiled_shipped())
    positions = dict(saved.positions)
    while True:
        batch = await store.journal.read(positions, 200)
        decisions = engine.step(batch.events)
        if batch.at_head:
            decisions += engine.tick(Instant(NOW - 60 * SECOND))
        positions = batch.positions
        await store.engine_store.commit(Commit(tuple(decisions), engine.take_changes(), positions, saved.epoch, NOW))
        if batch.at_head:
            await store.engine_store.release("", saved.epoch)
            return


async def records(store: Store) -> dict[str, Record]:
    found = (await store.near_misses.page(Query(), None, 200)).records
    return {record.draft.id: record for record in found}


async def send_back(store: Store, to: Instant, warm_up: int) -> None:
    place = await store.rewind.place(Instant(to - warm_up))
    assert place.position is not None
    epochs = await store.rewind.own(0)
    await store.rewind.rewind({PARTITION: place.position}, to, NOW)
    await store.rewind.leave(epochs)


@pytest.mark.parametrize("days", [1, 2, 4])
async def test_a_replay_with_a_warm_up_changes_nothing(store: Store, events: list[Event], days: int) -> None:
    await store.journal.append(events)
    await drive(store)
    first = next(iter(await records(store)))
    accept = Decide(first, Move.DISMISS, "reviewer", NOW, reason="noise", note="seen before")
    await store.near_misses.decide(accept)
    before, counts = await records(store), await store.not_opened.counts("2000-01-01")
    trails = {each: await store.near_misses.audit(each) for each in before}

    await send_back(store, Instant(NOW - days * DAY), 14 * DAY)
    await drive(store)

    assert await records(store) == before
    assert await store.not_opened.counts("2000-01-01") == counts
    assert {each: await store.near_misses.audit(each) for each in before} == trails
    assert len(before) >= 12


async def test_without_a_warm_up_nothing_of_before_is_opened_twice(store: Store, events: list[Event]) -> None:
    """The engine then sees stories from their middle; those began before, and stay as they were decided."""
    await store.journal.append(events)
    await drive(store)
    before = await records(store)
    floor = Instant(NOW - 2 * DAY)

    await send_back(store, floor, HOUR)
    await drive(store)

    after = await records(store)
    old = {each: record for each, record in before.items() if record.draft.first_sign_at < floor}
    assert {each: record for each, record in after.items() if record.draft.first_sign_at < floor} == old
    assert old
    assert after.keys() == before.keys()


async def test_who_still_works_is_not_displaced_unless_asked(store: Store, other: Store) -> None:
    saved = await other.engine_store.acquire("engine", lease=HOUR)

    with pytest.raises(Held):
        await store.rewind.own(HOUR)
    epochs = await store.rewind.own(0)
    with pytest.raises(Fenced, match="rewind took over"):
        await other.engine_store.commit(Commit((), {}, {PARTITION: 9}, saved.epoch, NOW))
    await store.rewind.leave(epochs)


async def test_the_place_of_a_time(store: Store, events: list[Event]) -> None:
    await store.journal.append(events)
    middle = Instant(NOW - 3 * DAY)

    place = await store.rewind.place(middle)

    assert place.position is not None
    left = events[: place.position - 1]
    assert all(event.time < middle for event in left)
    assert place.oldest == min(event.time for event in events)
    assert (await store.rewind.place(Instant(NOW + DAY))).position is None


@pytest.mark.parametrize("together", [True, False])
async def test_what_is_out_says_after_a_rewind_what_the_engine_found_then(store: Store, together: bool) -> None:
    """By a clock that was a day behind it began before the time from which on all is decided again."""
    wrong, right = draft(first_sign_at=Instant(BASE - DAY)), draft(title="at its true time")
    seen = event("i2", "impact.started", 30)

    def withdrawal(reason: Withdrawn, event: Event) -> Withdraw:
        return Withdraw("nm-1", reason, at(40), (Cited("impact", event),))

    first: list[list[Decision]] = [
        [Open(wrong)],
        [withdrawal(Withdrawn.IMPACT_AFTERWARDS, event("i1", "impact.started", 60))],
    ]
    again: list[list[Decision]] = [[Open(right)], [withdrawal(Withdrawn.IMPACT_IN_WINDOW, seen)]]
    await commit(store, *first)
    epochs = await store.rewind.own(0)
    await store.rewind.rewind({}, right.first_sign_at, NOW)
    await store.rewind.leave(epochs)
    await commit(store, *([[*again[0], *again[1]]] if together else again))

    record = await store.near_misses.get("nm-1")
    assert (record.state, record.draft) == (State.WITHDRAWN, right)
    assert (record.reason, record.impact_evidence) == ("impact_in_window", (seen,))
    assert [each.action for each in await store.near_misses.audit("nm-1")] == ["open", "withdraw", "amend", "amend"]


async def commit(store: Store, *batches: Sequence[Decision]) -> None:
    epoch = (await store.engine_store.acquire("engine")).epoch
    for batch in batches:
        await store.engine_store.commit(Commit(tuple(batch), {}, {}, epoch, NOW))


def test_the_command(store_url: str, events: list[Event], capfd: pytest.CaptureFixture[str]) -> None:
    to = to_text(Instant(NOW - 2 * DAY))
    arguments = ["rewind", "--to", str(to), "--database", store_url]
    assert run(arguments) == 1
    assert "no engine has read anything yet" in capfd.readouterr().err

    async def prepare() -> dict[str, Record]:
        async with Store(store_url) as store:
            await store.journal.append(events)
            await drive(store)
            return await records(store)

    before = asyncio.run(prepare())
    assert run([*arguments, "--dry-run"]) == 0
    out = capfd.readouterr().out
    assert re.search(rf"journal: {len(events) + 1} -> \d+", out)
    assert "the engine would read on from there" in out
    assert run([*arguments, "--warm-up", "2d"]) == 0
    assert f"what began before {to} keeps its decisions" in capfd.readouterr().out

    async def again() -> dict[str, Record]:
        async with Store(store_url) as store:
            assert await store.topics.positions() != {PARTITION: len(events) + 1}
            await drive(store)
            return await records(store)

    assert asyncio.run(again()) == before
    assert run(["rewind", "--to", "yesterday", "--database", store_url]) == 2
    assert run([*arguments, "--new-cluster"]) == 2


def test_the_command_refuses_while_an_engine_works(store_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["rewind", "--to", "2026-02-28T00:00:00Z", "--database", store_url]

    async def held() -> tuple[int, int]:
        async with Store(store_url) as store:
            saved = await store.engine_store.acquire("engine", lease=HOUR)
            await store.engine_store.commit(Commit((), {}, {PARTITION: 1}, saved.epoch, NOW))
            refused = await asyncio.to_thread(run, arguments)
            return refused, await asyncio.to_thread(run, [*arguments, "--fence"])

    assert asyncio.run(held()) == (1, 0)
    assert "an engine is at work (engine); stop the service and try again, or give --fence" in capfd.readouterr().err
