"""The doors to the outside, by role: protocols that adapters implement and one contract suite proves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from monitor.core.model.decisions import Decision
from monitor.core.model.events import Event, Instant
from monitor.core.model.faults import Culprit
from monitor.core.model.near_miss import Cited, Draft, Move, State
from monitor.core.model.risk import Handling
from monitor.core.sharding.routing import Route
from monitor.queue_ports import QueueFigures

WHOLE = ""
"""The name of the part that is everything: one engine reads the whole journal."""

Positions = Mapping[str, int]
"""Where a reader stands: for each partition of a journal the position of the next entry to read."""


class Clock(Protocol):
    """The only thing that knows the present."""

    def now(self) -> Instant: ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back and never jumps."""
        ...


class Unavailable(Exception):
    """The store cannot serve now (disk full, database away). Retry later; nothing of the call was kept."""


class NewerDatabase(Exception):
    """The database was made by a newer program; refuse to touch it."""


class OutdatedDatabase(Exception):
    """The database lacks migrations that this program needs; somebody has to upgrade it first."""


class MissingRight(Exception):
    """The database user may not do what this program has to; somebody has to grant it first."""


class WrongDatabase(Exception):
    """The database is not as this program needs it, or its address is wrong; somebody has to change that first."""


class Fenced(Exception):
    """Another owner took over; this one must stop without writing."""


class Held(Exception):
    """Somebody else owns it and showed lately that it is alive; stand by and ask again."""

    def __init__(self, owner: str) -> None:
        super().__init__(f"{owner} owns it")
        self.owner = owner


class Appended(msgspec.Struct, frozen=True):
    """What an append did, entry by entry: True where the event was new, False where its identity was known."""

    fresh: tuple[bool, ...]

    @property
    def accepted(self) -> int:
        return sum(self.fresh)

    @property
    def duplicates(self) -> int:
        return len(self.fresh) - sum(self.fresh)


NOT_AT_HAND = b""
"""In place of an event's JSON: whoever wants it has to write the event anew."""


class Batch(msgspec.Struct, frozen=True):
    """Events in journal order, where to go on, and whether the head of the journal was reached.

    `bodies`: each event's JSON as it lay in the journal, or `NOT_AT_HAND`; nothing at all where none is.
    `routes`: of a journal that several engines share, the shards of each event. `clock`: whoever writes that journal
    says in it that everything up to this moment has been written. `lost`: entries that were removed before they were
    read, at most.
    """

    events: tuple[Event, ...]
    positions: dict[str, int]
    at_head: bool
    rejects: tuple[Reject, ...] = ()
    routes: tuple[Route, ...] = ()
    clock: Instant | None = None
    bodies: tuple[bytes, ...] = ()
    lost: int = 0

    def __post_init__(self) -> None:
        for beside in (self.bodies, self.routes):
            if beside and len(beside) != len(self.events):
                raise ValueError(f"{len(beside)} were given for {len(self.events)} events; expected one of each")


class Reject(msgspec.Struct, frozen=True):
    """Something that could not be read: its bytes, where they came from, when, and why not.

    `origin` names the place that it was read from, where that place can be read again: one origin is kept once.
    `forward`: somebody else is to be told of it as well, and has not been yet.
    """

    source: str
    reason: str
    detail: str
    body: bytes
    received_at: Instant
    headers: dict[str, str] = {}
    id: int | None = None
    requeued_at: Instant | None = None
    origin: str | None = None
    forward: bool = False


class ActivePack(msgspec.Struct, frozen=True):
    """The rules and the catalogue in force, by the hashes of their content, and whether a later reading failed.

    `problems`: what was wrong with what was read at `failed_at`; empty where the last reading was right.
    """

    rules_hash: str
    catalogue_hash: str
    rules: int
    services: int
    loaded_at: Instant
    failed_at: Instant | None = None
    problems: tuple[str, ...] = ()


class JournalWriter(Protocol):
    async def append(self, events: Sequence[Event]) -> Appended:
        """Make events durable, in order, before returning. Raises Unavailable."""
        ...


class FeedCursors(Protocol):
    """How far each pulled feed was read, as text that only the puller understands."""

    async def load(self, feed: str) -> str | None:
        """Raises Unavailable."""
        ...

    async def save(self, feed: str, at: Instant, cursor: str) -> None:
        """Keep it unless a later one is there already. Raises Unavailable."""
        ...


class JournalReader(Protocol):
    async def read(self, positions: Positions, limit: int) -> Batch:
        """At most `limit` events from `positions` on (none: from the start). Does not wait. Raises Unavailable."""
        ...

    async def wait(self, timeout: float) -> None:
        """Return when there may be more to read, or after `timeout` seconds."""
        ...


class Saved(msgspec.Struct, frozen=True):
    """What an engine finds when it takes over: its state cells, the journal positions, and its epoch.

    `scopes`: the state cells of a part that has several engines, by their scope; `cells` then has none. `aside`: what
    the engine is to leave out, since it failed at it before. `memory`: bytes that it may remember; None: no bound.
    """

    cells: Mapping[str, bytes]
    positions: dict[str, int]
    epoch: int
    scopes: Mapping[str, Mapping[str, bytes]] = {}
    aside: Collection[Culprit] = ()
    memory: int | None = None


class Commit(msgspec.Struct, frozen=True):
    """Everything of one batch that must become true at once.

    `history` has the events that are to be kept, `bodies` the JSON of each as `Batch` has it, or nothing at all.
    `part`, `epoch`: what is owned, and since when; `scopes`: changed cells by scope.
    """

    decisions: tuple[Decision, ...]
    cells: dict[str, bytes | None]
    positions: dict[str, int]
    epoch: int
    at: Instant
    history: tuple[Event, ...] = ()
    rejects: tuple[Reject, ...] = ()
    part: str = WHOLE
    bodies: tuple[bytes, ...] = ()
    scopes: dict[str, dict[str, bytes | None]] = {}


class EngineStore(Protocol):
    """The engine's memory: exactly once, because a batch commits whole or not at all."""

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        """Become the owner under a new epoch and load what is there.

        `part`: a partition of the journal by name, or all of it; `scopes`: under which the state of that part is kept.
        `lease`: leave it to an owner that was alive so lately (microseconds of the store's clock); 0 takes it in any
        case. Raises Held, Unavailable.
        """
        ...

    async def commit(self, commit: Commit) -> int:
        """How many decided records the commit marked as contradicted. Shows that the owner is alive.

        Raises Fenced when the epoch is no longer the newest, Unavailable when nothing was written.
        """
        ...

    async def heartbeat(self, part: str, epoch: int) -> None:
        """Show that the owner is alive although it has nothing to commit. Raises Fenced, Unavailable."""
        ...

    async def release(self, part: str, epoch: int) -> None:
        """Own it no longer, so that who stands by need not wait. One that was replaced changes nothing.

        Raises Unavailable.
        """
        ...


class Rejects(Protocol):
    async def add(self, rejects: Sequence[Reject]) -> tuple[int, ...]: ...

    async def page(self, after: int | None, limit: int) -> list[Reject]: ...

    async def get(self, reject_id: int) -> Reject | None: ...

    async def mark_requeued(self, reject_id: int, at: Instant) -> None: ...

    async def count(self) -> int: ...


class Retention(msgspec.Struct, frozen=True):
    """How long things are kept, in microseconds of age; None: for ever. `events_bytes`: None sets no limit."""

    events: int | None = None
    rejects: int | None = None
    not_opened: int | None = None
    events_bytes: int | None = None


class Pruned(msgspec.Struct, frozen=True):
    """How many rows of what were removed; `more` says that there is more to remove."""

    rows: dict[str, int]
    more: bool = False


class StoredSize(msgspec.Struct, frozen=True):
    """How much there is: bytes on disk of everything, and about how many of them are events."""

    total_bytes: int
    events_bytes: int


class Pruning(Protocol):
    """Removes what is too old, a bounded amount a call. Each raises Unavailable."""

    async def prune(self, retention: Retention, now: Instant) -> Pruned: ...

    async def kept(self) -> StoredSize: ...


class Forwarding(Protocol):
    """The rejects that somebody else is to be told of. Each raises Unavailable."""

    async def to_forward(self, limit: int) -> list[Reject]:
        """The oldest that wait."""
        ...

    async def mark_forwarded(self, reject_ids: Sequence[int]) -> None: ...


class Halt(msgspec.Struct, frozen=True):
    """A topic that is not read until somebody says so: since when, and why."""

    topic: str
    at: Instant
    detail: str


class TopicBook(Protocol):
    """What is kept about topics beside the positions in them."""

    async def bind(self, journal: str, cluster: str) -> str:
        """The cluster that the positions of `journal` belong to: from the first call on the one named there."""
        ...

    async def halts(self) -> list[Halt]:
        """Raises Unavailable."""
        ...

    async def halt(self, halt: Halt) -> None:
        """Halting a topic again changes nothing. Raises Unavailable."""
        ...

    async def resume(self, topic: str) -> bool:
        """Whether the topic was halted. Raises Unavailable."""
        ...

    async def spread(self, topic: str, partitions: int) -> int:
        """Over how many partitions of a topic the shards are spread: from the first call on as many as named there.

        Raises Unavailable.
        """
        ...


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


class Page(msgspec.Struct, frozen=True):
    """One page by risk and rank (highest first), opened_at (newest first), id; `next` is an opaque key, or None."""

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
