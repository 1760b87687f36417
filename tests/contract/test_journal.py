"""What every journal must do: keep each identity once, in one order that a reader can resume in."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from monitor.core.model.events import Event, Instant
from monitor.ports import Appended, Batch, Unavailable
from monitor.store import journal as sql_journal
from monitor.store.codec import decode_event
from monitor.store.database import Store
from monitor.store.journal import JournalLost
from monitor.store.tables import journal as journal_table
from tests.support.records import BASE, ON_CALL, event


def note(name: str, minutes: float = 0, **fields: Any) -> Event:
    return event(name, "note.added", minutes, **fields)


async def read_all(store: Store, limit: int = 1000) -> list[Event]:
    events: list[Event] = []
    positions: dict[str, int] = {}
    while True:
        batch = await store.journal.read(positions, limit)
        events += batch.events
        positions = batch.positions
        if batch.at_head:
            return events


async def test_gives_back_what_was_appended_in_its_order(store: Store) -> None:
    events = [note("b", 5), note("a", 1), note("c", 3)]
    assert await store.journal.append(events) == Appended((True, True, True))
    assert await read_all(store) == events


async def test_keeps_every_field(store: Store) -> None:
    rich = note(
        "rich",
        subject="disk-pg-3",
        severity="critical",
        title="97 % — “full” soon \N{FIRE}",
        actor=ON_CALL,
        labels={"cluster": "eu-1", "": "empty", "ümlaut": "\n"},
        value=97.25,
        limit=100.0,
        unit="percent",
        bound="max",
        expires_at=Instant(BASE + 1),
        previous_expires_at=Instant(BASE - 1),
        began_at=Instant(-1),
        covers_from=Instant(0),
        received_at=Instant(BASE + 2),
        url="https://example.com/",
        marks=("time_in_future",),
    )
    await store.journal.append([rich])
    assert await read_all(store) == [rich]


async def test_the_first_copy_of_an_identity_wins(store: Store) -> None:
    first, second = note("a", 1, title="first"), note("a", 2, title="second")
    elsewhere = note("a", 3, source="other")
    assert await store.journal.append([first, second, elsewhere]) == Appended((True, False, True))
    assert await store.journal.append([second, note("b")]) == Appended((False, True))
    assert await read_all(store) == [first, elsewhere, note("b")]


async def test_an_append_of_nothing_is_nothing(store: Store) -> None:
    assert await store.journal.append([]) == Appended(())


async def test_an_empty_journal_is_at_its_head(store: Store) -> None:
    batch = await store.journal.read({}, 10)
    assert batch.at_head
    assert batch.events == ()


async def test_a_reader_goes_on_where_it_stopped(store: Store) -> None:
    await store.journal.append([note(str(n)) for n in range(5)])
    first = await store.journal.read({}, 2)
    assert [each.id for each in first.events] == ["0", "1"]
    assert not first.at_head
    second = await store.journal.read(first.positions, 10)
    assert [each.id for each in second.events] == ["2", "3", "4"]
    assert second.at_head
    nothing = await store.journal.read(second.positions, 10)
    assert nothing == Batch((), second.positions, at_head=True)


async def test_duplicates_leave_nothing_to_read(store: Store) -> None:
    await store.journal.append([note("a")])
    head = (await store.journal.read({}, 10)).positions
    await store.journal.append([note("a"), note("a")])
    assert (await store.journal.read(head, 10)).events == ()


async def test_concurrent_appends_each_learn_what_they_added(store: Store) -> None:
    answers = await asyncio.gather(*(store.journal.append([note(str(n // 2)), note(f"own-{n}")]) for n in range(60)))
    assert sum(answer.accepted for answer in answers) == 90
    assert all(answer.fresh[1] for answer in answers)
    events = await read_all(store)
    assert len(events) == len({each.id for each in events}) == 90


async def test_a_reader_skips_nothing_while_two_processes_write(store: Store, other: Store) -> None:
    async def write(to: Store, name: str) -> None:
        for n in range(40):
            await to.journal.append([note(f"{name}-{n}")])

    writing = asyncio.gather(write(store, "one"), write(other, "two"))
    seen: list[str] = []
    positions: dict[str, int] = {}
    while len(seen) < 80:
        finished = writing.done()
        batch = await store.journal.read(positions, 7)
        seen += [each.id for each in batch.events]
        positions = batch.positions
        if finished and batch.at_head:
            break
    await writing
    assert len(seen) == len(set(seen)) == 80
    for name in ("one", "two"):
        assert [each for each in seen if each.startswith(name)] == [f"{name}-{n}" for n in range(40)]


async def test_what_one_process_appends_another_reads(store: Store, other: Store) -> None:
    await other.journal.append([note("a")])
    assert await store.journal.append([note("a")]) == Appended((False,))
    assert [each.id for each in await read_all(store)] == ["a"]


async def test_waiting_ends_with_an_append(store: Store) -> None:
    await store.journal.read({}, 10)
    async with asyncio.timeout(20):
        await asyncio.gather(store.journal.wait(3600), store.journal.append([note("a")]))


async def test_waiting_ends_at_once_when_there_is_more_already(store: Store) -> None:
    batch = await store.journal.read({}, 10)
    await store.journal.append([note("a")])
    async with asyncio.timeout(20):
        await store.journal.wait(3600)
    assert len((await store.journal.read(batch.positions, 10)).events) == 1


async def test_waiting_ends_after_its_time(store: Store) -> None:
    await store.journal.append([note("a"), note("a")])
    await store.journal.read({}, 10)
    async with asyncio.timeout(20):
        await store.journal.wait(0.01)


async def test_an_event_that_cannot_be_stored_does_not_hit_its_neighbours(store: Store) -> None:
    impossible = Event(id="impossible", source="x", time=Instant(2**70), kind="note.added")
    answers = await asyncio.gather(
        store.journal.append([note("a")]),
        store.journal.append([impossible]),
        store.journal.append([note("b")]),
        return_exceptions=True,
    )
    assert answers[0] == answers[2] == Appended((True,))
    assert isinstance(answers[1], Exception)
    assert [each.id for each in await read_all(store)] == ["a", "b"]


async def test_an_entry_that_cannot_be_read_any_more_does_not_stop_the_stream(store: Store) -> None:
    await store.journal.append([note("a"), note("b"), note("c")])
    async with store.journal_database.writing() as connection:
        broken = update(journal_table).where(journal_table.c.event_id == "b").values(body=b'{"id": ')
        await connection.execute(broken)
    batch = await store.journal.read({}, 10)
    assert [each.id for each in batch.events] == ["a", "c"]
    assert [(reject.reason, reject.body) for reject in batch.rejects] == [("not_json", b'{"id": ')]


async def test_a_position_beyond_the_end_is_an_error(store: Store) -> None:
    await store.journal.append([note("a")])
    with pytest.raises(JournalLost, match="up to entry 98, but it ends at entry 1"):
        await store.journal.read({"journal": 99}, 10)


async def test_closing_carries_out_what_waits_and_refuses_more(store: Store, other: Store) -> None:
    waiting = asyncio.gather(*(store.journal.append([note(str(n))]) for n in range(10)))
    await asyncio.sleep(0)
    await store.close()
    assert [answer.fresh for answer in await waiting] == [(True,)] * 10
    with pytest.raises(Unavailable, match="closed"):
        await store.journal.append([note("late")])
    with pytest.raises(Unavailable, match="closed"):
        await store.journal.read({}, 10)
    assert len(await read_all(other)) == 10


async def test_a_caller_that_gives_up_does_not_disturb_the_others(store: Store) -> None:
    async def give_up() -> None:
        async with asyncio.timeout(0):
            await store.journal.append([note("given-up")])

    answers = await asyncio.gather(give_up(), store.journal.append([note("a")]), return_exceptions=True)
    assert isinstance(answers[0], TimeoutError)
    assert answers[1] == Appended((True,))


async def test_many_large_events_are_read_beside_everything_else(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand of them take as long as a large body; a few small ones are not worth a thread."""
    read_in: list[bool] = []

    def decoded(body: bytes) -> Event:
        read_in.append(threading.current_thread() is threading.main_thread())
        return decode_event(body)

    monkeypatch.setattr(sql_journal, "decode_event", decoded)
    large = {f"text{n}": "x" * 3_900 for n in range(4)}
    events = [msgspec.structs.replace(event(f"e{n}", "note.added", n), labels=large) for n in range(10)]
    await store.journal.append(events)
    assert list((await store.journal.read({}, 1)).events) == events[:1]
    assert read_in == [True]
    assert list((await store.journal.read({}, 100)).events) == events
    assert read_in[1:] == [False] * 10
