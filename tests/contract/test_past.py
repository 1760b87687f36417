"""What every past must do: events of some kinds by time, and what arrived since a place, whoever wrote it."""

from __future__ import annotations

from monitor.core.model.decisions import Open
from monitor.core.model.events import MINUTE, EventId, Instant
from monitor.ports import Commit, Query
from monitor.ports.chat import EventHistory
from monitor.store.database import Store
from tests.support.records import BASE, draft, event

HURT = ("impact.started",)


async def test_events_of_some_kinds_by_time(store: Store) -> None:
    past: EventHistory = store.history
    fired, hurt, later = (
        event("a", "alert.fired", 1),
        event("i", "impact.started", 2),
        event("b", "alert.fired", 9),
    )
    await store.journal.append([later, hurt, fired])
    until = Instant(BASE + 5 * MINUTE)
    assert [each.id async for each in past.events(BASE, until, kinds=("alert.fired",))] == ["a"]
    assert [each.id async for each in past.events(BASE, until)] == ["a", "i"]
    found = await past.find(EventId(hurt.source, hurt.id))
    assert found is not None
    assert found.kind == "impact.started"
    assert await past.find(EventId("nobody", "i")) is None


async def test_what_arrived_since_a_place_in_the_order_of_arrival(store: Store, other: Store) -> None:
    past: EventHistory = store.history
    await store.journal.append([event("old", "impact.started", 1)])
    found, place = await past.arrived(None, HURT, 10)
    assert found == []
    assert await past.arrived(place, HURT, 10) == ([], place)
    await other.journal.append(
        [event("late", "impact.started", 5), event("x", "alert.fired", 5), event("early", "impact.started", 2)]
    )
    found, after = await past.arrived(place, HURT, 10)
    assert [each.id for each in found] == ["late", "early"]
    assert (await past.arrived(after, HURT, 10))[0] == []
    first, between = await past.arrived(place, HURT, 1)
    second, _ = await past.arrived(between, HURT, 10)
    assert [each.id for each in (*first, *second)] == ["late", "early"]


async def test_what_came_by_a_foreign_journal_arrives_too(store: Store) -> None:
    saved = await store.engine_store.acquire("engine")
    _, place = await store.history.arrived(None, HURT, 10)
    hurt = event("kafka", "impact.started", 5)
    await store.engine_store.commit(Commit((), {}, {}, saved.epoch, BASE, history=(hurt,)))
    found, after = await store.history.arrived(place, HURT, 10)
    assert {each.id for each in found} == {"kafka"}
    assert after[1] > place[1]


async def test_records_that_were_opened_since(store: Store) -> None:
    saved = await store.engine_store.acquire("engine")
    decisions = (Open(draft("old", opened_at=BASE)), Open(draft("new", opened_at=Instant(BASE + MINUTE))))
    await store.engine_store.commit(Commit(decisions, {}, {}, saved.epoch, BASE))
    page = await store.near_misses.page(Query(opened_since=Instant(BASE + MINUTE)), None, 10)
    assert [record.draft.id for record in page.records] == ["new"]
