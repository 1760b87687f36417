"""Lets restored state share its events with memory, as it does while it runs, so that a restart needs no more.

Each cell was read with copies of its own of events that other cells have as well. Nobody can tell from outside.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from monitor.core.model.events import Event, EventId
from monitor.core.state.candidates import Evidence, Instance
from monitor.core.state.episodes import Episode
from monitor.core.state.memory import Memory
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.option import Caught
from monitor.core.weighing.place import Place

_set = msgspec.structs.force_setattr


def share_events(
    memory: Memory, observed: Observed, instances: Iterable[Instance], episodes: Iterable[Episode]
) -> None:
    """Let all that was restored beside memory hold its events by identity."""
    sharing = _Sharing(memory)
    for place in observed.places.values():
        sharing.place(place)
    for caught in observed.caught.values():
        sharing.caught(caught)
    for instance in instances:
        sharing.evidence(instance.hazards)
        sharing.evidence(instance.interventions)
    for episode in episodes:
        for cited in () if episode.draft is None else episode.draft.evidence:
            _set(cited, "event", sharing.one(cited.event))


class _Sharing:
    """Of events that are equal in all they say, one is kept: the remembered one, or the first that was met."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._met: dict[EventId, Event] = {}

    def one(self, event: Event) -> Event:
        """The event to keep in place of this one, which is equal."""
        known = self._memory.equal(event) or self._met.get(event.event_id)
        if known is not None and known == event:
            return known
        self._memory.share(event)
        self._met[event.event_id] = event
        return event

    def _all(self, events: list[Event]) -> None:
        events[:] = map(self.one, events)

    def evidence(self, evidence: Evidence) -> None:
        self._all(evidence.first)
        self._all(evidence.last)

    def place(self, place: Place) -> None:
        for sign in place.signs:
            sign.first, sign.last = self.one(sign.first), self.one(sign.last)
        self._all(place.changes)
        self._all(place.responses)

    def caught(self, caught: Caught) -> None:
        caught.act = self.one(caught.act)
        if caught.undone is not None:
            caught.undone = self.one(caught.undone)
        for option in caught.options:
            self._all(option.cited)
