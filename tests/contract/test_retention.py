"""What every store must do about age: remove a bounded amount of what is too old, and never what is still needed."""

from __future__ import annotations

import pytest

from monitor.core.model.decisions import Ignore
from monitor.core.model.events import DAY, Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.ports import Commit, Reject, Retention
from monitor.store import retention as module
from monitor.store.database import Store
from monitor.store.journal import PARTITION
from tests.support.records import BASE, event

NOW = Instant(BASE + 100 * DAY)
ALL_AGES = Retention(events=10 * DAY, rejects=10 * DAY, not_opened=10 * DAY)


def note(id: str, at: int) -> Event:
    return event(id, "note.added", 0, base=at)


def aged(count: int) -> list[Event]:
    """One event a day; the last is of today."""
    return [note(f"e{n}", NOW - (count - 1 - n) * DAY) for n in range(count)]


async def kept(store: Store) -> list[str]:
    return [each.id async for each in store.history.events(Instant(0), Instant(NOW + DAY))]


async def commit(store: Store, **fields: object) -> None:
    saved = await store.engine_store.acquire("engine")
    values = {"decisions": (), "cells": {}, "positions": {}, **fields}
    await store.engine_store.commit(Commit(epoch=saved.epoch, at=NOW, **values))  # type: ignore[arg-type]  # of a Commit


async def test_events_go_by_their_age_once_they_were_read(store: Store) -> None:
    await store.journal.append(aged(30))

    assert (await store.retention.prune(ALL_AGES, NOW)).rows["journal"] == 0
    await commit(store, positions={PARTITION: 6})
    assert (await store.retention.prune(ALL_AGES, NOW)).rows["journal"] == 5
    assert await kept(store) == [f"e{n}" for n in range(5, 30)]
    await commit(store, positions={PARTITION: 31})
    assert (await store.retention.prune(ALL_AGES, NOW)).rows["journal"] == 14

    assert await kept(store) == [f"e{n}" for n in range(19, 30)]
    batch = await store.journal.read({PARTITION: 31}, 10)
    assert (batch.events, batch.at_head) == ((), True)
    await store.journal.append([note("next", NOW)])
    assert [each.id for each in (await store.journal.read({PARTITION: 31}, 10)).events] == ["next"]


async def test_the_history_of_a_foreign_journal_goes_by_its_age(store: Store) -> None:
    await commit(store, history=tuple(aged(30)))

    assert (await store.retention.prune(ALL_AGES, NOW)).rows["history"] == 19
    assert await kept(store) == [f"e{n}" for n in range(19, 30)]


async def test_without_an_age_everything_stays(store: Store) -> None:
    await commit(store, history=tuple(aged(30)))
    await store.rejects.add([Reject("events", "not_json", "", b"{", BASE)])

    assert not any((await store.retention.prune(Retention(), NOW)).rows.values())


async def test_a_call_removes_a_bounded_amount(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP", 3)
    monkeypatch.setattr(module, "_STEPS", 2)
    await commit(store, history=tuple(aged(30)))

    found = [await store.retention.prune(ALL_AGES, NOW) for _ in range(5)]

    assert [each.rows["history"] for each in found] == [6, 6, 6, 1, 0]
    assert [each.more for each in found] == [True, True, True, False, False]


async def test_rejects_go_by_their_age_unless_somebody_waits_for_them(store: Store) -> None:
    old, new = BASE, Instant(NOW - DAY)
    numbers = await store.rejects.add(
        [
            Reject("events", "not_json", "", b"{", old),
            Reject("events", "not_json", "", b"{", old, forward=True),
            Reject("events", "not_json", "", b"{", new),
        ]
    )

    assert (await store.retention.prune(ALL_AGES, NOW)).rows["rejects"] == 1
    assert [each.id for each in await store.rejects.page(None, 10)] == list(numbers[1:])


async def test_decisions_not_to_open_go_and_their_counts_and_all_records_stay(store: Store) -> None:
    ignored = Ignore(NotOpened.NO_INTERVENTION, BASE, ("rule",), "checkout", (), "")
    await commit(store, decisions=(ignored,))
    counts = await store.not_opened.counts("2000-01-01")

    assert (await store.retention.prune(ALL_AGES, NOW)).rows["not_opened"] == 1
    assert await store.not_opened.recent(10) == []
    assert await store.not_opened.counts("2000-01-01") == counts
    assert counts


async def test_a_size_lets_the_oldest_go_but_none_of_the_last_day(store: Store) -> None:
    day = [note(f"today{n}", NOW - n) for n in range(10)]
    await commit(store, history=(*aged(30)[:-1], *day))
    whole = (await store.retention.kept()).events_bytes

    await store.retention.prune(Retention(events_bytes=whole // 2), NOW)
    half = await kept(store)
    await store.retention.prune(Retention(events_bytes=1), NOW)

    assert 17 <= len(half) <= 21
    assert "e0" not in half
    assert set(await kept(store)) == {"e28", *(each.id for each in day)}


async def test_what_is_kept_is_measured(store: Store) -> None:
    before = await store.retention.kept()
    await store.journal.append([note(f"e{n}", NOW) for n in range(500)])
    after = await store.retention.kept()

    assert before.total_bytes > 0
    assert before.events_bytes == 0
    assert 500 * 200 < after.events_bytes < 500 * 1500
