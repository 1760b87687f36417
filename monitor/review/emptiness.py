"""Why the queue is empty: all is judged, candidates wait for their hold, nothing matched, or nothing arrives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from monitor.core.model.events import Instant
from monitor.core.model.near_miss import Mode, State

Why = Literal["judged", "waiting", "unmatched", "silent"]


class Emptiness(msgspec.Struct, frozen=True):
    """`waiting`: candidates whose window is open, the first until `next_at` where that is known.

    `accepted`, `dismissed`: counted as far as `COUNTED`; `events`: received since this process started.
    """

    why: Why
    accepted: int
    dismissed: int
    waiting: int
    events: int
    next_at: Instant | None = None


def emptiness(
    tallies: Mapping[tuple[State, Mode], int], waiting: int, events: int, next_at: Instant | None = None
) -> Emptiness:
    accepted, dismissed = (
        sum(count for (state, _), count in tallies.items() if state == wanted)
        for wanted in (State.ACCEPTED, State.DISMISSED)
    )
    why: Why = "silent"
    if accepted or dismissed:
        why = "judged"
    elif waiting:
        why = "waiting"
    elif events:
        why = "unmatched"
    return Emptiness(why, accepted, dismissed, waiting, events, next_at)
