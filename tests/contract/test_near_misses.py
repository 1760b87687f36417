"""What every store of near misses must do for people: list in one order, and never mix what two of them do at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from monitor.core.model.budget import BudgetedDraft
from monitor.core.model.decisions import Open
from monitor.core.model.events import DAY, HOUR, Instant
from monitor.core.model.near_miss import Draft, IllegalMove, Move, State
from monitor.ports import Answers, Audit, Commit, Decide, NotFound, Query, Record, VersionConflict
from monitor.ports.access import ApiToken
from monitor.store.database import Store
from tests.support.records import BASE, MONDAY, draft

LATER = Instant(MONDAY + HOUR)
ANSWERS = Answers("the disk was nearly full", "Grace looked at a graph", "alert on growth", False)


@dataclass
class Desk:
    """A store that the engine fills."""

    store: Store
    epoch: int

    async def open(self, *drafts: Draft, when: Instant = MONDAY) -> None:
        await self.store.engine_store.commit(Commit(tuple(Open(each) for each in drafts), {}, {}, self.epoch, when))

    async def ids(self, query: Query, limit: int = 100) -> list[str]:
        return [each.draft.id for each in (await self.store.near_misses.page(query, None, limit)).records]


@pytest.fixture
async def desk(store: Store) -> Desk:
    return Desk(store, (await store.engine_store.acquire("engine")).epoch)


def order(move: Move, record_id: str = "nm-1", **fields: object) -> Decide:
    return Decide(record_id, move, "reviewer", LATER, **fields)  # type: ignore[arg-type]  # fields of a Decide


async def test_pages_go_by_rank_then_newest_then_id(store: Store, desk: Desk) -> None:
    drafts = [
        draft("b", rank=1.5, opened_at=Instant(1)),
        draft("a", rank=1.5, opened_at=Instant(1)),
        draft("new", rank=1.5, opened_at=Instant(2)),
        draft("top", rank=0.1 + 0.2 + 2, opened_at=Instant(0)),
        draft("low", rank=-1.0, opened_at=Instant(9)),
    ]
    await desk.open(*drafts)
    for limit in range(1, 7):
        seen: list[str] = []
        key: str | None = None
        while True:
            page = await store.near_misses.page(Query(), key, limit)
            assert len(page.records) <= limit
            seen += [each.draft.id for each in page.records]
            key = page.next
            if key is None:
                break
        assert seen == ["top", "new", "a", "b", "low"]


async def test_a_page_goes_on_although_its_last_record_has_moved(store: Store, desk: Desk) -> None:
    await desk.open(*(draft(str(n), rank=float(n)) for n in range(6)))
    page = await store.near_misses.page(Query(), None, 3)
    await desk.open(draft("3", rank=9.0), draft("new", rank=10.0))
    rest = await store.near_misses.page(Query(), page.next, 3)
    assert [each.draft.id for each in page.records + rest.records] == ["5", "4", "3", "2", "1", "0"]
    assert rest.next is None


@pytest.mark.parametrize("key", ["", "x", "W10", "WzEsMiwzXQ", "é", "eyJhIjoxfQ", "WzEsMl0=", "a" * 5000])
async def test_a_key_that_no_page_gave_is_refused(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="use the `next` of the page before"):
        await store.near_misses.page(Query(), key, 3)


async def test_keys_are_safe_in_an_address(store: Store, desk: Desk) -> None:
    await desk.open(draft("a/b?c&d=é"), draft("z"))
    key = (await store.near_misses.page(Query(), None, 1)).next
    assert key is not None
    assert key.replace("-", "").replace("_", "").isalnum()
    assert key.isascii()


async def test_filters_restrict_and_combine(store: Store, desk: Desk) -> None:
    await desk.open(
        draft("a", service="checkout", services=("checkout", "payments"), rules=("r1", "r2"), rank=3.0),
        draft("b", service="search", services=("search",), rules=("r2",), family="oops", mode="digest", rank=2.0),
        draft("c", service=None, services=(), rules=("r3",), rank=1.0),
    )
    await store.near_misses.decide(order(Move.ACCEPT, "b"))
    for query, expected in (
        (Query(), ["a", "b", "c"]),
        (Query(states=(State.DRAFT,)), ["a", "c"]),
        (Query(states=(State.ACCEPTED, State.DRAFT)), ["a", "b", "c"]),
        (Query(services=("payments", "search")), ["a", "b"]),
        (Query(rules=("r2",)), ["a", "b"]),
        (Query(rules=("r2", "r3"), services=("search",)), ["b"]),
        (Query(families=("oops",)), ["b"]),
        (Query(modes=("live",)), ["a", "c"]),
        (Query(services=("nobody",)), []),
    ):
        assert await desk.ids(query) == expected, query


async def test_text_is_found_in_titles_literally_and_whatever_its_case(desk: Desk) -> None:
    await desk.open(
        draft("a", title="Disk 97 % FULL on Größe_1", rank=2.0), draft("b", title=r"Disk 970 full on c:\x", rank=1.0)
    )
    for text, expected in (
        ("disk", ["a", "b"]),
        ("97 %", ["a"]),
        ("%", ["a"]),
        ("e_1", ["a"]),
        ("GRÖSSE", ["a"]),
        (r":\X", ["b"]),
        ("nothing", []),
        ("a\0b", []),
    ):
        assert await desk.ids(Query(text=text)) == expected, text


async def test_an_unknown_record_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.near_misses.get("nobody")
    with pytest.raises(NotFound):
        await store.near_misses.decide(order(Move.ACCEPT, "nobody"))
    with pytest.raises(NotFound):
        await store.near_misses.comment("nobody", "reviewer", "hello", LATER)
    assert await store.near_misses.audit("nobody") == []


async def test_a_decision_is_kept_with_its_answers_and_its_trail(store: Store, desk: Desk) -> None:
    await desk.open(draft())
    decided = await store.near_misses.decide(
        order(Move.ACCEPT, expected_version=1, answers=ANSWERS, note="worth telling")
    )
    assert decided == await store.near_misses.get("nm-1")
    assert decided == Record(
        draft(), State.ACCEPTED, 2, ANSWERS, decided_at=LATER, decided_by="reviewer", created_at=MONDAY
    )
    assert await store.near_misses.audit("nm-1") == [
        Audit(MONDAY, "machine", "open", None, State.DRAFT),
        Audit(LATER, "reviewer", "accept", State.DRAFT, State.ACCEPTED, None, "worth telling"),
    ]


async def test_a_dismissal_keeps_its_reason(store: Store, desk: Desk) -> None:
    await desk.open(draft())
    record = await store.near_misses.decide(order(Move.DISMISS, reason="routine_hygiene"))
    assert (record.state, record.reason) == (State.DISMISSED, "routine_hygiene")
    assert (await store.near_misses.audit("nm-1"))[-1].reason == "routine_hygiene"


async def test_taking_a_draft_into_review_decides_nothing(store: Store, desk: Desk) -> None:
    await desk.open(draft())
    record = await store.near_misses.decide(order(Move.START_REVIEW))
    assert (record.state, record.decided_at, record.decided_by) == (State.IN_REVIEW, None, None)


async def test_reopening_takes_the_decision_back_and_keeps_the_answers(store: Store, desk: Desk) -> None:
    await desk.open(draft())
    await store.near_misses.decide(order(Move.DISMISS, reason="false_alarm", answers=ANSWERS))
    record = await store.near_misses.decide(order(Move.REOPEN))
    assert (record.state, record.reason, record.decided_at, record.decided_by) == (State.REOPENED, None, None, None)
    assert (record.answers, record.version) == (ANSWERS, 3)
    again = await store.near_misses.decide(order(Move.ACCEPT))
    assert again.answers == ANSWERS


async def test_a_person_merges_into_a_record_that_exists(store: Store, desk: Desk) -> None:
    await desk.open(draft(), draft("nm-2"))
    for target in (None, "nm-1"):
        with pytest.raises(ValueError, match="another record"):
            await store.near_misses.decide(order(Move.MERGE, merged_into=target))
    with pytest.raises(NotFound, match="nobody"):
        await store.near_misses.decide(order(Move.MERGE, merged_into="nobody"))
    assert (await store.near_misses.get("nm-1")).version == 1
    record = await store.near_misses.decide(order(Move.MERGE, merged_into="nm-2"))
    assert (record.state, record.merged_into) == (State.MERGED, "nm-2")
    with pytest.raises(ValueError, match="nm-1 is merged; merge into a record that stands"):
        await store.near_misses.decide(order(Move.MERGE, "nm-2", merged_into="nm-1"))


async def test_a_move_that_the_table_does_not_have_is_illegal(store: Store, desk: Desk) -> None:
    await desk.open(draft())
    await store.near_misses.decide(order(Move.ACCEPT))
    with pytest.raises(IllegalMove, match="cannot dismiss"):
        await store.near_misses.decide(order(Move.DISMISS, reason="false_alarm"))
    assert len(await store.near_misses.audit("nm-1")) == 2


async def test_whoever_saw_an_older_version_is_told(store: Store, desk: Desk) -> None:
    await desk.open(draft())
    accepted = await store.near_misses.decide(order(Move.ACCEPT, expected_version=1))
    with pytest.raises(VersionConflict) as conflict:
        await store.near_misses.decide(order(Move.DISMISS, expected_version=1, answers=ANSWERS))
    assert conflict.value.record == accepted == await store.near_misses.get("nm-1")
    assert len(await store.near_misses.audit("nm-1")) == 2


async def test_of_two_who_decide_at_once_one_is_told(store: Store, other: Store, desk: Desk) -> None:
    ids = [f"nm-{n}" for n in range(8)]
    await desk.open(*(draft(each) for each in ids))
    for record_id in ids:
        outcomes = await asyncio.gather(
            store.near_misses.decide(order(Move.ACCEPT, record_id, expected_version=1)),
            other.near_misses.decide(order(Move.DISMISS, record_id, expected_version=1, reason="duplicate")),
            return_exceptions=True,
        )
        winners = [each for each in outcomes if isinstance(each, Record)]
        told = [each for each in outcomes if isinstance(each, VersionConflict)]
        assert (len(winners), len(told)) == (1, 1)
        assert told[0].record == winners[0] == await store.near_misses.get(record_id)
        assert len(await store.near_misses.audit(record_id)) == 2


async def test_a_person_and_the_engine_do_not_overwrite_each_other(store: Store, other: Store, desk: Desk) -> None:
    await desk.open(draft())
    amended = draft(title="amended")
    await asyncio.gather(desk.open(amended), other.near_misses.decide(order(Move.ACCEPT, answers=ANSWERS)))
    record = await store.near_misses.get("nm-1")
    assert (record.draft, record.state, record.answers) == (amended, State.ACCEPTED, ANSWERS)


async def test_comments_join_the_trail(store: Store, desk: Desk) -> None:
    await desk.open(draft())
    await store.near_misses.comment("nm-1", "reviewer", "who knows\0 slots?", LATER)
    assert (await store.near_misses.audit("nm-1"))[-1] == Audit(
        LATER, "reviewer", "comment", State.DRAFT, State.DRAFT, None, "who knows\N{REPLACEMENT CHARACTER} slots?"
    )
    assert (await store.near_misses.get("nm-1")).version == 1


async def test_every_state_is_counted(store: Store, desk: Desk) -> None:
    assert await store.near_misses.counts() == dict.fromkeys(State, 0)
    await desk.open(draft("a"), draft("b"), draft("c"))
    await store.near_misses.decide(order(Move.ACCEPT, "a"))
    assert await store.near_misses.counts() == {**dict.fromkeys(State, 0), State.DRAFT: 2, State.ACCEPTED: 1}


async def test_the_oldest_undecided_is_the_one_that_waits_longest(store: Store, desk: Desk) -> None:
    assert await store.near_misses.oldest_undecided_at() is None
    await desk.open(draft("a"), when=MONDAY)
    await desk.open(draft("b"), when=LATER)
    assert await store.near_misses.oldest_undecided_at() == MONDAY
    await store.near_misses.decide(order(Move.ACCEPT, "a"))
    assert await store.near_misses.oldest_undecided_at() == LATER
    await store.near_misses.decide(order(Move.REOPEN, "a"))
    assert await store.near_misses.oldest_undecided_at() == MONDAY


async def test_the_budget_is_told_of_live_drafts_since_the_week_of_the_oldest_that_waits(
    store: Store, desk: Desk
) -> None:
    assert (await store.near_misses.asked()).drafts == ()
    await desk.open(
        draft("old", base=Instant(BASE - 30 * DAY)),
        draft("begun", rank=2.0),
        draft("waits", rank=1.0, service=None),
        draft("digest", mode="digest"),
        draft("gone", rank=3.0),
    )
    for name in ("old", "begun"):
        await store.near_misses.decide(order(Move.ACCEPT, name, answers=ANSWERS))
    await store.near_misses.decide(order(Move.MERGE, "gone", merged_into="begun"))
    opened_at = draft().opened_at
    assert sorted((await store.near_misses.asked()).drafts, key=lambda asked: asked.id) == [
        BudgetedDraft("begun", "payments-db", State.ACCEPTED, 2.0, opened_at),
        BudgetedDraft("waits", None, State.DRAFT, 1.0, opened_at),
    ]


async def test_a_page_can_be_of_some_ids_or_without_some(store: Store, desk: Desk) -> None:
    await desk.open(draft("a"), draft("b"), draft("c"))

    async def ids(query: Query) -> set[str]:
        return {record.draft.id for record in (await store.near_misses.page(query, None, 10)).records}

    assert await ids(Query(only=frozenset({"a", "b"}))) == {"a", "b"}
    assert await ids(Query(only=frozenset())) == set()
    assert await ids(Query(without=frozenset({"a"}))) == {"b", "c"}
    assert await ids(Query(only=frozenset({"a", "b"}), without=frozenset({"a"}))) == {"b"}


@pytest.mark.parametrize("name", ["a\0b", "\ud83d"])
async def test_what_no_database_can_hold_is_looked_for_and_not_there(store: Store, desk: Desk, name: str) -> None:
    await desk.open(draft("nm-1"))
    with pytest.raises(NotFound):
        await store.near_misses.get(name)
    for query in (Query(services=(name,)), Query(rules=(name,)), Query(text=name), Query(only=frozenset({name}))):
        assert await desk.ids(query) == []
    assert await store.near_misses.audit(name) == []
    assert [event async for event in store.history.events(Instant(0), MONDAY, name)] == []
    assert not await store.access.end_session(name, name, MONDAY)
    token = ApiToken(name, b"key", name, "{}", name, MONDAY, LATER)
    await store.access.add_token(token)
    assert await store.access.revoke_token(name, name, MONDAY)
