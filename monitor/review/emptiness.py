"""Why the queue is empty: all is judged, candidates wait for their hold, nothing matched, or nothing arrives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from monitor.core.model.near_miss import State

Why = Literal["judged", "waiting", "unmatched", "silent"]


class Emptiness(msgspec.Struct, frozen=True):
    """`waiting`: episodes whose hold has not passed; `events`: received since this process started."""

    why: Why
    accepted: int
    dismissed: int
    waiting: int
    events: int


def emptiness(counts: Mapping[State, int], waiting: int, events: int) -> Emptiness:
    accepted, dismissed = counts.get(State.ACCEPTED, 0), counts.get(State.DISMISSED, 0)
    why: Why = "silent"
    if accepted or dismissed:
        why = "judged"
    elif waiting:
        why = "waiting"
    elif events:
        why = "unmatched"
    return Emptiness(why, accepted, dismissed, waiting, events)
