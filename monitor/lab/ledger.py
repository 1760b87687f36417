"""Folds the engine's decisions into final records: what a store would hold in the end, were nobody to decide.

Knows decisions only. Many drafts lie in a file of its own, so that its memory hardly grows with the stream.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import NamedTuple
from weakref import finalize

import msgspec

from monitor.core.model.decisions import Amend, Decision, Ignore, Late, Merge, Open, Withdraw
from monitor.core.model.events import Instant
from monitor.core.model.near_miss import Cited, Draft, State, public_line
from monitor.core.model.packing import pack, unpack
from monitor.core.model.reasons import NotOpened, Withdrawn

SHOWN_MODES: frozenset[str] = frozenset({"live", "digest"})
IN_MEMORY = 1 << 24
"""So many bytes of drafts are held before they go into the file."""


class DraftEntry(msgspec.Struct, frozen=True):
    """One draft as it stands: its last content, its state, and why it was taken back, if it was."""

    draft: Draft
    state: State = State.DRAFT
    reason: Withdrawn | None = None
    taken_back_at: Instant | None = None
    impact: tuple[Cited, ...] = ()
    merged_into: str | None = None

    @property
    def stands(self) -> bool:
        """Whether people are shown it: opened, neither withdrawn nor merged, and not in shadow mode."""
        return self.state == State.DRAFT and self.draft.mode in SHOWN_MODES

    def line(self) -> dict[str, object]:
        """The published fields; a merged draft says into which one."""
        line = public_line(self.draft, self.state, None if self.reason is None else str(self.reason))
        if self.merged_into is not None:
            line["merged_into"] = self.merged_into
        return line


class _Place(NamedTuple):
    """Where an entry's newest content lies, and by what it is sorted and counted."""

    opened_at: int
    id: str
    state: State
    offset: int
    length: int


class Ledger:
    """The drafts by id, and how often nothing was opened, by reason."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._file = SpooledTemporaryFile[bytes](IN_MEMORY)
        finalize(self, self._file.close)  # the file is gone with the ledger
        self.not_opened: Counter[NotOpened] = Counter()
        self.late = 0

    def record(self, decisions: Iterable[Decision]) -> None:
        """Carry decisions out in their order. An Open of a known id changes nothing.

        Raises LookupError for a decision about a draft that was never opened: a broken invariant of the engine.
        OSError where the disk has no room for the drafts.
        """
        for decision in decisions:
            match decision:
                case Open(draft):
                    if draft.id not in self._places:
                        self._put(DraftEntry(draft))
                case Amend(draft):
                    if self._known(draft.id, decision).state == State.DRAFT:
                        self._put(DraftEntry(draft))
                case Withdraw(draft_id, reason, at, evidence):
                    self._take_back(draft_id, decision, State.WITHDRAWN, at, reason=reason, impact=evidence)
                case Merge(draft_id, into, at):
                    self._take_back(draft_id, decision, State.MERGED, at, merged_into=into)
                case Ignore(reason):
                    self.not_opened[reason] += 1
                case Late():
                    self.late += 1

    def _take_back(
        self,
        draft_id: str,
        decision: Decision,
        state: State,
        at: Instant,
        *,
        reason: Withdrawn | None = None,
        impact: tuple[Cited, ...] = (),
        merged_into: str | None = None,
    ) -> None:
        place = self._known(draft_id, decision)
        if place.state == State.DRAFT:
            self._put(DraftEntry(self._read(place).draft, state, reason, at, impact, merged_into))

    def _known(self, draft_id: str, decision: Decision) -> _Place:
        try:
            return self._places[draft_id]
        except KeyError:
            raise LookupError(f"{type(decision).__name__} for draft {draft_id}, which was never opened") from None

    def _put(self, entry: DraftEntry) -> None:
        content = pack(entry)
        offset = self._file.seek(0, SEEK_END)
        self._file.write(content)
        draft = entry.draft
        self._places[draft.id] = _Place(draft.opened_at, draft.id, entry.state, offset, len(content))

    def _read(self, place: _Place) -> DraftEntry:
        self._file.seek(place.offset)
        return unpack(self._file.read(place.length), DraftEntry)

    def states(self) -> Counter[State]:
        """How many drafts there are in each state."""
        return Counter(place.state for place in self._places.values())

    def entries(self) -> Iterator[DraftEntry]:
        """Every draft that was ever opened, by `opened_at` and id, so that the order never depends on arrival."""
        return map(self._read, sorted(self._places.values()))

    def standing(self) -> list[DraftEntry]:
        return [entry for entry in self.entries() if entry.stands]
