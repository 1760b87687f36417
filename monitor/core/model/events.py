"""What can happen: the one event value that every decoder produces and the engine reads.

Knows the format of an event and nothing of rules, stores or tools.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, get_args

import msgspec

Kind = Literal[
    "alert.fired",
    "alert.acknowledged",
    "alert.unacknowledged",
    "alert.escalated",
    "alert.silenced",
    "alert.resolved",
    "alert.cancelled",
    "note.added",
    "change.deployed",
    "change.rolled_back",
    "change.configured",
    "change.flag_set",
    "change.scaled",
    "change.restarted",
    "change.failed_over",
    "change.deleted",
    "change.restored",
    "change.rotated",
    "change.ran",
    "change.merged",
    "change.started",
    "change.failed",
    "change.held",
    "change.blocked",
    "incident.opened",
    "incident.updated",
    "incident.closed",
    "responder.paged",
    "responder.joined",
    "impact.started",
    "impact.ended",
    "impact.clear",
    "maintenance.started",
    "maintenance.ended",
]
KINDS: frozenset[str] = frozenset(get_args(Kind))

Severity = Literal["critical", "high", "warning", "info"]
SEVERITIES: tuple[str, ...] = get_args(Severity)
Bound = Literal["max", "min", "expected"]
ActorKind = Literal["human", "automation", "unknown"]

MICROSECOND = 1
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_AT = -(365 * 100) * DAY
"""No event of a running system is older than about 1870; years such as 0001 are a tool's way to say "none"."""


class Instant(int):
    """A point in event time: microseconds since 1970-01-01T00:00:00Z (leap seconds not counted, as in POSIX)."""

    __slots__ = ()


Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
"""Text that identifies: short enough that a pair of them fits into an index row of any database."""


class EventId(msgspec.Struct, frozen=True, gc=False, order=True):
    """The permanent identity of an event: the pair (source, id)."""

    source: str
    id: str


class Actor(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Who acted. `on_call` is None where the source does not know."""

    id: str | None = None
    kind: ActorKind = "unknown"
    on_call: bool | None = None


class Event(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """One event of format version 1. Times are `Instant`s; `labels` is never mutated.

    `marks` names what was odd about it and accepted all the same, for example `time_in_future`. `stated_time`: what the
    source said, where `time` was capped. `resolved_from`: by
    field, what its value rests on where it is not what the tool said; empty in the journal.
    """

    id: Identifier
    source: Identifier
    time: Instant
    kind: Kind
    service: str | None = None
    environment: str | None = None
    subject: str | None = None
    severity: Severity | None = None
    title: str | None = None
    actor: Actor | None = None
    labels: dict[str, str] = {}
    value: float | None = None
    limit: float | None = None
    unit: str | None = None
    bound: Bound | None = None
    expires_at: Instant | None = None
    previous_expires_at: Instant | None = None
    began_at: Instant | None = None
    covers_from: Instant | None = None
    received_at: Instant | None = None
    url: str | None = None
    marks: tuple[str, ...] = ()
    stated_time: Instant | None = None
    resolved_from: dict[str, str] = {}

    @property
    def event_id(self) -> EventId:
        return EventId(self.source, self.id)


def to_instant(moment: datetime) -> Instant:
    """An aware datetime as an `Instant`. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("time has no offset; expected RFC 3339 with an offset, such as 2026-01-31T12:00:00Z")
    delta = moment - _EPOCH
    return Instant((delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds)


def to_datetime(instant: int) -> datetime:
    """An `Instant` as an aware UTC datetime; clamped to the years 1 to 9999 that a datetime can hold."""
    try:
        return _EPOCH + timedelta(0, 0, instant)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if instant > 0 else datetime.min.replace(tzinfo=UTC)


def to_text(instant: int | None) -> str | None:
    """RFC 3339 in UTC with `Z`, microseconds only where there are any; None stays None."""
    if instant is None:
        return None
    second, rest = divmod(instant, SECOND)
    return f"{_second_to_text(second)}.{rest:06}Z" if rest else f"{_second_to_text(second)}Z"


@lru_cache(maxsize=4096)
def _second_to_text(second: int) -> str:
    """Times that are written in sequence are close together."""
    return to_datetime(second * SECOND).isoformat()[: len("2026-01-31T12:00:00")]
