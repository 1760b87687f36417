"""Reads kept rejects again, after a decoder was mended or a mistake upstream was understood.

Decides what became of each one; the reject itself stays where it is and is marked once nothing of it is left to read.
"""

from __future__ import annotations

from functools import partial

import msgspec

from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.normalise import normalise
from monitor.decode.registry import canonical_source, decode, largest_body
from monitor.intake.bodies import ENCODING, Body, Unusable, readable
from monitor.intake.senders import IntakeAccess
from monitor.ports import Clock, JournalWriter, Reject, Rejects

TURNED_AWAY: frozenset[str] = frozenset(
    {
        Rejected.BAD_SIGNATURE,
        Rejected.UNKNOWN_SOURCE,
        Rejected.FOREIGN_SOURCE,
        Rejected.TOO_LARGE,
        Rejected.BAD_COMPRESSION,
    }
)
"""Reasons for which a body was never let in: nobody vouches for who sent it, or only its beginning was kept."""


NOT_READ_AGAIN = TURNED_AWAY | {Rejected.QUARANTINED}


def can_be_read_again(reject: Reject) -> bool:
    """Whether a second reading may give anything: it waits still, and it was let in the first time."""
    return reject.requeued_at is None and reject.reason not in NOT_READ_AGAIN


def plain_body(reject: Reject) -> bytes:
    """The bytes of a reject for reading, unpacked where they were kept as they had been sent."""
    try:
        return readable(
            Body(reject.body, len(reject.body)), reject.headers.get(ENCODING, ""), largest_body(reject.source)
        )
    except Unusable:
        return reject.body


class Requeued(msgspec.Struct, frozen=True):
    """What a second reading gave. `still` are the reasons for which parts of it cannot be read even now."""

    reject_id: int
    accepted: int = 0
    duplicates: int = 0
    ignored: tuple[Ignored, ...] = ()
    still: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        return not self.still


async def requeue(
    reject: Reject, journal: JournalWriter, rejects: Rejects, clock: Clock, future_tolerance: int, access: IntakeAccess
) -> Requeued:
    """Decode a reject as if it arrived again at its first receipt, and append what it gives to the journal.

    `future_tolerance` is in microseconds. Raises Unavailable; then nothing was marked, and doing it again is safe.
    """
    if reject.id is None:
        raise ValueError("a reject has an id once it was stored; this one was not")
    if reject.reason in TURNED_AWAY:
        return Requeued(reject.id, still=(f"{reject.reason}: it was not let in; let its sender send it again",))
    if reject.reason == Rejected.QUARANTINED:
        why = "the journal has it already; after an upgrade `nearmiss rewind --to TIME` gives it to the engine again"
        return Requeued(reject.id, still=(f"{reject.reason}: {why}",))
    allows = partial(access.may_carry, canonical_source(reject.source) or reject.source)
    outcome = decode(reject.source, plain_body(reject), reject.headers, reject.received_at, allows)
    events = [normalise(event, reject.received_at, future_tolerance) for event in outcome.events]
    accepted = duplicates = 0
    if events:
        appended = await journal.append(events)
        accepted, duplicates = appended.accepted, appended.duplicates
    done = Requeued(
        reject.id,
        accepted,
        duplicates,
        tuple(outcome.ignored),
        tuple(f"{refusal.reason}: {outcome.detail}" for refusal in outcome.refusals[:1]),
    )
    if done.is_done:
        await rejects.mark_requeued(reject.id, clock.now())
    return done
