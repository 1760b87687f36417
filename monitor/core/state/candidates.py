"""A candidate for a draft: the hazards of one correlation key under one rule, with their interventions."""

from __future__ import annotations

from bisect import insort

import msgspec

from monitor.core.model.events import Event
from monitor.core.state.alerts import Track
from monitor.core.state.event_series import entry

MOST_FIRST = 10
MOST_LAST = 10


class CappedEvidence(msgspec.Struct):
    """Events of one part in event-time order: the first and the last are kept, the rest is counted."""

    first: list[Event] = []
    last: list[Event] = []
    omitted: int = 0

    def add(self, event: Event) -> None:
        """The caller has made sure that the identity is new."""
        if len(self.first) < MOST_FIRST:
            insort(self.first, event, key=entry)
            return
        if entry(event) < entry(self.first[-1]):
            insort(self.first, event, key=entry)
            event = self.first.pop()
        insort(self.last, event, key=entry)
        if len(self.last) > MOST_LAST:
            del self.last[0]
            self.omitted += 1

    def knows(self, event: Event) -> bool:
        """Whether it is counted already; what falls into the gap between the first and the last is."""
        at = entry(event)[:3]
        if any(entry(known)[:3] == at for known in self.events):
            return True
        return self.omitted > 0 and entry(self.first[-1])[:3] < at < entry(self.last[0])[:3]

    @property
    def events(self) -> list[Event]:
        return [*self.first, *self.last]

    @property
    def count(self) -> int:
        return len(self.first) + len(self.last) + self.omitted

    @property
    def earliest(self) -> Event:
        return self.first[0]

    @property
    def latest(self) -> Event:
        return self.last[-1] if self.last else self.first[-1]

    def __bool__(self) -> bool:
        return bool(self.first)


class Candidate(msgspec.Struct):
    """One rule's view of an episode. Actions after `accepts_until` (microseconds) are not its interventions."""

    id: str
    rule: str
    version: str
    key: str
    service: str
    accepts_until: int
    hazards: CappedEvidence
    interventions: CappedEvidence
    tracks: dict[str, Track] = {}
    episode: str = ""
    sibling_only: bool = True
    counted: dict[str, int] = {}
    """How many events of each step were seen at the action: some may be forgotten when it is judged."""
    hold: int | None = None
    """How long after safe harm may still show (microseconds); None: as long as the rule says."""
    is_newest: bool = True
    """Of those of one rule and key: what comes next may join this one."""

    @property
    def first_sign_at(self) -> int:
        return self.hazards.earliest.time

    def live_at(self, moment: int) -> bool:
        """Whether the danger still stood: hazards that are no alerts stand until someone acts."""
        return not self.tracks or any(track.is_live(moment) for track in self.tracks.values())

    def subjects(self) -> set[str]:
        parts = (*self.hazards.events, *self.interventions.events)
        return {event.subject for event in parts if event.subject is not None}


def correlation_key(values: list[object]) -> str | None:
    """The key as text; None where a value is missing, since a missing key never equals another missing key."""
    return None if any(value is None for value in values) else "\x1f".join(map(str, values))
