"""What every keeper of rejects must do: keep the bytes whole, and know which were fed in again."""

from __future__ import annotations

from monitor.ports import Reject
from monitor.store.database import Store
from tests.support.records import BASE, MONDAY


def reject(body: bytes = b"{", **fields: object) -> Reject:
    values = {
        "source": "pagerduty/acme",
        "reason": "not_json",
        "detail": "found the end",
        "received_at": BASE,
        **fields,
    }
    return Reject(body=body, **values)  # type: ignore[arg-type]  # fields of a Reject


async def test_numbers_come_in_the_order_of_what_was_added(store: Store) -> None:
    numbers = await store.rejects.add([reject(str(n).encode()) for n in range(50)])
    assert sorted(set(numbers)) == list(numbers)
    for n, number in enumerate(numbers):
        found = await store.rejects.get(number)
        assert found is not None
        assert (found.id, found.body) == (number, str(n).encode())


async def test_everything_is_kept(store: Store) -> None:
    whole = reject(bytes(range(256)) * 40_000, headers={"content-type": "text/plain", "x-odd": "\0ü"})
    (number,) = await store.rejects.add([whole])
    found = await store.rejects.get(number)
    assert found is not None
    assert found.body == whole.body
    assert (found.source, found.reason, found.received_at) == (whole.source, whole.reason, BASE)
    assert found.headers == {"content-type": "text/plain", "x-odd": "\N{REPLACEMENT CHARACTER}ü"}
    assert found.requeued_at is None


async def test_nothing_added_is_nothing(store: Store) -> None:
    assert await store.rejects.add([]) == ()


async def test_the_detail_is_bounded_and_may_be_odd(store: Store) -> None:
    (number,) = await store.rejects.add([reject(detail="\0\ud800" + "x" * 5000, source="a\0b")])
    found = await store.rejects.get(number)
    assert found is not None
    assert len(found.detail) == 4000
    assert found.source == "a\N{REPLACEMENT CHARACTER}b"


async def test_pages_go_from_the_oldest_to_the_newest(store: Store) -> None:
    numbers = await store.rejects.add([reject() for _ in range(5)])
    first = await store.rejects.page(None, 2)
    second = await store.rejects.page(first[-1].id, 10)
    assert [each.id for each in first + second] == list(numbers)
    assert await store.rejects.page(numbers[-1], 10) == []


async def test_an_unknown_number_gives_nothing(store: Store) -> None:
    assert await store.rejects.get(17) is None
    await store.rejects.mark_requeued(17, MONDAY)


async def test_those_fed_in_again_do_not_count_as_waiting(store: Store) -> None:
    first, second = await store.rejects.add([reject(), reject()])
    assert await store.rejects.count() == 2
    await store.rejects.mark_requeued(first, MONDAY)
    assert await store.rejects.count() == 1
    found = await store.rejects.get(first)
    assert found is not None
    assert found.requeued_at == MONDAY
    assert [each.id for each in await store.rejects.page(None, 10)] == [first, second]


async def test_what_comes_from_one_place_twice_is_kept_once(store: Store, other: Store) -> None:
    """Within one call, in a later one, and from another process; what has no place is kept each time."""
    added = [
        reject(b"a", origin="t/1"),
        reject(b"x"),
        reject(b"a", origin="t/1"),
        reject(b"b", origin="t/2"),
        reject(b"x"),
    ]
    first, plain, same, second, plain_too = await store.rejects.add(added)
    assert same == first
    assert len({first, plain, second, plain_too}) == 4
    again = await other.rejects.add(
        [reject(b"c", origin="t/3"), reject(b"a", origin="t/1"), reject(b"c", origin="t/3")]
    )
    assert again == (again[0], first, again[0])
    bodies = sorted(each.body for each in await store.rejects.page(None, 10))
    assert bodies == [b"a", b"b", b"c", b"x", b"x"]


async def test_what_is_to_be_forwarded_waits_until_it_was(store: Store) -> None:
    numbers = await store.rejects.add([reject(forward=number % 2 == 0) for number in range(5)])

    waiting = await store.rejects.to_forward(2)
    await store.rejects.mark_forwarded([each.id for each in waiting if each.id is not None])
    rest = await store.rejects.to_forward(2)

    assert [each.id for each in waiting + rest] == [numbers[0], numbers[2], numbers[4]]
    assert len(await store.rejects.page(None, 10)) == 5


async def test_what_comes_from_the_same_place_again_is_kept_once(store: Store) -> None:
    """A program that is pulled gives the same answer each minute, and must not be a failure the second time."""
    (first,) = await store.rejects.add([reject(b"one", origin="pull/a")])
    again = await store.rejects.add([reject(b"two", origin="pull/b"), reject(b"three", origin="pull/a"), reject()])
    assert (again[1], len(set(again))) == (first, 3)
    kept = await store.rejects.page(None, 10)
    assert [(each.body, each.origin) for each in kept] == [(b"one", "pull/a"), (b"two", "pull/b"), (b"{", None)]
    assert await store.rejects.add([reject(b"four", origin="pull/b")]) == (again[0],)
