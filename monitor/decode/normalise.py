"""Relates an event's times to its receipt: the time of receipt is filled in, a time from the future is capped.

Does not read a clock: the time of receipt is an argument.
"""

from __future__ import annotations

import msgspec

from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import Mark


def normalise(event: Event, received_at: Instant, tolerance: int) -> Event:
    """The event as it enters the journal. `tolerance` is in microseconds.

    A `received_at` that the event brings is kept where it is not later than the true one: an event that was relayed
    late keeps when it was first received, but nobody can move the cap into the future. A capped event keeps the time
    that was stated, for `decode/restate.py`: it may be our clock that is wrong.
    """
    received = event.received_at
    if received is None or received > received_at:
        received = received_at
    latest = received_at + tolerance
    if event.time <= latest:
        if received is event.received_at:
            return event
        return msgspec.structs.replace(event, received_at=received)
    marks = event.marks if Mark.TIME_IN_FUTURE in event.marks else (*event.marks, str(Mark.TIME_IN_FUTURE))
    stated = event.time if event.stated_time is None else event.stated_time
    return msgspec.structs.replace(event, time=Instant(latest), stated_time=stated, received_at=received, marks=marks)
