"""The unread backlog as the store reports it: events that no engine ever read, by source."""

from __future__ import annotations

from monitor.core.model.events import Instant
from monitor.ports import Commit, Unhandled
from monitor.store.codec import encode_event
from monitor.store.database import Store
from tests.support.records import BASE, event

ALL = [event(f"e{number}", "note.added", number, source=f"shop/{'ab'[number % 2]}") for number in range(6)]


async def read_up_to(store: Store, position: int) -> None:
    saved = await store.engine_store.acquire("a")
    positions = {"journal": position}
    await store.engine_store.commit(Commit((), {}, positions, saved.epoch, BASE))
    await store.engine_store.release("", saved.epoch)


def waiting(*numbers: int) -> Unhandled:
    return Unhandled(len(numbers), sum(len(encode_event(ALL[number])) for number in numbers))


async def test_everything_waits_before_the_first_read(store: Store) -> None:
    assert await store.unread.by_source() == {}
    await store.journal.append(ALL)
    assert await store.unread.by_source() == {"shop/a": waiting(0, 2, 4), "shop/b": waiting(1, 3, 5)}


async def test_what_was_read_waits_no_more(store: Store) -> None:
    await store.journal.append(ALL)
    await read_up_to(store, 4)
    assert await store.unread.by_source() == {"shop/a": waiting(4), "shop/b": waiting(3, 5)}
    await read_up_to(store, 7)
    assert await store.unread.by_source() == {}


async def test_what_is_read_again_after_a_rewind_does_not_wait(store: Store) -> None:
    await store.journal.append(ALL[:4])
    await read_up_to(store, 5)
    for _ in range(2):
        await store.rewind.rewind({"journal": 1}, Instant(BASE), Instant(BASE))
        await store.journal.append(ALL[4:])
        assert await store.unread.by_source() == {"shop/a": waiting(4), "shop/b": waiting(5)}
    saved = await store.engine_store.acquire("a")
    assert saved.positions == {"journal": 1}


async def test_a_journal_that_was_accepted_counts_from_where_it_is_read(store: Store) -> None:
    await store.journal.append(ALL)
    await read_up_to(store, 7)
    await store.rewind.rewind({"journal": 3}, Instant(BASE), Instant(BASE))
    await store.binding.accept()
    assert sum(each.events for each in (await store.unread.by_source()).values()) == 4
