"""History that was imported before the first start: it opens nothing, habits come from it, and replay sees it too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from monitor.cli.main import run
from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.decisions import Amend, Merge, Open, Withdraw
from monitor.core.model.events import DAY, HOUR, SECOND, Event, Instant
from monitor.core.model.near_miss import Draft
from monitor.decode.canonical import encode
from monitor.demo.story import CATALOGUE, story
from monitor.packs.catalogue.loader import load_catalogue
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules
from monitor.packs.weights import shipped_weights
from monitor.ports import Commit, Query
from monitor.store.database import Store, open_store

NOW = Instant(1_772_366_400 * SECOND)  # 2026-03-01T12:00:00Z
AFTER = Instant(NOW + 30 * DAY)


@pytest.fixture(scope="module")
def rules() -> list[object]:
    return list(load_rules(shipped_rules(), with_examples=False).rules)


def engine(rules: list[object], cells: dict[str, bytes] | None = None) -> Engine:
    catalogue, _ = load_catalogue(CATALOGUE)
    return Engine(rules, catalogue, make_regex, EngineSettings(weights=shipped_weights()), cells or {})  # type: ignore[arg-type]


def write(path: Path, events: list[Event]) -> Path:
    path.write_bytes(b"\n".join(encode(event) for event in events))
    return path


async def drive(store: Store, rules: list[object], until: Instant) -> dict[str, bytes]:
    """The engine reads to the end of the journal; its cells."""
    saved = await store.engine_store.acquire("engine")
    working = engine(rules, dict(saved.cells))
    batch = await store.journal.read(saved.positions, 100_000)
    decisions = [*working.step(batch.events), *working.tick(until)]
    await store.engine_store.commit(
        Commit(tuple(decisions), working.take_changes(), batch.positions, saved.epoch, until)
    )
    again = await store.engine_store.acquire("engine")
    await store.engine_store.release("", again.epoch)
    return dict(again.cells)


async def opened(store: Store) -> dict[str, Draft]:
    return {one.draft.id: one.draft for one in (await store.near_misses.page(Query(), None, 200)).records}


def replayed(rules: list[object], events: list[Event], until: Instant) -> dict[str, Draft]:
    working, found = engine(rules), dict[str, Draft]()
    for decision in [*working.step(events), *working.tick(until)]:
        if isinstance(decision, Open | Amend):
            found[decision.draft.id] = decision.draft
        elif isinstance(decision, Withdraw | Merge):
            found.pop(decision.draft_id, None)
    return found


def test_imported_history_opens_nothing_and_is_learnt_from(tmp_path: Path, rules: list[object]) -> None:
    past, later = story(NOW), story(AFTER)
    later = [event for event in later if event.event_id not in {one.event_id for one in past}]
    url = f"sqlite:///{tmp_path}/nearmiss.db"
    assert run(["learn", str(write(tmp_path / "past.jsonl", past)), "--database", url]) == 0

    async def go_on() -> None:
        async with open_store(url) as store:
            cells = await drive(store, rules, Instant(NOW + DAY))
            assert await opened(store) == {}
            assert {"habits", "place", "standing"} <= {key.partition(":")[0] for key in cells}

    asyncio.run(go_on())
    assert replayed(rules, past, Instant(NOW + DAY)), "the same history opens drafts where it is no history"


def test_what_comes_after_the_history_is_decided_as_by_one_run_over_all(
    tmp_path: Path, rules: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = story(NOW)
    cut = Instant(NOW - 2 * DAY)
    past = [event for event in everything if event.time < cut]
    rest = [event for event in everything if event.time >= cut]
    monkeypatch.setattr("monitor.ops.clock.SystemClock.now", lambda self: cut)
    url = f"sqlite:///{tmp_path}/nearmiss.db"
    assert run(["learn", str(write(tmp_path / "past.jsonl", past)), "--database", url]) == 0

    async def go_on() -> dict[str, Draft]:
        async with open_store(url) as store:
            await store.journal.append(rest)
            await drive(store, rules, Instant(NOW + DAY))
            return await opened(store)

    live = asyncio.run(go_on())
    whole = replayed(rules, [*past, *rest], Instant(NOW + DAY))
    assert live == {each: draft for each, draft in whole.items() if draft.first_sign_at >= cut or draft.opened_at > cut}
    assert live
    assert len(live) < len(whole)


def test_an_interrupted_import_goes_on_and_older_history_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = sorted(story(NOW), key=lambda event: event.time)
    url = f"sqlite:///{tmp_path}/nearmiss.db"
    half = write(tmp_path / "half.jsonl", events[: len(events) // 2])
    assert run(["learn", str(half), "--database", url]) == 0
    assert run(["learn", str(write(tmp_path / "all.jsonl", events)), "--database", url]) == 0
    out = capsys.readouterr().out
    assert f"imported {len(events) - len(events) // 2:,} events" in out
    assert "older than what the journal held and left out" in out


def test_a_service_that_has_begun_and_an_empty_file_are_refused(
    tmp_path: Path, rules: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/nearmiss.db"
    empty = write(tmp_path / "empty.jsonl", [])
    assert run(["learn", str(empty), "--database", url]) == 1
    assert "no event to import" in capsys.readouterr().err

    async def begin() -> None:
        async with open_store(url) as store:
            await store.journal.append(story(NOW)[:10])
            await drive(store, rules, Instant(NOW + HOUR))

    asyncio.run(begin())
    assert run(["learn", str(write(tmp_path / "past.jsonl", story(NOW))), "--database", url]) == 1
    assert "the service has begun to read" in capsys.readouterr().err
