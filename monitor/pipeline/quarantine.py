"""Puts aside the one thing at which the engine fails, so that the rest of the journal goes on.

Decides what is to blame for a failure and when to give up; must not know how the engine goes back to what is committed.
"""

from __future__ import annotations

from collections.abc import KeysView, Sequence

import msgspec

from monitor.core.model.events import Event, Instant
from monitor.core.model.faults import Culprit, Fault, memory_ended, shown
from monitor.core.model.reasons import Rejected
from monitor.decode.canonical import encode
from monitor.ops.logs import get_logger
from monitor.ports import Batch, Reject

_log = get_logger("engine")
MOST_ASIDE = 1000
"""What was put aside longest ago is let in again, and put aside anew should it be met once more."""
CAREFUL_FOR = 10_000
"""Events that are taken one by one before a failure that does not come again is forgotten."""
_ENGINE = "nearmiss/engine"
"""In place of the source, where no event is to blame."""


class Quarantine:
    """What one owner of a part had to put aside, and what of it is not committed yet."""

    def __init__(self) -> None:
        self._aside: dict[Culprit, None] = {}
        self._rejects: list[Reject] = []
        self._careful_for = 0

    @property
    def aside(self) -> KeysView[Culprit]:
        """What the engine is to leave out; grows in place."""
        return self._aside.keys()

    @property
    def is_careful(self) -> bool:
        """Nothing could be blamed for the last failure: each event is to be taken, and committed, alone."""
        return self._careful_for > 0

    def blame(self, error: Exception, batch: Sequence[Event], now: Instant) -> bool:
        """Put aside what the engine failed at; False where nothing can be done about it.

        `batch`: the events that it was given last.
        """
        fault = error if isinstance(error, Fault) else _fault_at(error, None)
        if memory_ended(error):
            return self._blame_for_memory(fault, batch, now)
        if fault.culprit is None or fault.culprit in self._aside:
            if not self.is_careful:
                self._careful_for = CAREFUL_FOR
                _log.warning("engine_careful", why=fault.why)
                return True
            if len(batch) != 1 or batch[0].event_id in self._aside:
                return False
            fault = _fault_at(fault.__cause__ or fault, batch[0])
        self._put_aside(fault, now)
        return True

    def _blame_for_memory(self, fault: Fault, batch: Sequence[Event], now: Instant) -> bool:
        """Where memory ends says nothing about the event that was at work, unless it ends at that one alone, again.

        If it also ends at the next, none is to blame, and what was put aside without a commit since is let in again.
        """
        if not self.is_careful:
            self._careful_for = CAREFUL_FOR
            _log.warning("engine_careful", why=fault.why)
            return True
        if len(batch) != 1 or batch[0].event_id in self._aside or self._rejects:
            self._let_in_again()
            return False
        self._put_aside(_fault_at(fault.__cause__ or fault, batch[0]), now)
        self._careful_for = CAREFUL_FOR
        return True

    def _let_in_again(self) -> None:
        """Forget what was put aside and is not committed."""
        origins = {reject.origin for reject in self._rejects}
        for culprit in [each for each in self._aside if _origin(each) in origins]:
            del self._aside[culprit]
        self._rejects.clear()

    def _put_aside(self, fault: Fault, now: Instant) -> None:
        assert fault.culprit is not None  # `blame` has made sure
        if len(self._aside) == MOST_ASIDE:
            del self._aside[next(iter(self._aside))]
        self._aside[fault.culprit] = None
        self._careful_for = 0
        first = fault.events[0] if fault.events else None
        received_at = now if first is None or first.received_at is None else first.received_at
        reject = Reject(
            source=_ENGINE if first is None else first.source,
            reason=str(Rejected.QUARANTINED),
            detail=f"{shown(fault.culprit)}: {fault.why}\n{fault.traceback}",
            body=b"\n".join(map(encode, fault.events)),
            received_at=received_at,
            origin=_origin(fault.culprit),
        )
        self._rejects.append(reject)
        _log.error("event_quarantined", what=shown(fault.culprit), why=fault.why, traceback=fault.traceback)

    def take_rejects(self) -> list[Reject]:
        """What is to be committed with whatever is committed next; until then it is given again."""
        return list(self._rejects)

    def is_kept(self, rejects: Sequence[Reject]) -> None:
        """These were committed."""
        self._rejects = [each for each in self._rejects if each not in rejects]

    def without(self, batch: Batch) -> Batch:
        """The batch as the engine may see it."""
        self._careful_for = max(self._careful_for - len(batch.events), 0)
        if not self._aside or not any(event.event_id in self._aside for event in batch.events):
            return batch
        good = [place for place, event in enumerate(batch.events) if event.event_id not in self._aside]
        return msgspec.structs.replace(
            batch,
            events=tuple(batch.events[place] for place in good),
            routes=tuple(batch.routes[place] for place in good) if batch.routes else (),
            bodies=tuple(batch.bodies[place] for place in good) if batch.bodies else (),
        )


def _origin(culprit: Culprit) -> str:
    return f"quarantine/{shown(culprit)}"


def _fault_at(error: BaseException, event: Event | None) -> Fault:
    fault = Fault(None) if event is None else Fault(event.event_id, (event,))
    fault.__cause__ = error
    return fault
