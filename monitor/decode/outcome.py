"""What came of reading a body: events, refusals with their bytes, and what was left out by intention.

Knows nothing of any tool, and nothing of where refused bytes are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from monitor.core.model.events import Event
from monitor.core.model.reasons import Ignored, Rejected

Piece = TypeVar("Piece")


class Unreadable(Exception):
    """Something that arrived cannot be read. `detail` says what, where, and what was expected."""

    def __init__(self, reason: Rejected, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class NoEvent(Exception):
    """What arrived was read, and gives no event by intention."""

    def __init__(self, reason: Ignored, detail: str) -> None:
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


def gather(
    pieces: Iterable[Piece], read: Callable[[Piece], list[Event]], bytes_of: Callable[[Piece], bytes]
) -> Outcome:
    """What the pieces of a body give, each for itself: a bad one, or a defect of ours, does not cost its neighbours."""
    events: list[Event] = []
    refusals: list[Refusal] = []
    skipped: list[Skipped] = []
    for index, piece in enumerate(pieces):
        try:
            events += read(piece)
        except NoEvent as omission:
            skipped.append(Skipped(index, omission.reason, omission.detail))
        except Unreadable as error:
            refusals.append(Refusal(index, error.reason, error.detail, bytes_of(piece)))
        except Exception as error:  # noqa: BLE001 - a defect of ours must not cost the sender's bytes
            refusals.append(Refusal(index, Rejected.DECODER_FAILED, defect(error), bytes_of(piece)))
    return Outcome(tuple(events), tuple(refusals), tuple(skipped))


def defect(error: Exception) -> str:
    return f"the decoder failed with {type(error).__name__}: {error!s:.120}; a defect of ours: requeue after an upgrade"
