"""Near misses as people list, decide and comment them."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from monitor.core.model.budget import QueueOrder
from monitor.core.model.events import Event, Instant
from monitor.core.model.near_miss import Cited, Draft, Move, State
from monitor.core.model.risk import Handling
from monitor.ports.queue import QueueFigures


class Answers(msgspec.Struct, frozen=True):
    """What people wrote: the three fields of the minimal record and whether users were hit."""

    why_near_miss: str = ""
    what_saved_it: str = ""
    what_next_time: str = ""
    users_hit: bool | None = None


class Audit(msgspec.Struct, frozen=True):
    """One line of the trail, append-only. `by` is a role or "machine"."""

    at: Instant
    by: str
    action: str
    before: State | None
    after: State | None
    reason: str | None = None
    note: str | None = None


class Record(msgspec.Struct, frozen=True):
    """A near miss as the store keeps it: the machine's draft, what people made of it, and its version."""

    draft: Draft
    state: State
    version: int
    answers: Answers = Answers()
    reason: str | None = None
    merged_into: str | None = None
    contradicted: str | None = None
    decided_at: Instant | None = None
    decided_by: str | None = None
    created_at: Instant | None = None
    impact_evidence: tuple[Event, ...] = ()
    handling: Handling = Handling()

    @property
    def evidence(self) -> tuple[Cited, ...]:
        """The machine's as people put it right: with what they added, without what they left out; by time."""
        cited = {each.event.event_id: each for each in self.draft.evidence}
        for event in self.handling.added:
            cited.setdefault(event.event_id, Cited("context", event))
        kept = (each for key, each in cited.items() if key not in self.handling.left_out)
        return tuple(sorted(kept, key=lambda each: (each.event.time, each.event.source, each.event.id)))


Order = Literal["rank", "newest", "oldest"]
"""By risk and rank (highest first), opened_at (newest first) and id; or by opened_at and id."""


class Query(msgspec.Struct, frozen=True):
    """What to list. An empty tuple or None does not restrict."""

    states: tuple[State, ...] = ()
    services: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    text: str | None = None
    only: frozenset[str] | None = None
    """These ids alone; None: any."""
    only_in_order: tuple[QueueOrder, ...] = ()
    """The same in the order of pages, where that is known: a store need not look for them among all others then."""
    without: frozenset[str] = frozenset()
    """Any but these ids."""
    drafts: frozenset[str] | None = None
    """Says what `without` says the other way round: of live records that nobody has begun only these ids.

    A store names whichever is shorter. None: it is not known.
    """
    within: frozenset[str] | None = None
    teams: frozenset[str] = frozenset()
    """Only records of these services, or handed over to these teams; `within` None: any."""
    due_at: Instant | None = None
    """Without what is snoozed beyond this moment, and with decided records that come back by then."""
    asleep_at: Instant | None = None
    """Only what comes back after this moment."""
    opened_since: Instant | None = None
    order: Order = "rank"


class Page(msgspec.Struct, frozen=True):
    """One page in the order that was asked for; `next` is an opaque key of this order, or None."""

    records: tuple[Record, ...]
    next: str | None


class Decide(msgspec.Struct, frozen=True):
    """A person's move. `expected_version` is the version that the person saw."""

    record_id: str
    move: Move
    by: str
    at: Instant
    expected_version: int | None = None
    reason: str | None = None
    note: str | None = None
    answers: Answers | None = None
    merged_into: str | None = None
    handling: Handling = Handling()
    """Of it only what the move is about."""


class VersionConflict(Exception):
    """Somebody else moved the record meanwhile; nothing was overwritten. Carries the record as it is now."""

    def __init__(self, record: Record) -> None:
        super().__init__(f"{record.draft.id} is now {record.state}, version {record.version}")
        self.record = record


class NotFound(Exception):
    """There is no such record."""


class NearMisses(QueueFigures, Protocol):
    """The records, for people: listing, deciding, commenting, and the audit trail."""

    async def page(self, query: Query, after: str | None, limit: int) -> Page: ...

    async def get(self, record_id: str) -> Record:
        """Raises NotFound."""
        ...

    async def decide(self, decide: Decide) -> Record:
        """Raises NotFound, IllegalMove, VersionConflict."""
        ...

    async def comment(self, record_id: str, by: str, text: str, at: Instant) -> None: ...

    async def audit(self, record_id: str) -> list[Audit]: ...
