"""What became so far of each pending hazard under each rule, and which of that changed since it was last saved.

Knows nothing of when a hazard stops waiting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from monitor.core.model.events import Event
from monitor.core.model.reasons import NotOpened

FOREVER = 2**62
ANY_RULE = ""
CLEARED = "every alert had cleared before anyone acted"


class OutcomeSoFar(msgspec.Struct):
    """The outcome so far of a hazard under a rule: a candidate took it, or why an action was not its intervention.

    Under `ANY_RULE`: when its alert was cleared, where that is needed for longer than recoveries are stored.
    """

    taken: bool = False
    cleared_at: int = msgspec.field(default=FOREVER, name="over_at")
    reason: NotOpened = NotOpened.NO_INTERVENTION
    detail: str = ""


Key = tuple[str, str, str]
"""(rule, source, id)"""

PRECEDENCE = (
    NotOpened.NO_INTERVENTION,
    NotOpened.CLEARED_BEFORE_ACTION,
    NotOpened.UNRELATED_INTERVENTION,
    NotOpened.CONDITION_NOT_MET,
    NotOpened.ABSENCE_VIOLATED,
)
"""The closer a hazard came to its intervention, the more its reason says."""


class HazardOutcomes:
    """`dirty` names the outcomes that changed since it was last cleared."""

    def __init__(self) -> None:
        self._by_hazard: dict[tuple[str, str], dict[str, OutcomeSoFar]] = {}
        self.dirty: set[Key] = set()

    def of(self, event: Event) -> Mapping[str, OutcomeSoFar]:
        """The outcomes so far of a hazard, by rule."""
        return self._by_hazard.get((event.source, event.id), _NOTHING)

    def is_taken(self, rule: str, event: Event) -> bool:
        outcome = self.of(event).get(rule)
        return outcome is not None and outcome.taken

    def record(self, rule: str, event: Event, reason: NotOpened, detail: str) -> None:
        """Remember why an action was not this hazard's intervention; the more telling reason stays."""
        outcome = self.open(rule, event)
        if PRECEDENCE.index(reason) >= PRECEDENCE.index(outcome.reason):
            outcome.reason, outcome.detail = reason, detail

    def open(self, rule: str, event: Event) -> OutcomeSoFar:
        """The outcome of a hazard under a rule, to be changed."""
        self.dirty.add((rule, event.source, event.id))
        outcomes = self._by_hazard.get((event.source, event.id))
        if outcomes is None:
            outcomes = self._by_hazard[event.source, event.id] = {}
        return outcomes.setdefault(rule, OutcomeSoFar())

    def pop(self, event: Event) -> Mapping[str, OutcomeSoFar]:
        """Remove and return the outcomes of a hazard that expired, by rule."""
        outcomes = self._by_hazard.pop((event.source, event.id), None)
        if outcomes is None:
            return _NOTHING
        self.dirty.update((rule, event.source, event.id) for rule in outcomes)
        return outcomes

    def drop(self, rule: str, event: Event) -> None:
        """Remove the outcome of a hazard under one rule."""
        outcomes = self._by_hazard.get((event.source, event.id))
        if outcomes is not None and outcomes.pop(rule, None) is not None:
            self.dirty.add((rule, event.source, event.id))

    def drop_stale(self, known: Iterable[Key]) -> None:
        """Remove the outcomes of hazards that are not pending any more."""
        kept = set(known)
        for (source, event_id), outcomes in list(self._by_hazard.items()):
            for rule in [rule for rule in outcomes if (rule, source, event_id) not in kept]:
                del outcomes[rule]
                self.dirty.add((rule, source, event_id))
            if not outcomes:
                del self._by_hazard[source, event_id]

    def cell(self, key: Key) -> OutcomeSoFar | None:
        rule, source, event_id = key
        return self._by_hazard.get((source, event_id), _NOTHING).get(rule)

    def restore(self, key: Key, outcome: OutcomeSoFar) -> None:
        rule, source, event_id = key
        self._by_hazard.setdefault((source, event_id), {})[rule] = outcome


_NOTHING: Mapping[str, OutcomeSoFar] = {}
