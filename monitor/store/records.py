"""Records as rows: what the machine's part and the people's part of a near miss look like in the tables.

Moves nothing by itself: the engine's store and the people's store do, each by its own rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.events import Event, Instant
from monitor.core.model.near_miss import Draft, State
from monitor.core.model.risk import Barrier, Handling, Outcome, Risk, Share
from monitor.ports import Answers, Audit, Record
from monitor.store.codec import (
    decode_draft,
    decode_events,
    decode_ids,
    decode_open_until,
    encode_draft,
    encode_events,
    instant,
    plain,
    plain_or_none,
)
from monitor.store.outbox import announce
from monitor.store.tables import audit, near_miss_rules, near_miss_services, near_misses

MACHINE = "machine"
_IN_LIST = 500

columns = near_misses.c


def selection() -> Select[Any]:
    """All that `to_record` needs."""
    return select(near_misses)


async def load(connection: AsyncConnection, record_id: str) -> Record | None:
    """The record, locked until the transaction ends where the database can lock a row."""
    row = (await connection.execute(selection().where(columns.id == record_id).with_for_update())).one_or_none()
    return None if row is None else to_record(row)


def to_record(row: Row[Any]) -> Record:
    return Record(
        draft=decode_draft(row.draft),
        state=State(row.state),
        version=row.version,
        answers=Answers(row.why_near_miss, row.what_saved_it, row.what_next_time, row.users_hit),
        reason=row.reason,
        merged_into=row.merged_into,
        contradicted=row.contradicted,
        decided_at=instant(row.decided_at),
        decided_by=row.decided_by,
        created_at=instant(row.created_at),
        impact_evidence=decode_events(row.impact_evidence),
        handling=Handling(
            risk=None if row.outcome is None else Risk(Outcome(row.outcome), Barrier(row.barrier)),
            returns_at=row.returns_at,
            open_condition=row.open_condition,
            team=row.team,
            share=Share(row.share),
            added=() if row.added is None else decode_events(row.added),
            left_out=() if row.left_out is None else decode_ids(row.left_out),
            open_until=None if row.open_until is None else decode_open_until(row.open_until),
        ),
    )


async def unknown(connection: AsyncConnection, ids: Sequence[str]) -> set[str]:
    """Those of some ids of which there is no record."""
    found: set[str] = set()
    for start in range(0, len(ids), _IN_LIST):
        query = select(columns.id).where(columns.id.in_(ids[start : start + _IN_LIST]))
        found.update((await connection.execute(query)).scalars())
    return set(ids) - found


async def insert_records(connection: AsyncConnection, drafts: Sequence[Draft], at: Instant) -> None:
    """Drafts that nobody has seen yet, each once."""
    rows = [
        {
            "id": draft.id,
            "state": str(State.DRAFT),
            "version": 1,
            **_machine_part(draft),
            **answers_part(Answers()),
            "impact_evidence": encode_events(()),
            "created_at": int(at),
        }
        for draft in drafts
    ]
    if rows:
        await connection.execute(insert(near_misses), rows)
        await _insert_links(connection, drafts)


async def update_draft(connection: AsyncConnection, before: Draft, draft: Draft) -> None:
    """Replace the machine's part."""
    await connection.execute(update(near_misses).where(columns.id == draft.id).values(_machine_part(draft)))
    if _links(draft) != _links(before):
        for links in (near_miss_rules, near_miss_services):
            await connection.execute(delete(links).where(links.c.record_id == draft.id))
        await _insert_links(connection, [draft])


async def change(connection: AsyncConnection, record: Record, **values: object) -> Record:
    """Change what is not the machine's draft, and count the version up; the record as it is now."""
    values["version"] = record.version + 1
    changed = update(near_misses).where(columns.id == record.draft.id).values(values).returning(near_misses)
    return to_record((await connection.execute(changed)).one())


async def add_audit(connection: AsyncConnection, record_id: str, entry: Audit) -> None:
    await add_audits(connection, [(record_id, entry)])


async def add_audits(connection: AsyncConnection, entries: Sequence[tuple[str, Audit]]) -> None:
    """Each about one record, in this order."""
    rows = [
        {
            "record_id": record_id,
            "at": int(entry.at),
            "by": plain(entry.by),
            "action": entry.action,
            "before": entry.before,
            "after": entry.after,
            "reason": plain_or_none(entry.reason),
            "note": plain_or_none(entry.note),
        }
        for record_id, entry in entries
    ]
    if rows:
        await connection.execute(insert(audit), rows)
        await announce(connection, entries)


def answers_part(answers: Answers) -> dict[str, object]:
    return {
        "why_near_miss": plain(answers.why_near_miss),
        "what_saved_it": plain(answers.what_saved_it),
        "what_next_time": plain(answers.what_next_time),
        "users_hit": answers.users_hit,
    }


def evidence_part(events: Sequence[Event]) -> dict[str, object]:
    return {"impact_evidence": encode_events(events)}


def _machine_part(draft: Draft) -> dict[str, object]:
    return {
        "rank": draft.rank,
        "opened_at": int(draft.opened_at),
        "mode": draft.mode,
        "verdict": draft.verdict,
        "family": draft.family,
        "service": plain_or_none(draft.service),
        "environment": plain_or_none(draft.environment),
        "recurrence_key": plain(draft.recurrence_key),
        "search": plain(draft.title).casefold(),
        "draft": encode_draft(draft),
    }


def _links(draft: Draft) -> tuple[set[str], set[str]]:
    """The rules and the services that the draft is found by."""
    services = (draft.service, *draft.services)
    return {plain(rule) for rule in draft.rules}, {plain(name) for name in services if name is not None}


async def _insert_links(connection: AsyncConnection, drafts: Sequence[Draft]) -> None:
    for links, column, place in ((near_miss_rules, "rule", 0), (near_miss_services, "service", 1)):
        rows = [{"record_id": draft.id, column: name} for draft in drafts for name in sorted(_links(draft)[place])]
        if rows:
            await connection.execute(insert(links), rows)
