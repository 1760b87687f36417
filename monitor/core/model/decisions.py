"""What the engine asks for: values that the shell carries out, in the order in which they were decided."""

from __future__ import annotations

import msgspec

from monitor.core.model.events import EventId, Instant
from monitor.core.model.near_miss import Cited, Draft
from monitor.core.model.reasons import NotOpened, StateKind, Withdrawn


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Open this draft. Carrying it out twice changes nothing: the id is the identity."""

    draft: Draft


class Amend(msgspec.Struct, frozen=True, tag="amend"):
    """Replace the machine's part of an open draft; what people wrote stays."""

    draft: Draft


class Withdraw(msgspec.Struct, frozen=True, tag="withdraw"):
    """Take an undecided draft back, or mark a decided one as contradicted."""

    draft_id: str
    reason: Withdrawn
    at: Instant
    evidence: tuple[Cited, ...]


class Merge(msgspec.Struct, frozen=True, tag="merge"):
    """Two drafts turned out to be one episode; the oldest id is kept."""

    draft_id: str
    into: str
    at: Instant


class Ignore(msgspec.Struct, frozen=True, tag="ignore"):
    """Nothing is opened, for this reason. `rules` are those that had begun to match."""

    reason: NotOpened
    at: Instant
    rules: tuple[str, ...]
    service: str | None
    evidence: tuple[EventId, ...]
    detail: str


class Late(msgspec.Struct, frozen=True, tag="late"):
    """An event arrived beyond the lateness; it was used all the same where it belongs."""

    event: EventId
    at: Instant
    behind: int


class Evicted(msgspec.Struct, frozen=True, tag="evicted"):
    """So many things of one kind were evicted, since the engine's memory had reached its budget."""

    at: Instant
    kind: StateKind
    count: int


Decision = Open | Amend | Withdraw | Merge | Ignore | Late | Evicted
