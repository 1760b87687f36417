"""Which services are near, and whether a sign on one of them is in reach of an act."""

from __future__ import annotations

from monitor.core.matching.facts import is_drill
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, MINUTE, Event
from monitor.core.resolving.told_acts import is_told_by
from monitor.core.weighing.signs import Sign

NOTE_REACHES_NEXT_DOOR = DAY
TOPS_WITH_FEW = 12
"""Siblings count only below a user-facing service that depends on at most so many directly."""


class Nearness:
    """By one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[str, dict[str, int]] = {}

    def of(self, service: str) -> dict[str, int]:
        """The services whose signs an act here may answer: 0 itself, 1 next door, 2 two hops or a sibling."""
        if (known := self._known.get(service)) is not None:
            return known
        catalogue = self._catalogue
        near = catalogue.neighbours(service)
        far: set[str] = set()
        for other in near - {service}:
            far |= catalogue.neighbours(other)
        for top in catalogue.upward(service):
            below = catalogue.neighbours(top)
            if catalogue.is_user_facing(top) and len(below) <= TOPS_WITH_FEW:
                far |= below
        found = dict.fromkeys(sorted(far), 2) | dict.fromkeys(sorted(near), 1) | {service: 0}
        self._known[service] = found
        return found

    def is_production(self, event: Event) -> bool:
        """Whether users may live where it happened; true where nobody says."""
        return self._catalogue.counts(event.environment) is not False

    def reaches(self, sign: Sign, relation: int, act: Event) -> bool:
        """Whether a standing sign is in reach of an act on a service so related (0: same, 1: next door, 2: sibling)."""
        if (sign.first.source, sign.first.id) == (act.source, act.id) or is_drill(sign.first):
            return False
        if is_told_by(act, sign.first):
            return False
        if not sign.production and not self.is_production(act):
            return False  # nobody's users live in either place
        if sign.kind == "failed" or not sign.production:
            return relation == 0
        if sign.kind == "note":
            return relation == 0 or (relation == 1 and act.time - sign.began <= NOTE_REACHES_NEXT_DOOR)
        if sign.kind == "record":
            return relation < 2
        return relation == 0 or sign.ended is None or act.time <= sign.ended + 2 * MINUTE
