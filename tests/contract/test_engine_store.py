"""What every engine store must do: a batch whole or not at all, from one owner, and never over people's heads."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from monitor.core.model.decisions import Amend, Decision, Ignore, Late, Merge, Open, Withdraw
from monitor.core.model.events import DAY, Event, EventId, Instant
from monitor.core.model.near_miss import Cited, Draft, Move, State
from monitor.core.model.reasons import NotOpened, Withdrawn
from monitor.ports import NOT_AT_HAND, Answers, Audit, Commit, Decide, Fenced, NotFound, Query, Reject
from monitor.store import not_opened
from monitor.store.bulk import AT_ONCE
from monitor.store.codec import encode_event
from monitor.store.database import Store
from monitor.store.history import EVER
from monitor.store.not_opened import NotOpenedCount
from monitor.store.tables import event_history
from tests.support.records import BASE, MONDAY, at, draft, event

IMPACT = event("i1", "impact.started", 60, source="statuspage/acme")
LATER = Instant(MONDAY + DAY)


def ignored(minutes: float = 0, **fields: object) -> Ignore:
    values = {
        "reason": NotOpened.NO_INTERVENTION,
        "rules": ("page-caught",),
        "service": "checkout",
        "evidence": (EventId("pagerduty/acme", "a1"),),
        "detail": "nobody acted within 4 h",
        **fields,
    }
    return Ignore(at=at(minutes), **values)  # type: ignore[arg-type]  # fields of an Ignore


class Engine:
    """An owner of the store that commits decisions."""

    def __init__(self, store: Store, epoch: int) -> None:
        self.store = store
        self.epoch = epoch
        self.contradicted = 0

    async def decide(self, *decisions: Decision, when: Instant = MONDAY) -> None:
        self.contradicted += await self.store.engine_store.commit(Commit(decisions, {}, {}, self.epoch, when))

    async def withdraw(self, draft_id: str, *evidence: Event, reason: Withdrawn = Withdrawn.IMPACT_AFTERWARDS) -> None:
        cited = tuple(Cited("impact", each) for each in evidence)
        await self.decide(Withdraw(draft_id, reason, MONDAY, cited), when=LATER)


@pytest.fixture
async def engine(store: Store) -> Engine:
    return Engine(store, (await store.engine_store.acquire("engine-1")).epoch)


async def decide(store: Store, move: Move, record_id: str = "nm-1", **fields: object) -> None:
    await store.near_misses.decide(Decide(record_id, move, "reviewer", MONDAY, **fields))  # type: ignore[arg-type]


async def trail(store: Store, record_id: str = "nm-1") -> list[tuple[str, str, State | None, State | None]]:
    return [(each.by, each.action, each.before, each.after) for each in await store.near_misses.audit(record_id)]


async def test_a_new_owner_finds_nothing_and_the_first_epoch(store: Store) -> None:
    saved = await store.engine_store.acquire("engine-1")
    assert (saved.cells, saved.positions, saved.epoch) == ({}, {}, 1)


async def test_the_next_owner_finds_what_was_committed(store: Store, other: Store, engine: Engine) -> None:
    commit = Commit((), {"a": b"1", "b": b"\0\xff", "c": b""}, {"journal": 8, "topic/3": 2**40}, engine.epoch, MONDAY)
    await store.engine_store.commit(commit)
    await store.engine_store.commit(
        Commit((), {"a": b"2", "c": None, "never": None}, {"journal": 9}, engine.epoch, MONDAY)
    )
    saved = await other.engine_store.acquire("engine-2")
    assert saved.cells == {"a": b"2", "b": b"\0\xff"}
    assert saved.positions == {"journal": 9, "topic/3": 2**40}
    assert saved.epoch == engine.epoch + 1


async def test_many_cells_change_at_once(store: Store, engine: Engine) -> None:
    names = [f"cell-{n:05}" for n in range(3000)]
    await store.engine_store.commit(Commit((), dict.fromkeys(names, b"x"), {}, engine.epoch, MONDAY))
    await store.engine_store.commit(Commit((), dict.fromkeys(names[1:]), {}, engine.epoch, MONDAY))
    assert (await store.engine_store.acquire("next")).cells == {names[0]: b"x"}


async def test_an_owner_that_was_replaced_writes_nothing(store: Store, other: Store, engine: Engine) -> None:
    await other.engine_store.acquire("engine-2")
    late = Commit((Open(draft()), ignored()), {"a": b"late"}, {"journal": 99}, engine.epoch, MONDAY)
    with pytest.raises(Fenced, match="engine-2 took over"):
        await store.engine_store.commit(late)
    saved = await store.engine_store.acquire("engine-3")
    assert (saved.cells, saved.positions) == ({}, {})
    assert (await store.near_misses.page(Query(), None, 10)).records == ()


async def test_owners_that_come_at_once_get_different_epochs(store: Store, other: Store) -> None:
    saved = await asyncio.gather(*(each.engine_store.acquire("engine") for each in (store, other) * 5))
    assert sorted(each.epoch for each in saved) == list(range(1, 11))


async def test_a_commit_that_fails_half_way_leaves_nothing(store: Store, engine: Engine) -> None:
    broken = Ignore(NotOpened.DRILL, Instant(2**70), (), None, (), "no database holds this number")
    commit = Commit((Open(draft()), broken), {"a": b"1"}, {"journal": 5}, engine.epoch, MONDAY)
    with pytest.raises(Exception, match=r"(?i)int"):
        await store.engine_store.commit(commit)
    with pytest.raises(NotFound):
        await store.near_misses.get("nm-1")
    saved = await store.engine_store.acquire("next")
    assert (saved.cells, saved.positions) == ({}, {})


async def test_the_same_commit_again_changes_nothing(store: Store, engine: Engine) -> None:
    """Whoever lost the answer of the database tries the same commit again."""
    reject = Reject("kafka/alerts", "not_json", "found nothing", b"", MONDAY)
    decisions = (Open(draft()), ignored(), Withdraw("nm-1", Withdrawn.IMPACT_TIED, MONDAY, (Cited("impact", IMPACT),)))
    commit = Commit(decisions, {"a": b"1"}, {"journal": 5}, engine.epoch, MONDAY, (IMPACT,), (reject,))
    await store.engine_store.commit(commit)
    before = await store.near_misses.get("nm-1"), await store.near_misses.audit("nm-1")
    await store.engine_store.commit(commit)
    assert (await store.near_misses.get("nm-1"), await store.near_misses.audit("nm-1")) == before
    assert await store.rejects.count() == 1
    assert len(await store.not_opened.recent(10)) == 1


async def test_decisions_that_come_again_in_another_commit_change_nothing(store: Store, engine: Engine) -> None:
    """An engine that starts again before its last commit decides the same once more."""
    decisions = (Open(draft()), Merge("nm-2", "nm-1", MONDAY), Withdraw("nm-1", Withdrawn.PLANNED_WORK, MONDAY, ()))
    await engine.decide(Open(draft("nm-2")), *decisions[:2])
    before = await trail(store), await trail(store, "nm-2")
    await engine.decide(Open(draft("nm-2")), *decisions[:2])
    assert (await trail(store), await trail(store, "nm-2")) == before


async def test_a_draft_opens_with_everything_that_the_engine_said(store: Store, engine: Engine) -> None:
    opened = draft(verdict="unknown")
    await engine.decide(Open(opened))
    record = await store.near_misses.get("nm-1")
    assert record.draft == opened
    assert (record.state, record.version, record.created_at) == (State.DRAFT, 1, MONDAY)
    assert record.answers == Answers()
    assert await store.near_misses.audit("nm-1") == [Audit(MONDAY, "machine", "open", None, State.DRAFT)]


@pytest.mark.parametrize("again", [Open, Amend])
async def test_an_amendment_replaces_the_machines_part_only(
    store: Store, engine: Engine, again: type[Open | Amend]
) -> None:
    await engine.decide(Open(draft()))
    answers = Answers("because", "Grace", "look earlier", False)
    await decide(store, Move.ACCEPT, answers=answers, note="good")
    before = await store.near_misses.get("nm-1")
    amended = draft(title="The disk was 9 minutes from full", services=("payments-db", "invoices"), rank=11.5)
    await engine.decide(again(amended), when=LATER)
    record = await store.near_misses.get("nm-1")
    assert record.draft == amended
    assert (record.state, record.version, record.answers) == (State.ACCEPTED, before.version, answers)
    assert (record.decided_by, record.decided_at) == ("reviewer", MONDAY)
    assert record.created_at == MONDAY
    assert (await trail(store))[-1] == ("machine", "amend", State.ACCEPTED, State.ACCEPTED)
    found = await store.near_misses.page(Query(services=("invoices",)), None, 10)
    assert [each.draft.id for each in found.records] == ["nm-1"]
    assert (await store.near_misses.page(Query(services=("payments",)), None, 10)).records == ()


async def test_an_amendment_that_changes_nothing_leaves_no_trace(store: Store, engine: Engine) -> None:
    await engine.decide(Open(draft()))
    await engine.decide(Amend(draft()), Open(draft()))
    assert len(await store.near_misses.audit("nm-1")) == 1


async def test_an_amendment_of_an_unknown_draft_opens_it(store: Store, engine: Engine) -> None:
    await engine.decide(Amend(draft()))
    assert (await store.near_misses.get("nm-1")).state is State.DRAFT


@pytest.mark.parametrize("reviewed", [False, True])
async def test_an_undecided_draft_is_taken_back(store: Store, engine: Engine, reviewed: bool) -> None:
    await engine.decide(Open(draft()))
    if reviewed:
        await decide(store, Move.START_REVIEW)
    version = (await store.near_misses.get("nm-1")).version
    await engine.withdraw("nm-1", IMPACT)
    record = await store.near_misses.get("nm-1")
    assert (record.state, record.reason, record.contradicted) == (State.WITHDRAWN, "impact_afterwards", None)
    assert record.impact_evidence == (IMPACT,)
    assert record.version == version + 1
    before = State.IN_REVIEW if reviewed else State.DRAFT
    last = (await store.near_misses.audit("nm-1"))[-1]
    assert last == Audit(LATER, "machine", "withdraw", before, State.WITHDRAWN, "impact_afterwards")


@pytest.mark.parametrize("move", [Move.ACCEPT, Move.DISMISS])
async def test_a_decided_draft_is_marked_as_contradicted(store: Store, engine: Engine, move: Move) -> None:
    await engine.decide(Open(draft()))
    await decide(store, move, reason="false_alarm" if move is Move.DISMISS else None)
    decided = await store.near_misses.get("nm-1")
    await engine.withdraw("nm-1", IMPACT)
    record = await store.near_misses.get("nm-1")
    assert (record.state, record.reason, record.decided_by) == (decided.state, decided.reason, "reviewer")
    assert (record.contradicted, record.impact_evidence) == ("impact_afterwards", (IMPACT,))
    assert record.version == decided.version + 1
    assert engine.contradicted == 1
    assert (await trail(store))[-1] == ("machine", "contradict", decided.state, decided.state)


async def test_what_is_out_already_is_not_taken_back_again(store: Store, engine: Engine) -> None:
    await engine.decide(Open(draft()), Open(draft("nm-2")))
    await engine.withdraw("nm-1", IMPACT)
    await decide(store, Move.ACCEPT, "nm-2")
    await engine.withdraw("nm-2", IMPACT)
    before = [await store.near_misses.get(each) for each in ("nm-1", "nm-2")]
    for each in ("nm-1", "nm-2"):
        await engine.withdraw(each, event("i2", "impact.started", 90), reason=Withdrawn.IMPACT_TIED)
    assert [await store.near_misses.get(each) for each in ("nm-1", "nm-2")] == before


async def test_an_unknown_draft_can_be_neither_withdrawn_nor_merged(store: Store, engine: Engine) -> None:
    await engine.withdraw("nobody", IMPACT)
    await engine.decide(Merge("nobody", "nm-1", MONDAY))
    assert sum((await store.near_misses.counts()).values()) == 0


@pytest.mark.parametrize("again", [Open, Amend])
async def test_what_is_withdrawn_or_merged_stays_out(store: Store, engine: Engine, again: type[Open | Amend]) -> None:
    await engine.decide(Open(draft()), Open(draft("nm-2")), Merge("nm-2", "nm-1", MONDAY))
    await engine.withdraw("nm-1", IMPACT)
    before = [(await store.near_misses.get(each), await trail(store, each)) for each in ("nm-1", "nm-2")]
    await engine.decide(*(again(draft(each, title="It stands after all")) for each in ("nm-1", "nm-2")))
    after = [(await store.near_misses.get(each), await trail(store, each)) for each in ("nm-1", "nm-2")]
    assert after == before


async def test_what_a_person_reopened_is_amended_and_withdrawn_again(store: Store, engine: Engine) -> None:
    await engine.decide(Open(draft()))
    await engine.withdraw("nm-1", IMPACT)
    await decide(store, Move.REOPEN)
    await engine.decide(Amend(draft(title="more evidence")))
    await engine.withdraw("nm-1", event("i2", "impact.started", 90), IMPACT)
    record = await store.near_misses.get("nm-1")
    assert (record.state, record.draft.title) == (State.WITHDRAWN, "more evidence")
    assert [each.id for each in record.impact_evidence] == ["i1", "i2"]
    assert [step[1] for step in await trail(store)] == ["open", "withdraw", "reopen", "amend", "withdraw"]


async def test_a_contradicted_record_is_amended_and_keeps_its_mark(store: Store, engine: Engine) -> None:
    await engine.decide(Open(draft()))
    await decide(store, Move.ACCEPT)
    await engine.withdraw("nm-1", IMPACT)
    await engine.decide(Amend(draft(title="more evidence")))
    record = await store.near_misses.get("nm-1")
    assert (record.state, record.contradicted, record.draft.title) == (
        State.ACCEPTED,
        "impact_afterwards",
        "more evidence",
    )


async def test_an_undecided_draft_is_merged(store: Store, engine: Engine) -> None:
    await engine.decide(Open(draft()), Open(draft("nm-2")), Merge("nm-2", "nm-1", MONDAY))
    record = await store.near_misses.get("nm-2")
    assert (record.state, record.merged_into, record.version) == (State.MERGED, "nm-1", 2)
    entry = (await store.near_misses.audit("nm-2"))[-1]
    assert entry == Audit(MONDAY, "machine", "merge", State.DRAFT, State.MERGED, note="nm-1")


async def test_a_decided_draft_that_is_merged_keeps_its_decision(store: Store, engine: Engine) -> None:
    await engine.decide(Open(draft()), Open(draft("nm-2")))
    await decide(store, Move.DISMISS, "nm-2", reason="duplicate")
    await engine.decide(Merge("nm-2", "nm-1", MONDAY))
    record = await store.near_misses.get("nm-2")
    assert (record.state, record.reason, record.merged_into) == (State.DISMISSED, "duplicate", "nm-1")


async def test_decisions_take_effect_in_their_order(store: Store, engine: Engine) -> None:
    second = draft(title="second")
    withdrawal = Withdraw("nm-1", Withdrawn.NO_LONGER_MATCHES, MONDAY, ())
    await engine.decide(Open(draft()), Amend(second), withdrawal, Amend(draft(title="third")))
    record = await store.near_misses.get("nm-1")
    assert (record.state, record.draft) == (State.WITHDRAWN, second)


async def test_what_was_not_opened_is_counted_by_day_and_rule(store: Store, engine: Engine) -> None:
    await engine.decide(ignored(), ignored(1), ignored(2, rules=()), ignored(3, reason=NotOpened.DRILL))
    await engine.decide(ignored(24 * 60, rules=("page-caught", "disk-full-averted")))
    counts = await store.not_opened.counts("2026-02-02")
    assert set(counts) == {
        NotOpenedCount("2026-02-02", "no_intervention", None, 3),
        NotOpenedCount("2026-02-02", "no_intervention", "page-caught", 2),
        NotOpenedCount("2026-02-02", "drill", None, 1),
        NotOpenedCount("2026-02-02", "drill", "page-caught", 1),
        NotOpenedCount("2026-02-03", "no_intervention", None, 1),
        NotOpenedCount("2026-02-03", "no_intervention", "page-caught", 1),
        NotOpenedCount("2026-02-03", "no_intervention", "disk-full-averted", 1),
    }
    assert {each.day for each in await store.not_opened.counts("2026-02-03")} == {"2026-02-03"}


async def test_the_newest_that_were_not_opened_can_be_read_whole(
    store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(not_opened, "KEPT", 3)
    for n in range(3):
        await engine.decide(ignored(2 * n), ignored(2 * n + 1, service="search", reason=NotOpened.DRILL))
    assert await store.not_opened.recent(10) == [
        ignored(5, service="search", reason=NotOpened.DRILL),
        ignored(4),
        ignored(3, service="search", reason=NotOpened.DRILL),
    ]
    assert await store.not_opened.recent(1, service="search") == [ignored(5, service="search", reason=NotOpened.DRILL)]
    assert await store.not_opened.recent(10, reason="no_intervention") == [ignored(4)]


async def test_late_events_change_nothing(store: Store, engine: Engine) -> None:
    await engine.decide(Late(EventId("x", "1"), MONDAY, 5))
    assert sum((await store.near_misses.counts()).values()) == 0


async def test_history_and_rejects_are_part_of_the_commit(store: Store, engine: Engine) -> None:
    events = (event("a", "note.added", 1), event("b", "note.added", 2, service=None))
    reject = Reject("kafka/alerts", "not_json", "found nothing", b"\0", MONDAY, {"offset": "7"})
    await store.engine_store.commit(Commit((), {}, {}, engine.epoch, MONDAY, events, (reject,)))
    await store.engine_store.commit(Commit((), {}, {}, engine.epoch, MONDAY, events))
    assert [each async for each in store.history.events(BASE, MONDAY)] == list(events)
    assert [each async for each in store.history.events(BASE, MONDAY, "payments-db")] == [events[0]]
    assert [(each.body, each.headers) for each in await store.rejects.page(None, 10)] == [(b"\0", {"offset": "7"})]


async def test_what_the_journal_held_of_an_event_goes_into_the_history_as_it_is(store: Store, engine: Engine) -> None:
    told, written = event("e1", "alert.fired", 1), event("e2", "alert.resolved", 5)
    body = b"  " + encode_event(told)
    await store.engine_store.commit(
        Commit((), {}, {}, engine.epoch, MONDAY, history=(told, written), bodies=(body, NOT_AT_HAND))
    )

    assert [each async for each in store.history.events(*EVER)] == [told, written]
    async with store.records_database.reading() as connection:
        kept = (await connection.execute(select(event_history.c.body).order_by(event_history.c.at))).scalars().all()
    assert [bytes(each) for each in kept] == [body, encode_event(written)]


async def test_odd_text_is_kept_as_far_as_a_database_can(store: Store, engine: Engine) -> None:
    odd: Draft = draft(
        title="NUL \0 and \N{FIRE}", service="pay\0ments", services=(), rules=("a\0b",), environment="\0"
    )
    await engine.decide(Open(odd))
    assert (await store.near_misses.get("nm-1")).draft == odd


async def test_parts_have_owners_positions_and_state_of_their_own(store: Store, other: Store) -> None:
    first = await store.engine_store.acquire("a", "events/0", ("shard/000", "events/0"))
    second = await other.engine_store.acquire("b", "events/1", ("shard/001",))
    assert (first.epoch, second.epoch) == (1, 1)
    for engine_store, saved, part, scope in (
        (store.engine_store, first, "events/0", "shard/000"),
        (other.engine_store, second, "events/1", "shard/001"),
    ):
        scopes: dict[str, dict[str, bytes | None]] = {scope: {"a": part.encode(), "b": b"x"}}
        await engine_store.commit(Commit((), {}, {part: 7}, saved.epoch, MONDAY, part=part, scopes=scopes))
        gone: dict[str, dict[str, bytes | None]] = {scope: {"b": None, "never": None}}
        await engine_store.commit(Commit((), {}, {part: 8}, saved.epoch, MONDAY, part=part, scopes=gone))
    taken = await other.engine_store.acquire("b", "events/0", ("shard/000", "shard/004"))
    assert (taken.epoch, taken.positions) == (2, {"events/0": 8})
    assert taken.scopes == {"shard/000": {"a": b"events/0"}}
    with pytest.raises(Fenced, match="events/0: b took over"):
        await store.engine_store.commit(Commit((), {}, {}, first.epoch, MONDAY, part="events/0"))
    await other.engine_store.commit(Commit((), {}, {"events/1": 9}, second.epoch, MONDAY, part="events/1"))


async def test_what_is_whole_and_what_is_in_parts_do_not_mix(store: Store) -> None:
    part = await store.engine_store.acquire("a", "events/0", ("shard/000",))
    await store.engine_store.commit(
        Commit((), {}, {"events/0": 3}, part.epoch, MONDAY, part="events/0", scopes={"shard/000": {"a": b"part"}})
    )
    whole = await store.engine_store.acquire("a")
    assert (whole.cells, whole.positions, whole.scopes, whole.epoch) == ({}, {}, {}, 1)
    await store.engine_store.commit(Commit((), {"a": b"whole"}, {"journal": 5}, whole.epoch, MONDAY))
    intake = await store.engine_store.acquire("a", "intake")
    places = {"intake:alerts/0": 4, "intake:alerts/1": 5}
    await store.engine_store.commit(Commit((), {}, places, intake.epoch, MONDAY, part="intake"))
    assert (await store.engine_store.acquire("a", "intake")).positions == places
    assert (await store.engine_store.acquire("a")).positions == {"journal": 5}
    again = await store.engine_store.acquire("a", "events/0", ("shard/000",))
    assert (again.cells, again.positions) == ({}, {"events/0": 3})
    assert again.scopes == {"shard/000": {"a": b"part"}}


async def test_more_events_and_cells_than_one_statement_takes(store: Store, engine: Engine) -> None:
    """Copies are left out, also within a commit, and cells are replaced."""
    events = [event(f"e{number}", "note.added", number) for number in range(2 * AT_ONCE + 1)]
    cells: dict[str, bytes | None] = {f"cell:{number}": b"old" for number in range(AT_ONCE + 1)}
    first = Commit((), cells, {}, engine.epoch, MONDAY, history=(*events[:-1], events[0]))
    await store.engine_store.commit(first)
    again = Commit(
        (), {**dict.fromkeys(cells, b"new"), "cell:0": None}, {}, engine.epoch, MONDAY, history=tuple(events)
    )
    await store.engine_store.commit(again)

    assert [found.id async for found in store.history.events(*EVER)] == [each.id for each in events]
    saved = await store.engine_store.acquire("another")
    assert saved.cells == {f"cell:{number}": b"new" for number in range(1, AT_ONCE + 1)}
