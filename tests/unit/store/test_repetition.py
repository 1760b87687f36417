"""After a rewind: which decisions of the replay repeat what was decided before."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from monitor.core.model.decisions import Amend, Decision, Evicted, Ignore, Late, Merge, Open, Withdraw
from monitor.core.model.events import DAY, HOUR, EventId, Instant
from monitor.core.model.reasons import NotOpened, StateKind, Withdrawn
from monitor.store.repetition import Rewound, first_day, to_carry_out
from tests.unit.core.deciding.test_verdict import decide, the_draft

FLOOR, UNTIL = 10 * DAY + HOUR, 20 * DAY
REWOUND = Rewound(FLOOR, UNTIL)
DRAFT = the_draft(decide())
NO_CONNECTION: Any = None
"""Nothing is looked up for these."""


def opened(first_sign_at: int, opened_at: int) -> Open:
    return Open(msgspec.structs.replace(DRAFT, first_sign_at=Instant(first_sign_at), opened_at=Instant(opened_at)))


async def carried_out(*decisions: Decision, rewound: Rewound | None = REWOUND) -> list[Decision]:
    return await to_carry_out(NO_CONNECTION, decisions, rewound)


@pytest.mark.parametrize(
    ("first_sign_at", "opened_at", "counts"),
    [
        (FLOOR - 1, UNTIL, False),
        (FLOOR, UNTIL, True),
        (FLOOR - 1, UNTIL + 1, True),
    ],
)
async def test_what_began_before_the_floor_and_was_decided_by_then_is_not_decided_twice(
    first_sign_at: int, opened_at: int, counts: bool
) -> None:
    one = opened(first_sign_at, opened_at)
    assert bool(await carried_out(one)) is counts
    assert bool(await carried_out(Amend(one.draft))) is counts
    assert await carried_out(one, rewound=None) == [one]


@pytest.mark.parametrize(("at", "counts"), [(11 * DAY - 1, False), (11 * DAY, True)])
async def test_what_was_not_opened_is_counted_anew_from_the_next_midnight(at: int, counts: bool) -> None:
    assert bool(await carried_out(Ignore(NotOpened.DRILL, Instant(at), (), "db", (), ""))) is counts


@pytest.mark.parametrize(("floor", "day"), [(10 * DAY, 10), (10 * DAY + 1, 11), (0, 0), (-1, 0), (-DAY, -1)])
def test_the_first_midnight_at_or_after_the_floor(floor: int, day: int) -> None:
    assert first_day(floor) == day * DAY


async def test_a_withdrawal_beyond_what_was_decided_counts() -> None:
    late = Withdraw("nm_x", Withdrawn.IMPACT_TIED, Instant(UNTIL + 1), ())
    merged = Merge("nm_x", "nm_y", Instant(UNTIL + 1))
    assert await carried_out(late, merged) == [late, merged]


@pytest.mark.parametrize(("first_sign_at", "counts"), [(FLOOR, True), (FLOOR - 1, False)])
async def test_of_a_draft_that_is_stated_now_its_beginning_counts(first_sign_at: int, counts: bool) -> None:
    stated = opened(first_sign_at, UNTIL + 1)
    gone = Withdraw(DRAFT.id, Withdrawn.IMPACT_TIED, Instant(UNTIL), ())
    assert await carried_out(stated, gone) == [stated, gone][: 1 + counts]


async def test_what_came_late_or_was_evicted_is_told_again() -> None:
    told: list[Decision] = [Late(EventId("s", "e"), Instant(0), 1), Evicted(Instant(0), StateKind.EVENTS, 1)]
    assert await carried_out(*told) == told
