"""What the engine was at work on when it failed, so that this one thing can be put aside and the rest goes on.

Knows how a failure is named and shown; must not know who rolls back, nor where what was put aside is kept.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from monitor.core.model.events import Event, EventId

Culprit = EventId | str
"""An event, an episode by its id, or `EVICTION`."""

EVICTION = "eviction"
"""Forgetting what is old; put aside, memory grows until the next start and every verdict stays right."""

MOST_TRACEBACK = 3000
"""Characters of a traceback that are kept: its end, where the failure is."""

Whole = TypeVar("Whole")


class Fault(Exception):
    """The engine failed; its state is half changed and must not be used any more. The cause is chained.

    `culprit` is None where nothing can be blamed. `events` are those that the culprit consists of.
    """

    def __init__(self, culprit: Culprit | None, events: Sequence[Event] = ()) -> None:
        super().__init__(f"failed at {shown(culprit)}")
        self.culprit = culprit
        self.events = tuple(events)

    @property
    def why(self) -> str:
        """The error in one line."""
        error = self.__cause__ or self
        said = (str(error).splitlines() or [""])[0][:200]
        return f"{type(error).__name__}: {said}" if said else type(error).__name__

    @property
    def traceback(self) -> str:
        """The end of the traceback."""
        return "".join(traceback.format_exception(self.__cause__ or self))[-MOST_TRACEBACK:]


def fault_of(event: Event | None, otherwise: Culprit | None = None) -> Fault:
    return Fault(otherwise) if event is None else Fault(event.event_id, (event,))


def memory_ended(error: BaseException) -> bool:
    """Whether it was for lack of memory, wherever the engine was."""
    return isinstance(error, MemoryError) or (isinstance(error, Fault) and isinstance(error.__cause__, MemoryError))


class TooManyFaults(Exception):
    """So much had to be put aside that the rest means nothing; carries the last fault as its cause."""


def shown(culprit: Culprit | None) -> str:
    """The culprit in a few words."""
    if isinstance(culprit, EventId):
        return f"event {culprit.source} {culprit.id}"
    return "an unknown place" if culprit is None else culprit.replace("\x1f", " ")


MOST_ASIDE = 20


def without_culprits(run: Callable[[Collection[Culprit]], Whole]) -> tuple[Whole, tuple[Fault, ...]]:
    """What `run` gives once everything at which it fails is put aside, and those faults. It starts over each time.

    Raises TooManyFaults, also where a fault has no culprit or comes again although its culprit was put aside.
    """
    aside: dict[Culprit, Fault] = {}
    while True:
        try:
            return run(aside.keys()), tuple(aside.values())
        except Fault as fault:
            if fault.culprit is None or fault.culprit in aside or len(aside) == MOST_ASIDE:
                raise TooManyFaults(f"{fault}: {fault.why}") from fault
            aside[fault.culprit] = fault
