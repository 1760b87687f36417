"""Laws of the store, tried with many small histories: the order of the journal, and who may change what in a record."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.model.decisions import Amend, Decision, Merge, Open, Withdraw
from monitor.core.model.events import Event
from monitor.core.model.near_miss import DECIDED, MOVES, UNDECIDED, IllegalMove, Move, State
from monitor.core.model.reasons import Withdrawn
from monitor.ports import Answers, Audit, Commit, Decide, NotFound, Record
from monitor.store.database import Store, open_store
from tests.support.records import BASE, MONDAY, draft, event

IDS = ("nm-1", "nm-2")
ids = st.sampled_from(IDS)

batches = st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=8)

machine = st.one_of(
    st.builds(lambda name, title: Open(draft(name, title=title)), ids, st.sampled_from("ab")),
    st.builds(lambda name, title: Amend(draft(name, title=title)), ids, st.sampled_from("ab")),
    st.builds(lambda name, reason: Withdraw(name, reason, BASE, ()), ids, st.sampled_from(Withdrawn)),
    st.builds(lambda name, into: Merge(name, into, BASE), ids, ids).filter(lambda each: each.draft_id != each.into),
)
answers = st.none() | st.builds(Answers, st.sampled_from(("", "why")), users_hit=st.sampled_from((None, True, False)))
people = st.builds(
    lambda name, move, said, other: Decide(
        name, move, "reviewer", MONDAY, answers=said, merged_into=other if move is Move.MERGE else None
    ),
    ids,
    st.sampled_from(Move),
    answers,
    ids,
)
stories = st.lists(st.lists(machine, min_size=1, max_size=4) | people, max_size=12)


@asynccontextmanager
async def fresh(template: Path) -> AsyncIterator[Store]:
    with tempfile.TemporaryDirectory(dir=template.parent) as folder:
        shutil.copytree(template, folder, dirs_exist_ok=True)
        async with open_store(f"sqlite:///{folder}/nearmiss.db") as store:
            yield store


@settings(max_examples=30)
@given(batches, st.integers(1, 5), st.booleans())
def test_a_reader_sees_the_first_copies_in_their_order(
    sqlite_template: Path, written: list[list[int]], limit: int, together: bool
) -> None:
    async def story() -> None:
        async with fresh(sqlite_template) as store:
            appends = [
                [event(str(n), "note.added", n, title=f"{place}.{row}") for row, n in enumerate(batch)]
                for place, batch in enumerate(written)
            ]
            if together:
                told = await asyncio.gather(*(store.journal.append(batch) for batch in appends))
            else:
                told = [await store.journal.append(batch) for batch in appends]
            flat = [each for batch in appends for each in batch]
            first = [each for place, each in enumerate(flat) if each.id not in {before.id for before in flat[:place]}]
            fresh_ones = [fresh for appended in told for fresh in appended.fresh]
            assert [each for each, is_fresh in zip(flat, fresh_ones, strict=True) if is_fresh] == first
            seen: list[Event] = []
            positions: dict[str, int] = {}
            at_head = False
            while not at_head:
                batch = await store.journal.read(positions, limit)
                seen += batch.events
                positions, at_head = batch.positions, batch.at_head
            assert seen == first

    asyncio.run(story())


@settings(max_examples=60)
@given(stories)
def test_machine_and_people_keep_to_the_moves_and_to_their_parts(
    sqlite_template: Path, story: list[Sequence[Decision] | Decide]
) -> None:
    async def play() -> None:
        async with fresh(sqlite_template) as store:
            epoch = (await store.engine_store.acquire("engine")).epoch
            for step in story:
                before = [await find(store, each) for each in IDS]
                if isinstance(step, Decide):
                    with suppress(NotFound, IllegalMove, ValueError):
                        await store.near_misses.decide(step)
                else:
                    await store.engine_store.commit(Commit(tuple(step), {}, {}, epoch, MONDAY))
                    after = [await find(store, each) for each in IDS]
                    for old, new in zip(before, after, strict=True):
                        check_machine(old, new)
            for record_id in IDS:
                record = await find(store, record_id)
                check_trail(await store.near_misses.audit(record_id), record)

    asyncio.run(play())


async def find(store: Store, record_id: str) -> Record | None:
    try:
        return await store.near_misses.get(record_id)
    except NotFound:
        return None


def check_machine(before: Record | None, after: Record | None) -> None:
    """What the machine may never do to a record that was there."""
    if before is None:
        return
    assert after is not None
    assert (after.answers, after.decided_at, after.decided_by) == (before.answers, before.decided_at, before.decided_by)
    if before.state in DECIDED:
        assert (after.state, after.reason) == (before.state, before.reason)
    if before.state not in UNDECIDED | DECIDED:
        assert after == before


def check_trail(trail: Sequence[Audit], record: Record | None) -> None:
    """The trail tells every change, in a chain of legal moves that ends where the record is."""
    if record is None:
        assert trail == []
        return
    assert (trail[0].action, trail[0].before, trail[0].after) == ("open", None, State.DRAFT)
    for last, entry in pairwise(trail):
        assert entry.before == last.after
        if entry.before != entry.after:
            assert entry.before is not None
            assert MOVES[entry.before, Move(entry.action)] == entry.after
    assert trail[-1].after == record.state
    assert record.version == 1 + sum(entry.action not in ("open", "amend") for entry in trail)
