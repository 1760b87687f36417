"""Folds the engine's decisions into final records: what a store would hold in the end, were nobody to decide.

Knows decisions only. Its memory grows with the drafts, never with the events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from monitor.core.decisions import Amend, Decision, Ignore, Late, Merge, Open, Withdraw
from monitor.core.events import Instant
from monitor.core.near_miss import Cited, Draft, State, public_line
from monitor.core.reasons import NotOpened, Withdrawn

SHOWN_MODES: frozenset[str] = frozenset({"live", "digest"})


class Entry(msgspec.Struct, frozen=True):
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


class Ledger:
    """The drafts by id, and how often nothing was opened, by reason."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self.not_opened: Counter[NotOpened] = Counter()
        self.late = 0

    def record(self, decisions: Iterable[Decision]) -> None:
        """Carry decisions out in their order. An Open of a known id changes nothing.

        Raises LookupError for a decision about a draft that was never opened: a broken invariant of the engine.
        """
        for decision in decisions:
            match decision:
                case Open(draft):
                    self._entries.setdefault(draft.id, Entry(draft))
                case Amend(draft):
                    entry = self._known(draft.id, decision)
                    if entry.state == State.DRAFT:
                        self._entries[draft.id] = Entry(draft)
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
        entry = self._known(draft_id, decision)
        if entry.state == State.DRAFT:
            self._entries[draft_id] = Entry(entry.draft, state, reason, at, impact, merged_into)

    def _known(self, draft_id: str, decision: Decision) -> Entry:
        try:
            return self._entries[draft_id]
        except KeyError:
            raise LookupError(f"{type(decision).__name__} for draft {draft_id}, which was never opened") from None

    def entries(self) -> list[Entry]:
        """Every draft that was ever opened, by `opened_at` and id, so that the order never depends on arrival."""
        return sorted(self._entries.values(), key=lambda entry: (entry.draft.opened_at, entry.draft.id))

    def standing(self) -> list[Entry]:
        return [entry for entry in self.entries() if entry.stands]
