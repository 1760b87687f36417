"""What every outbox must do: written with the change, told once for a key, kept while a destination is away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from monitor.core.model.decisions import Open
from monitor.core.model.events import DAY, MINUTE, SECOND, Instant
from monitor.core.model.near_miss import IllegalMove, Move
from monitor.ports import Commit, Decide
from monitor.ports.chat import DestinationState, Foretold, Letter, Post, Received
from monitor.store.database import Store, open_store
from tests.support.records import BASE, draft

LATER = Instant(BASE + 5 * MINUTE)


@pytest_asyncio.fixture
async def telling(store_url: str) -> AsyncIterator[Store]:
    async with open_store(store_url, announces=True) as opened:
        yield opened


async def opened(store: Store, *ids: str) -> int:
    saved = await store.engine_store.acquire("engine")
    decisions = tuple(Open(draft(name)) for name in ids)
    await store.engine_store.commit(Commit(decisions, {}, {}, saved.epoch, BASE))
    return saved.epoch


def letter(key: str = "k1", subject: str = "record:nm-1", due_at: Instant = BASE) -> Letter:
    return Letter("slack", key, subject, b"{}", BASE, due_at)


async def put(store: Store, *letters: Letter) -> list[Letter]:
    await store.outbox.hand_out((), letters)
    return await store.outbox.due("slack", LATER, 100)


async def test_a_change_is_written_with_what_changed_and_not_without_it(telling: Store) -> None:
    await opened(telling, "nm-1", "nm-2")
    accept = Decide("nm-1", Move.ACCEPT, "on-call", LATER)
    await telling.near_misses.decide(accept)
    with pytest.raises(IllegalMove):
        await telling.near_misses.decide(accept)

    changes = await telling.outbox.changes(10)
    assert [(each.record_id, each.action, each.at) for each in changes] == [
        ("nm-1", "open", BASE),
        ("nm-2", "open", BASE),
        ("nm-1", "accept", LATER),
    ]


async def test_nothing_is_written_where_nobody_is_to_be_told(store: Store) -> None:
    await opened(store, "nm-1")
    assert await store.outbox.changes(10) == []


async def test_a_change_that_is_handed_out_twice_is_told_once(telling: Store, other: Store) -> None:
    await opened(telling, "nm-1")
    changes = await telling.outbox.changes(10)
    assert await telling.outbox.hand_out(changes, [letter()]) == 1
    assert await other.outbox.hand_out(changes, [letter()]) == 0
    assert await telling.outbox.changes(10) == []
    assert [each.key for each in await other.outbox.due("slack", BASE, 10)] == ["k1"]


async def test_the_number_of_a_change_never_comes_again(telling: Store) -> None:
    await opened(telling, "nm-1")
    first = await telling.outbox.changes(10)
    await telling.outbox.hand_out(first, [])
    await opened(telling, "nm-2")
    (second,) = await telling.outbox.changes(10)
    assert second.id > first[0].id


async def test_letters_are_due_in_their_order_and_not_before_their_time(store: Store) -> None:
    await put(store, letter("b"), letter("a"), letter("night", due_at=LATER))
    assert [each.key for each in await store.outbox.due("slack", BASE, 10)] == ["b", "a"]
    assert [each.key for each in await store.outbox.due("slack", LATER, 10)] == ["b", "a", "night"]
    assert await store.outbox.due("mail", LATER, 10) == []


async def test_what_was_sent_is_not_due_and_its_post_is_known_to_every_process(store: Store, other: Store) -> None:
    first, second = await put(store, letter("a"), letter("b"))
    post = Post("slack", "record:nm-1", "C1", "a", BASE, "17.1", "16.0", "hash")
    await store.outbox.settle([first], LATER, post)
    assert await other.outbox.due("slack", LATER, 10) == [second]
    assert await other.outbox.post("slack", "record:nm-1") == post
    assert await other.outbox.post("slack", "record:nm-2") is None
    assert await other.outbox.thread("C1", "16.0") == [post]


async def test_what_is_about_to_be_posted_is_known_before_it_is(store: Store) -> None:
    about = Post("slack", "record:nm-1", "C1", "a", BASE)
    await store.outbox.note(about)
    assert await store.outbox.post("slack", "record:nm-1") == about


async def test_one_process_at_a_time_sends_to_a_destination(store: Store, other: Store) -> None:
    assert await store.outbox.take("slack", "one", BASE, LATER) == DestinationState("slack")
    assert await other.outbox.take("slack", "two", BASE, LATER) is None
    assert await store.outbox.take("slack", "one", BASE, LATER) is not None
    assert await other.outbox.take("slack", "two", LATER, Instant(LATER + MINUTE)) is not None
    await store.outbox.release("slack", "one")
    assert await store.outbox.take("slack", "one", LATER, Instant(LATER + MINUTE)) is None
    await other.outbox.release("slack", "two")
    assert await store.outbox.take("slack", "one", LATER, Instant(LATER + MINUTE)) is not None


async def test_a_destination_that_failed_rests_and_loses_nothing(store: Store) -> None:
    (one,) = await put(store, letter())
    assert await store.outbox.take("slack", "one", BASE, LATER) is not None
    ill = DestinationState("slack", 3, BASE, "slack answered 503", Instant(BASE + MINUTE))
    await store.outbox.put_off(ill)
    assert await store.outbox.take("slack", "one", Instant(BASE + SECOND), LATER) is None
    assert await store.outbox.lanes() == [
        DestinationState("slack", 3, BASE, "slack answered 503", ill.retry_at, waiting=1)
    ]
    assert await store.outbox.take("slack", "one", Instant(BASE + MINUTE), LATER) is not None
    await store.outbox.settle([one], LATER)
    assert await store.outbox.lanes() == [DestinationState("slack")]


async def test_a_letter_that_is_refused_for_ever_is_kept_with_the_reason(store: Store) -> None:
    await store.outbox.refuse(await put(store, letter()), LATER, "invalid_blocks")
    assert await store.outbox.due("slack", LATER, 10) == []
    assert [(lane.waiting, lane.refused) for lane in await store.outbox.lanes()] == [(0, 1)]


async def test_what_came_is_taken_once_and_worked_on_by_one(store: Store, other: Store) -> None:
    came = Received("sig-1", "action", b'{"a": 1}', BASE)
    assert await store.chat_inbox.receive(came, LATER)
    assert not await other.chat_inbox.receive(came, LATER)
    assert await other.chat_inbox.left_over(BASE, LATER, 10) == []
    assert await other.chat_inbox.left_over(LATER, Instant(LATER + MINUTE), 10) == [came]
    assert await store.chat_inbox.left_over(LATER, Instant(LATER + MINUTE), 10) == []
    await other.chat_inbox.finish("sig-1", LATER)
    assert await store.chat_inbox.left_over(Instant(LATER + DAY), Instant(LATER + 2 * DAY), 10) == []
    assert not await store.chat_inbox.receive(came, LATER)


async def test_an_incident_is_told_once(store: Store) -> None:
    told = Foretold("pagerduty|i1", BASE, "checkout", "Checkout fails", b"[]")
    assert await store.outbox.remember_told(told, [letter("told")])
    assert not await store.outbox.remember_told(told, [letter("told-again")])
    assert await store.outbox.told(10) == [told]
    assert [each.key for each in await store.outbox.due("slack", LATER, 10)] == ["told"]


async def test_only_what_is_over_is_forgotten(store: Store) -> None:
    first, _ = await put(store, letter("a"), letter("b"))
    await store.outbox.settle([first], BASE)
    await store.chat_inbox.receive(Received("open", "action", b"{}", BASE), LATER)
    await store.chat_inbox.receive(Received("done", "action", b"{}", BASE), LATER)
    await store.chat_inbox.finish("done", BASE)
    assert await store.outbox.forget(LATER) == 1
    assert await store.chat_inbox.forget(LATER) == 1
    assert [each.key for each in await store.outbox.due("slack", LATER, 10)] == ["b"]
    assert [each.key for each in await store.chat_inbox.left_over(LATER, LATER, 10)] == ["open"]


@pytest.mark.parametrize("hostile", ["\x00", "\udc00", "\u202eevil", "💥" * 300, "'; DROP TABLE outbox; --"])
async def test_no_text_of_a_chat_breaks_the_store(store: Store, hostile: str) -> None:
    assert await put(store, letter(f"k{hostile}", f"s{hostile}"))
    await store.outbox.refuse(await store.outbox.due("slack", LATER, 1), LATER, hostile)
    assert await store.chat_inbox.receive(Received(f"r{hostile}", "action", b"{}", BASE), LATER)
