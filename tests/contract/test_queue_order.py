"""What every store must list, whichever way it finds the place: each query against the same done by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec
import pytest

from monitor.core.model.budget import QueueOrder, order_of
from monitor.core.model.decisions import Open, Withdraw
from monitor.core.model.events import DAY, HOUR, Instant
from monitor.core.model.near_miss import DECIDED, Dismissal, Move, State
from monitor.core.model.reasons import Withdrawn
from monitor.core.model.risk import Barrier, Handling, Outcome, Risk
from monitor.ports import Audit, Commit, Decide, Order, Query, Record
from monitor.ports.queue import COUNTED, Changes, TrailMark
from monitor.store import near_misses, queue_order
from monitor.store.asked import _GAPS_OVER, _after
from monitor.store.database import Store, open_store
from monitor.store.records import add_audit
from tests.support.records import BASE, MONDAY, draft

NOW = Instant(MONDAY + 2 * HOUR)
OPEN = (State.DRAFT, State.IN_REVIEW, State.REOPENED)


async def put(store: Store, *decisions: Open | Withdraw) -> None:
    epoch = (await store.engine_store.acquire("engine")).epoch
    await store.engine_store.commit(Commit(decisions, {}, {}, epoch, MONDAY))


async def do(store: Store, name: str, move: Move, reason: str | None = None, **handling: object) -> None:
    settled = Handling(**handling)  # type: ignore[arg-type]  # fields of a Handling
    await store.near_misses.decide(Decide(name, move, "reviewer", MONDAY, reason=reason, handling=settled))


@pytest.fixture
async def filled(store: Store) -> list[Record]:
    """Records of every state, some with ties in rank and time, some snoozed, some that come back; in order."""
    kinds = itertools.cycle([("live", "a"), ("digest", "b"), ("live", "b"), ("live", "c")])
    drafts = [
        draft(
            f"nm-{number:02}",
            rank=float(number % 5),
            opened_at=Instant(BASE + number % 3),
            mode=mode,
            service=service,
            services=(service,),
            rules=(f"r{number % 4}",),
        )
        for number, (mode, service) in zip(range(40), kinds, strict=False)
    ]
    await put(store, *map(Open, drafts))
    for name in ("nm-01", "nm-02", "nm-03", "nm-04", "nm-05", "nm-06"):
        await do(store, name, Move.ACCEPT)
    await do(store, "nm-05", Move.REOPEN)
    await do(store, "nm-06", Move.KEEP_OPEN, open_condition="a silence", returns_at=Instant(NOW - HOUR))
    for name, returns_at in (("nm-07", NOW - HOUR), ("nm-08", NOW + DAY), ("nm-09", None)):
        await do(store, name, Move.DISMISS, Dismissal.ROUTINE_HYGIENE, returns_at=returns_at)
    await do(store, "nm-12", Move.HAND_OVER, team="friends")
    for name, returns_at in (("nm-10", NOW - HOUR), ("nm-11", NOW + DAY)):
        await do(store, name, Move.SNOOZE, returns_at=returns_at)
    await do(store, "nm-12", Move.START_REVIEW)
    await do(store, "nm-13", Move.ASSESS, risk=Risk(next(iter(Outcome)), next(iter(Barrier))))
    await put(store, Withdraw("nm-14", Withdrawn.IMPACT_AFTERWARDS, MONDAY, ()))
    everything = [await store.near_misses.get(each.id) for each in drafts]
    return sorted(everything, key=_place)


def _place(record: Record) -> QueueOrder:
    risk, draft = record.handling.risk, record.draft
    return order_of(0 if risk is None else risk.place, draft.rank, draft.opened_at, draft.id)


def _comes_back(record: Record) -> bool:
    returns_at = record.handling.returns_at
    return record.state in DECIDED and returns_at is not None and returns_at <= NOW


def _awake(record: Record) -> bool:
    returns_at = record.handling.returns_at
    return returns_at is None or returns_at <= NOW


SOME = frozenset(f"nm-{number:02}" for number in range(0, 40, 3))
CASES: dict[str, tuple[Query, Callable[[Record], bool]]] = {
    "all": (Query(), lambda record: True),
    "open and live": (
        Query(states=OPEN, modes=("live",)),
        lambda record: record.state in OPEN and record.draft.mode == "live",
    ),
    "to review": (
        Query(states=OPEN, modes=("live",), due_at=NOW),
        lambda record: (
            record.draft.mode == "live" and (_comes_back(record) or (record.state in OPEN and _awake(record)))
        ),
    ),
    "to review, of a service": (
        Query(states=OPEN, modes=("live",), services=("b",), due_at=NOW),
        lambda record: (
            record.draft.mode == "live"
            and record.draft.service == "b"
            and (_comes_back(record) or (record.state in OPEN and _awake(record)))
        ),
    ),
    "due alone": (Query(due_at=NOW), _awake),
    "later": (Query(asleep_at=NOW), lambda record: not _awake(record)),
    "accepted": (Query(states=(State.ACCEPTED,)), lambda record: record.state is State.ACCEPTED),
    "digest": (Query(modes=("digest",)), lambda record: record.draft.mode == "digest"),
    "a service and a rule": (
        Query(services=("a", "c"), rules=("r0",)),
        lambda record: record.draft.service in ("a", "c") and record.draft.rules == ("r0",),
    ),
    "only": (Query(only=SOME, states=OPEN), lambda record: record.draft.id in SOME and record.state in OPEN),
    "of teams": (
        Query(within=frozenset({"b"}), teams=frozenset({"friends"}), states=OPEN),
        lambda record: record.state in OPEN and (record.draft.service == "b" or record.handling.team == "friends"),
    ),
    "without": (Query(without=SOME), lambda record: record.draft.id not in SOME),
}


@pytest.mark.parametrize("few", [500, 15, 0])
async def test_each_query_lists_what_it_says_in_order_and_in_pages(
    store: Store, filled: list[Record], monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """With `few` ids in a statement: all of them, the shorter of two lists, and none, so that the queue is walked."""
    monkeypatch.setattr(queue_order, "FEW", few)
    monkeypatch.setattr(queue_order, "_STEP", 4)
    waiting = {each.draft.id for each in filled if each.state is State.DRAFT and each.draft.mode == "live"}
    unfolded = Query(states=OPEN, modes=("live",), without=frozenset(waiting - SOME), drafts=SOME & waiting)
    order = tuple(_place(record) for record in filled if record.draft.id in SOME)
    both = {
        **CASES,
        "only, in an order that is known": (
            Query(only=SOME, only_in_order=order, states=OPEN),
            lambda record: record.draft.id in SOME and record.state in OPEN,
        ),
        "the same without some": (
            Query(only=SOME, only_in_order=order, without=frozenset({"nm-00"})),
            lambda record: record.draft.id in SOME - {"nm-00"},
        ),
        "unfolded": (
            unfolded,
            lambda record: (
                record.draft.mode == "live"
                and (record.state in OPEN and (record.state is not State.DRAFT or record.draft.id in SOME))
            ),
        ),
    }
    by_time = sorted(filled, key=lambda record: (record.draft.opened_at, record.draft.id))
    orders: dict[Order, list[Record]] = {"rank": filled, "newest": by_time[::-1], "oldest": by_time}
    sorts = list(itertools.product(both.items(), orders.items()))
    for (name, (asked, belongs)), (sort, listed) in sorts:
        query = msgspec.structs.replace(asked, order=sort)
        expected = [record.draft.id for record in listed if belongs(record)]
        assert expected, name
        for limit in (3, 100):
            seen: list[str] = []
            key: str | None = None
            while True:
                page = await store.near_misses.page(query, key, limit)
                seen += [record.draft.id for record in page.records]
                key = page.next
                if key is None:
                    break
            assert seen == expected, (name, limit)


async def test_tallies_count_each_state_and_mode_as_far_as_they_say(
    store: Store, filled: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    tallies = await store.near_misses.tallies()
    for (state, mode), count in tallies.items():
        assert count == sum(record.state is state and record.draft.mode == mode for record in filled), (state, mode)
    monkeypatch.setattr(near_misses, "COUNTED", 4)
    few = await store.near_misses.tallies()
    assert few == {pair: min(count, 5) for pair, count in tallies.items()}
    assert max(tallies.values()) <= COUNTED


async def test_after_a_mark_only_what_changed_is_read(store: Store) -> None:
    await put(store, *(Open(draft(name)) for name in ("a", "b", "c")), Open(draft("d", mode="digest")))
    mark = (await store.near_misses.asked()).mark
    assert await store.near_misses.asked_since(mark) == Changes(mark, frozenset(), ())
    await do(store, "b", Move.ACCEPT)
    await put(store, Open(draft("c", rank=9.0)), Open(draft("d", mode="digest", rank=9.0)))
    changes = await store.near_misses.asked_since(mark)
    assert changes is not None
    assert changes.ids == {"b", "c", "d"}
    assert {(each.id, each.state, each.rank) for each in changes.drafts} == {
        ("b", State.ACCEPTED, draft().rank),
        ("c", State.DRAFT, 9.0),
    }
    again = await store.near_misses.asked_since(changes.mark)
    assert again == Changes(changes.mark, frozenset(), ())


async def test_where_very_much_has_changed_all_is_to_be_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.store.asked._MOST", 3)
    await put(store, *(Open(draft(str(number))) for number in range(4)))
    assert await store.near_misses.asked_since(TrailMark(0)) is None
    assert await store.near_misses.asked_since(TrailMark(1)) is not None


async def test_many_changes_are_read_part_by_part(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.store.asked._AT_ONCE", 3)
    await put(store, *(Open(draft(str(number))) for number in range(7)))
    mark, more, found = TrailMark(0), True, []
    while more:
        changes = await store.near_misses.asked_since(mark)
        assert changes is not None
        assert len(changes.ids) <= 3
        found += sorted(each.id for each in changes.drafts)
        mark, more = changes.mark, changes.more
    assert sorted(found) == [str(number) for number in range(7)]
    assert not mark.gaps


@pytest.mark.postgresql
async def test_a_line_that_becomes_visible_after_a_later_one_is_not_missed(postgres_url: str) -> None:
    async with open_store(postgres_url) as store:
        await put(store, Open(draft("slow")), Open(draft("quick")))
        mark = (await store.near_misses.asked()).mark
        entry = Audit(MONDAY, "reviewer", "comment", State.DRAFT, State.DRAFT)
        async with store.records_database.writing() as connection:
            await add_audit(connection, "slow", entry)
            await store.near_misses.comment("quick", "reviewer", "done first", MONDAY)
            first = await store.near_misses.asked_since(mark)
        assert first is not None
        assert first.ids == {"quick"}
        assert first.mark.gaps
        second = await store.near_misses.asked_since(first.mark)
        assert second is not None
        assert second.ids == {"slow"}
        assert not second.mark.gaps


def test_a_line_that_never_comes_is_forgotten() -> None:
    mark = _after(TrailMark(10), {12})
    assert mark == TrailMark(12, frozenset({11}))
    assert _after(mark, {13}).gaps == {11}
    assert 11 not in _after(mark, {13 + _GAPS_OVER}).gaps
    assert len(_after(mark, {10**9}).gaps) < _GAPS_OVER
