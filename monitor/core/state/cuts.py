"""Before which moment events were evicted for the byte budget, so that a restart does not read them back.

Written events are in chunks that are not rewritten; a cut says what of them is gone. One cut for each service of the
catalogue, and one for all others together.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from monitor.core.model.events import Event
from monitor.core.model.packing import pack, unpack
from monitor.core.model.watermark import BEGINNING

OTHERS = ""
"""The unit of everything that belongs to no service of the catalogue."""
EVIDENCE_KINDS = frozenset(
    {"impact.started", "impact.ended", "incident.opened", "incident.updated", "incident.closed"}
    | {"maintenance.started", "maintenance.ended"}
)
"""Kinds that speak against a draft: evicted later than all others, and a verdict says so then."""


class Cut(msgspec.Struct, array_like=True):
    """Events before `until` are gone, and those of `EVIDENCE_KINDS` before `evidence_until` (microseconds).

    `spared`: of the cut of `OTHERS`, the services that were in the catalogue then. `blind_until`: before it, what is
    gone may have mattered to other services too.
    """

    until: int = BEGINNING
    evidence_until: int = BEGINNING
    spared: frozenset[str] = frozenset()
    blind_until: int = BEGINNING

    def moment(self, kind: str) -> int:
        return self.evidence_until if kind in EVIDENCE_KINDS else self.until


class Cuts:
    """`dirty`: units whose cut changed since it was last written."""

    def __init__(self) -> None:
        self._cuts: dict[str, Cut] = {}
        self.blind_until = BEGINNING
        """Impact from before may have been evicted: a verdict about an earlier window is unknown."""
        self.dirty: set[str] = set()

    def cut(self, unit: str, until: int, spared: Iterable[str], *, evidence: bool, is_blind: bool) -> None:
        """Note that what a unit had before `until` is gone; `is_blind`: impact that may matter to others, too."""
        known = self._cuts.get(unit, Cut())
        here = frozenset(spared) if unit == OTHERS else frozenset[str]()
        if unit == OTHERS:
            # The cut is about fewer services now: those that came into the catalogue since keep their own.
            for service in here - known.spared if known.until > BEGINNING else ():
                own = self._cuts.get(service, Cut())
                moments = (max(own.until, known.until), max(own.evidence_until, known.evidence_until))
                self._put(service, Cut(*moments, blind_until=own.blind_until))
        if evidence:
            blind_until = max(known.blind_until, until) if is_blind else known.blind_until
            self._put(unit, Cut(known.until, max(known.evidence_until, until), here, blind_until))
        else:
            self._put(unit, Cut(max(known.until, until), known.evidence_until, here, known.blind_until))

    def _put(self, unit: str, cut: Cut) -> None:
        self._cuts[unit] = cut
        self.dirty.add(unit)
        self.blind_until = max(self.blind_until, cut.blind_until)

    def drops(self, event: Event) -> bool:
        """Whether an event is before the cut of its service."""
        if not self._cuts:
            return False
        service, kind = event.service or OTHERS, event.kind
        if (own := self._cuts.get(service)) is not None and event.time < own.moment(kind):
            return True
        others = self._cuts.get(OTHERS)
        return others is not None and service not in others.spared and event.time < others.moment(kind)

    def lost_before(self, services: Iterable[str]) -> int:
        """Of these services something before this moment is gone."""
        names, others = set(services), self._cuts.get(OTHERS)
        found = [self._cuts[name].until for name in names if name in self._cuts]
        if others is not None and not names <= others.spared:
            found.append(others.until)
        return max(found, default=BEGINNING)

    @property
    def others_until(self) -> int:
        cut = self._cuts.get(OTHERS)
        return BEGINNING if cut is None else cut.until

    def forget_before(self, moment: int) -> None:
        """Nothing that old is written any more."""
        for unit in [unit for unit, cut in self._cuts.items() if max(cut.until, cut.evidence_until) < moment]:
            del self._cuts[unit]
            self.dirty.add(unit)

    def cell(self, unit: str) -> bytes | None:
        cut = self._cuts.get(unit)
        return None if cut is None else pack([cut.until, cut.evidence_until, sorted(cut.spared), cut.blind_until])

    def restore(self, unit: str, value: bytes) -> None:
        """Raises msgspec.DecodeError where the bytes are not a cut."""
        self._put(unit, unpack(value, Cut))
        self.dirty.clear()
