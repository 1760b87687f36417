"""What came of reading a body: events, refusals with their bytes, and what was left out by intention.

Knows nothing of any tool, and nothing of where refused bytes are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from monitor.core.model.events import Event
from monitor.core.model.reasons import Ignored, Rejected

Piece = TypeVar("Piece")

MOST_PIECES = 50_000
"""Pieces (events, alerts, lines) that one body may have; the largest groups of Alertmanager have some 10,000."""
MOST_REPEATED, MOST_TIMES = 4 * 1024 * 1024, 4
"""Characters of labels and titles that the events of one body may have: so many, and so many times its bytes besides.

What all pieces share stands in the body once and in every event of it: a small body could fill the disk.
"""
MOST_TOLD = 20
"""Refused or ignored pieces of one body that are described one by one; the others are counted."""


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
    """One piece of a body that could not be read: its place among the pieces (from 0), and why."""

    index: int
    reason: Rejected
    detail: str


class Skipped(msgspec.Struct, frozen=True):
    """One piece of a body that was read and gives no event by intention."""

    index: int
    reason: Ignored
    detail: str


class DecodeOutcome(msgspec.Struct, frozen=True):
    """Everything that one body gave. Each piece of the body is an event, or counted in `refused` or `ignored`.

    `refusals` and `skipped` describe the first `MOST_TOLD` of them only: what is stored and answered about a body must
    not grow with the number of its pieces. `unread` holds the bytes of what was refused.
    """

    events: tuple[Event, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    refused: Mapping[Rejected, int] = {}
    ignored: Mapping[Ignored, int] = {}
    unread: bytes = b""

    @property
    def refused_count(self) -> int:
        return sum(self.refused.values())

    @property
    def ignored_count(self) -> int:
        return sum(self.ignored.values())

    @property
    def detail(self) -> str:
        """Why the body was refused, in part or whole: the one reason, or the number of pieces and the first reasons."""
        if self.refused_count == 1:
            return self.refusals[0].detail
        first = "; ".join(f"{one.index}: {one.reason}: {one.detail}" for one in self.refusals)
        return f"{self.refused_count:,} pieces of the body; the first by their place, from 0: {first}"


def refused(reason: Rejected, detail: str, body: bytes, index: int = 0) -> DecodeOutcome:
    return DecodeOutcome(refusals=(Refusal(index, reason, detail),), refused={reason: 1}, unread=body)


def left_out(reason: Ignored, detail: str, index: int = 0) -> DecodeOutcome:
    return DecodeOutcome(skipped=(Skipped(index, reason, detail),), ignored={reason: 1})


def gather(
    pieces: Sequence[Piece], read: Callable[[Piece], list[Event]], unread: Callable[[list[Piece]], bytes], size: int
) -> DecodeOutcome:
    """What the pieces of a body give, each for itself: a bad one, or a defect of ours, does not cost its neighbours.

    `unread` gives the bytes to keep for the pieces that were refused, `size` is that of the body. Raises Unreadable for
    too many pieces, and for events that are much larger than the body.
    """
    if len(pieces) > MOST_PIECES:
        raise too_many(f"{len(pieces):,} pieces; at most {MOST_PIECES:,}")
    events: list[Event] = []
    tally = _Tally()
    bad: list[Piece] = []
    room = MOST_REPEATED + MOST_TIMES * size
    for index, piece in enumerate(pieces):
        try:
            found = read(piece)
        except NoEvent as omission:
            tally.skip(index, omission.reason, omission.detail)
        except Unreadable as error:
            tally.refuse(index, error.reason, error.detail)
            bad.append(piece)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect of ours must not cost the sender's bytes
            tally.refuse(index, Rejected.DECODER_FAILED, defect(error))
            bad.append(piece)
        else:
            events += found
            room -= sum(map(_characters, found))
            if room < 0:
                raise too_many(f"texts that its pieces repeat in {len(events):,} events; fewer")
    return tally.outcome(events, unread(bad) if bad else b"")


def _characters(event: Event) -> int:
    texts = sum(len(name) + len(value) for name, value in event.labels.items())
    return texts + len(event.title or "") + len(event.subject or "") + len(event.url or "")


def too_many(found: str) -> Unreadable:
    return Unreadable(Rejected.TOO_LARGE, f"the body has {found} are read: send it in parts")


class _Tally:
    """Counts what was refused and left out, and describes the first few of each."""

    def __init__(self) -> None:
        self._refusals: list[Refusal] = []
        self._skipped: list[Skipped] = []
        self._refused: Counter[Rejected] = Counter()
        self._ignored: Counter[Ignored] = Counter()

    def refuse(self, index: int, reason: Rejected, detail: str) -> None:
        self._refused[reason] += 1
        if len(self._refusals) < MOST_TOLD:
            self._refusals.append(Refusal(index, reason, detail))

    def skip(self, index: int, reason: Ignored, detail: str) -> None:
        self._ignored[reason] += 1
        if len(self._skipped) < MOST_TOLD:
            self._skipped.append(Skipped(index, reason, detail))

    def outcome(self, events: list[Event], unread: bytes) -> DecodeOutcome:
        return DecodeOutcome(
            tuple(events),
            tuple(self._refusals),
            tuple(self._skipped),
            dict(self._refused),
            dict(self._ignored),
            unread,
        )


def defect(error: Exception) -> str:
    return f"the decoder failed with {type(error).__name__}: {error!s:.120}; a defect of ours: requeue after an upgrade"
