"""The past can be asked for by time and service, wherever it was kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from monitor.core.model.events import EventId, Instant
from monitor.ports import Commit, OutdatedDatabase
from monitor.store import history
from monitor.store.database import Store, open_for_reading
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


async def test_the_span_that_is_there_and_one_event_by_its_identity(store: Store) -> None:
    assert await store.history.span() is None
    await store.journal.append([event("a", "note.added", 1), event("b", "note.added", 5)])
    epoch = (await store.engine_store.acquire("engine")).epoch
    foreign = event("c", "note.added", 9)
    await store.engine_store.commit(Commit((), {}, {}, epoch, MONDAY, (foreign,)))
    assert await store.history.span() == (at(1), at(9))
    assert await store.history.span(at(2), at(9)) == (at(5), at(5))
    assert await store.history.find(foreign.event_id) == foreign
    assert await store.history.find(EventId("nobody", "a")) is None


async def test_a_store_for_reading_creates_nothing(store_url: str, tmp_path: Path) -> None:
    async with open_for_reading(store_url) as store:
        assert await store.history.span() is None
    with pytest.raises(OutdatedDatabase):
        async with open_for_reading(f"sqlite:///{tmp_path}/nobody.db"):
            pass
    assert not (tmp_path / "nobody.db").exists()
