"""Evidence put right by people: what else happened around a record, to add; and what of the machine's does not belong.

The machine's draft stays as it is; what people added and left out lies beside it, and each change has its line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from monitor.core.model.events import HOUR, MINUTE, Event, EventId, Instant
from monitor.core.model.near_miss import Move
from monitor.core.model.risk import Handling
from monitor.ports import Clock, NearMisses, Record
from monitor.ports.chat import EventHistory
from monitor.review.metrics import ReviewMetrics
from monitor.review.moving import Mover
from monitor.review.service import FieldProblem, Invalid

BEFORE, AFTER = HOUR, 15 * MINUTE
MOST_OFFERED = 40
MOST_ADDED = 50
MOST_READ = 2_000
"""Events of one service that are looked at; a service that tells more has no story that can be listed."""


class Citing:
    """The use case. Raises `monitor.ports.Unavailable` while a store is away."""

    def __init__(self, near_misses: NearMisses, past: EventHistory, clock: Clock, metrics: ReviewMetrics) -> None:
        self._near_misses = near_misses
        self._past = past
        self._mover = Mover(near_misses, clock, metrics)

    async def around(self, record: Record) -> list[Event]:
        """What happened on its services from an hour before the first sign to a quarter after safe, and is not cited.

        The nearest to the action, by time; probes that saw nothing are left out.
        """
        draft = record.draft
        cited = {each.event.event_id for each in record.evidence}
        names = draft.services or (() if draft.service is None else (draft.service,))
        since, until = Instant(draft.first_sign_at - BEFORE), Instant(draft.safe_at + AFTER)
        found = await around(self._past, names, since, until)
        other = [event for event in found if event.event_id not in cited]
        nearest = sorted(other, key=lambda event: abs(event.time - draft.intervened_at))[:MOST_OFFERED]
        return sorted(nearest, key=lambda event: event.time)

    async def add(self, record_id: str, wanted: EventId, by: str) -> Record:
        """Raises NotFound, Invalid, NotPossible, VersionConflict."""
        record = await self._near_misses.get(record_id)
        handling = record.handling
        left_out = tuple(each for each in handling.left_out if each != wanted)
        if any(each.event.event_id == wanted for each in record.draft.evidence):
            return await self._settle(record, Move.ADD_EVIDENCE, handling.added, left_out, str(wanted.id), by)
        event = await self._past.find(wanted)
        if event is None:
            raise Invalid(FieldProblem("event", "is not among the events that are kept", "This event is not kept."))
        if not {event.service} & {record.draft.service, *record.draft.services}:
            raise Invalid(FieldProblem("event", "is of another service", "This event is of another service."))
        if len(handling.added) >= MOST_ADDED:
            raise Invalid(FieldProblem("event", f"has {MOST_ADDED} beside it already", "Enough was added."))
        added = (*(each for each in handling.added if each.event_id != wanted), event)
        return await self._settle(record, Move.ADD_EVIDENCE, added, left_out, event.title or event.kind, by)

    async def leave_out(self, record_id: str, unwanted: EventId, by: str) -> Record:
        """Raises NotFound, Invalid, NotPossible, VersionConflict."""
        record = await self._near_misses.get(record_id)
        event = next((each.event for each in record.evidence if each.event.event_id == unwanted), None)
        if event is None:
            raise Invalid(FieldProblem("event", "is not among the evidence", "This event is not among the evidence."))
        handling = record.handling
        added = tuple(each for each in handling.added if each.event_id != unwanted)
        is_machines = any(each.event.event_id == unwanted for each in record.draft.evidence)
        left_out = (*handling.left_out, unwanted) if is_machines else handling.left_out
        return await self._settle(record, Move.LEAVE_OUT, added, left_out, event.title or event.kind, by)

    async def _settle(
        self, record: Record, what: Move, added: Iterable[Event], left_out: Iterable[EventId], note: str, by: str
    ) -> Record:
        self._mover.allow(record, what)
        handling = Handling(added=tuple(added), left_out=tuple(left_out))
        return await self._mover.make(record, what, by, handling=handling, note=note, expected_version=record.version)


async def around(past: EventHistory, services: Iterable[str], since: Instant, until: Instant) -> list[Event]:
    """The events of some services in a span, each once; probes that saw nothing are left out. Raises Unavailable."""
    found: dict[EventId, Event] = {}
    for name in services:
        events: AsyncIterator[Event] = past.events(since, until, name)
        async for event in events:
            if event.kind != "impact.clear":
                found.setdefault(event.event_id, event)
            if len(found) >= MOST_READ:
                break
    return list(found.values())
