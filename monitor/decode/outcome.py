"""What came of reading a body: events, refusals with their bytes, and what was left out by intention.

Knows nothing of any tool, and nothing of where refused bytes are kept.
"""

from __future__ import annotations

import msgspec

from monitor.core.events import Event
from monitor.core.reasons import Ignored, Rejected


class Unreadable(Exception):
    """Something that arrived cannot be read. `detail` says what, where, and what was expected."""

    def __init__(self, reason: Rejected, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Refusal(msgspec.Struct, frozen=True):
    """One piece of a body that could not be read: its place among the pieces (from 0), why, and its bytes."""

    index: int
    reason: Rejected
    detail: str
    body: bytes


class Skipped(msgspec.Struct, frozen=True):
    """One piece of a body that was read and gives no event by intention."""

    index: int
    reason: Ignored
    detail: str


class Outcome(msgspec.Struct, frozen=True):
    """Everything that one body gave. Each piece of the body is in exactly one of the three."""

    events: tuple[Event, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def refused(reason: Rejected, detail: str, body: bytes, index: int = 0) -> Outcome:
    return Outcome(refusals=(Refusal(index, reason, detail, body),))


def left_out(reason: Ignored, detail: str, index: int = 0) -> Outcome:
    return Outcome(skipped=(Skipped(index, reason, detail),))
