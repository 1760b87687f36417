"""The past can be asked for by time and service, wherever it was kept."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from monitor.core.events import Instant
from monitor.ports import Commit
from monitor.store import history
from monitor.store.database import Store
from monitor.store.tables import journal
from tests.support.records import MONDAY, at, event


async def test_events_come_by_time_from_both_journals_in_small_pieces(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_ROWS", 3)
    own = [event(f"own-{n}", "note.added", minutes) for n, minutes in enumerate((9, 1, 5, 5, 5, 5, 3))]
    foreign = tuple(event(f"foreign-{n}", "note.added", minutes) for n, minutes in enumerate((2, 5, 12)))
    await store.journal.append(own)
    epoch = (await store.engine_store.acquire("engine")).epoch
    await store.engine_store.commit(Commit((), {}, {}, epoch, MONDAY, foreign))
    found = [each async for each in store.history.events(at(1), at(12))]
    assert [each.time for each in found] == [at(minute) for minute in (1, 2, 3, 5, 5, 5, 5, 5, 9)]
    assert {each.id for each in found} == {each.id for each in (*own, *foreign[:2])}


async def test_the_span_is_half_open_and_a_service_restricts(store: Store) -> None:
    events = [event("a", "note.added", 1), event("b", "note.added", 2, service="checkout"), event("c", "note.added", 3)]
    await store.journal.append(events)
    assert [each.id async for each in store.history.events(at(1), at(3))] == ["a", "b"]
    assert [each.id async for each in store.history.events(at(0), at(9), "checkout")] == ["b"]
    assert [each async for each in store.history.events(at(4), Instant(2**62))] == []


async def test_what_cannot_be_read_any_more_is_left_out(store: Store) -> None:
    await store.journal.append([event("a", "note.added", 1), event("b", "note.added", 2)])
    async with store.journal_database.writing() as connection:
        await connection.execute(update(journal).where(journal.c.event_id == "a").values(body=b"\xff"))
    assert [each.id async for each in store.history.events(at(0), at(9))] == ["b"]
