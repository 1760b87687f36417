"""Restored state shares its events with memory, as it does while it runs, so that a restart needs no more.

Each cell was read with copies of its own of events that other cells have as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from monitor.core.model.events import Event, EventId
from monitor.core.state.candidates import Candidate, CappedEvidence
from monitor.core.state.episodes import Episode
from monitor.core.state.memory import Memory
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.option import Caught
from monitor.core.weighing.place import ServiceMemory


class Sharing:
    """Of events that are equal in all they say, one is kept: the remembered one, or the first that was met."""

    def __init__(
        self, memory: Memory, observed: Observed, candidates: Mapping[str, Candidate], episodes: Mapping[str, Episode]
    ) -> None:
        """`memory` has been restored; the others are about to be, cell by cell."""
        self._memory = memory
        self._observed = observed
        self._candidates = candidates
        self._episodes = episodes
        self._met: dict[EventId, Event] = {}

    def restored(self, kind: str, key: str) -> None:
        """Let what was just made of a cell go on with the events that are here, so that its own make room at once."""
        if kind == "place":
            self._place(self._observed.places[key])
        elif kind == "caught":
            self._caught(self._observed.caught[key])
        elif kind == "instance":
            self._evidence(self._candidates[key].hazards)
            self._evidence(self._candidates[key].interventions)
        elif kind == "episode" and (draft := self._episodes[key].draft) is not None:
            evidence = tuple(replace(cited, event=self.one(cited.event)) for cited in draft.evidence)
            self._episodes[key].draft = replace(draft, evidence=evidence)

    def one(self, event: Event) -> Event:
        """The event to keep in place of this one, which is equal."""
        known = self._memory.equal(event) or self._met.get(event.event_id)
        if known is not None and known == event:
            return known
        return self._met.setdefault(event.event_id, self._memory.interned(event))

    def _all(self, events: list[Event]) -> None:
        events[:] = map(self.one, events)

    def _evidence(self, evidence: CappedEvidence) -> None:
        self._all(evidence.first)
        self._all(evidence.last)

    def _place(self, place: ServiceMemory) -> None:
        for sign in place.signs:
            sign.first, sign.last = self.one(sign.first), self.one(sign.last)
        self._all(place.changes)
        self._all(place.responses)

    def _caught(self, caught: Caught) -> None:
        caught.act = self.one(caught.act)
        if caught.undone is not None:
            caught.undone = self.one(caught.undone)
        for option in caught.options:
            self._all(option.cited)
