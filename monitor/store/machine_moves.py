"""Carries the engine's decisions out on the records. The machine never overwrites what a person decided or wrote.

Decides which of the legal moves a decision stands for; must not know why the engine decided so.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.decisions import Merge, Withdraw
from monitor.core.model.events import Event, Instant
from monitor.core.model.near_miss import DECIDED, UNDECIDED, Draft, Move, State, move
from monitor.ops.logs import get_logger
from monitor.ports import Audit
from monitor.store.codec import encode_draft
from monitor.store.records import (
    MACHINE,
    add_audit,
    add_audits,
    change,
    evidence_part,
    insert_records,
    load,
    unknown,
    update_draft,
)

_log = get_logger("store")


async def open_new(connection: AsyncConnection, drafts: Sequence[Draft], at: Instant) -> set[str]:
    """Write those of the drafts that are not there yet, all at once; their ids. The others are for `stand`."""
    first = {draft.id: draft for draft in reversed(drafts)}
    new = await unknown(connection, list(first))
    await _insert(connection, [first[name] for name in sorted(new)], at)
    return new


async def stand(connection: AsyncConnection, draft: Draft, at: Instant, *, again: bool = False) -> None:
    """The engine states this draft: `Open` and `Amend`, which differ only in what they expect to find.

    New: it becomes a draft. There already: the machine's part is replaced; state, version and what people wrote stay.
    One that was withdrawn or merged stays out as it was, and one that was contradicted keeps its mark: after impact was
    seen only a person may say that it was a near miss after all. The same holds for a replay, but what it says of one
    that is out (`again`) is written: its times may be others.
    """
    record = await load(connection, draft.id)
    if record is None:
        await _insert(connection, [draft], at)
    elif (again or record.state in UNDECIDED | DECIDED) and encode_draft(record.draft) != encode_draft(draft):
        await update_draft(connection, record.draft, draft)
        await _audit(connection, draft.id, at, "amend", record.state, record.state)


async def withdraw(connection: AsyncConnection, decision: Withdraw, at: Instant, *, again: bool = False) -> bool:
    """Take an undecided record back; mark a decided one as contradicted. One that is out already stays as it is.

    Whether it contradicted a decision. `again`: the engine was sent back. Why it takes the same record back now
    replaces why it did then.
    """
    record = await load(connection, decision.draft_id)
    if record is None:
        _log.warning("unknown_draft_withdrawn", draft=decision.draft_id, reason=str(decision.reason))
        return False
    evidence = evidence_part(_with(record.impact_evidence, tuple(cited.event for cited in decision.evidence)))
    reason = str(decision.reason)
    if record.state in UNDECIDED:
        after = move(record.state, Move.WITHDRAW)
        await change(connection, record, state=after, reason=reason, **evidence)
        await _audit(connection, decision.draft_id, at, Move.WITHDRAW, record.state, after, reason)
    elif record.state in DECIDED and record.contradicted is None:
        await change(connection, record, contradicted=reason, **evidence)
        await _audit(connection, decision.draft_id, at, "contradict", record.state, record.state, reason)
        return True
    elif again and record.state is State.WITHDRAWN and record.reason != reason:
        evidence = evidence_part(tuple(cited.event for cited in decision.evidence))
        await change(connection, record, reason=reason, **evidence)
        await _audit(connection, decision.draft_id, at, "amend", record.state, record.state, reason)
    return False


async def merge(connection: AsyncConnection, decision: Merge, at: Instant) -> None:
    """An undecided record becomes part of the other one. A decided one keeps its decision and names the other."""
    record = await load(connection, decision.draft_id)
    if record is None:
        _log.warning("unknown_draft_merged", draft=decision.draft_id, into=decision.into)
        return
    if record.merged_into == decision.into or record.state is State.WITHDRAWN:
        return
    after = move(record.state, Move.MERGE) if record.state in UNDECIDED else record.state
    await change(connection, record, state=after, merged_into=decision.into)
    await _audit(connection, decision.draft_id, at, Move.MERGE, record.state, after, note=decision.into)


async def _insert(connection: AsyncConnection, drafts: Sequence[Draft], at: Instant) -> None:
    await insert_records(connection, drafts, at)
    opened = Audit(at, MACHINE, "open", None, State.DRAFT)
    await add_audits(connection, [(draft.id, opened) for draft in drafts])


async def _audit(
    connection: AsyncConnection,
    record_id: str,
    at: Instant,
    action: str,
    before: State | None,
    after: State,
    reason: str | None = None,
    note: str | None = None,
) -> None:
    await add_audit(connection, record_id, Audit(at, MACHINE, action, before, after, reason, note))


def _with(known: tuple[Event, ...], more: tuple[Event, ...]) -> tuple[Event, ...]:
    there = {event.event_id for event in known}
    return known + tuple(event for event in more if event.event_id not in there)
