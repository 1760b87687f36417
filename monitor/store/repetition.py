"""Decides which decisions of a replay count: what was decided before the last rewind is not decided twice.

Knows decisions and records; must not know how the engine came to be sent back.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.decisions import Amend, Decision, Evicted, Ignore, Late, Merge, Open, Withdraw
from monitor.core.model.events import DAY, Instant
from monitor.core.model.near_miss import Draft
from monitor.store.records import load
from monitor.store.tables import rewinds


class Rewound(msgspec.Struct, frozen=True):
    """The last rewind: what began before `floor` keeps its decisions until event time is beyond `decided_until`."""

    floor: int
    decided_until: int


async def last_rewind(connection: AsyncConnection) -> Rewound | None:
    last = select(rewinds.c.floor, rewinds.c.decided_until).order_by(rewinds.c.id.desc()).limit(1)
    row = (await connection.execute(last)).one_or_none()
    return None if row is None else Rewound(row.floor, row.decided_until)


async def to_carry_out(
    connection: AsyncConnection, decisions: Sequence[Decision], rewound: Rewound | None
) -> list[Decision]:
    """Those that are not the repetition of what was decided before the rewind, in their order."""
    if rewound is None:
        return list(decisions)
    stated: dict[str, Draft] = {}
    found = []
    for decision in decisions:
        if not await _is_repetition(connection, decision, rewound, stated):
            found.append(decision)
            if isinstance(decision, Open | Amend):
                stated[decision.draft.id] = decision.draft
    return found


async def _is_repetition(
    connection: AsyncConnection, decision: Decision, rewound: Rewound, stated: dict[str, Draft]
) -> bool:
    """`stated`: the drafts that earlier ones of the same decisions state."""
    floor, until = rewound.floor, rewound.decided_until
    match decision:
        case Open(draft) | Amend(draft):
            return _began_before(draft, floor) and draft.opened_at <= until
        case Withdraw(draft_id) | Merge(draft_id):
            if decision.at > until:
                return False
            # The record may say that it began earlier, by a clock that was behind: what is stated now counts.
            if (known := stated.get(draft_id)) is not None:
                return _began_before(known, floor)
            record = await load(connection, draft_id)
            # Without a record there is nothing to do: the draft was never opened, or only now and not carried out.
            return record is None or _began_before(record.draft, floor)
        case Ignore():
            return decision.at < first_day(floor)
        case Late() | Evicted():
            return False


def _began_before(draft: Draft, floor: int) -> bool:
    return draft.first_sign_at < floor


def first_day(floor: int) -> Instant:
    """The first midnight (UTC) at or after the floor: from there on what was not opened is counted again."""
    return Instant(-(-floor // DAY) * DAY)
