"""State shared by all stories: running versions, counters, outages, the truth, refused payloads."""

from __future__ import annotations

from random import Random

from monitor.core.model.events import EventId
from monitor.decode.outcome import Refusal
from monitor.lab.year.bodies import SentBody
from monitor.lab.year.organisation import Organisation, Part
from monitor.lab.year.truth import Truth

Ids = tuple[EventId, ...]


class World:
    def __init__(self, organisation: Organisation, seed: int, unsaid: float) -> None:
        self.organisation = organisation
        self.random = Random(f"world {seed}")  # noqa: S311 - repeatable, not secret
        self.unsaid = unsaid
        self.versions: dict[str, list[str]] = {}
        self.outages: dict[str, list[tuple[int, int]]] = {}
        self.truths: list[Truth] = []
        self.stories: dict[EventId, str] = {}
        self.refused: list[tuple[SentBody, Refusal]] = []
        self.recoveries = 0
        self.recoveries_unsaid = 0
        self._number = 0

    def number(self) -> int:
        self._number += 1
        return self._number

    def running(self, part: Part) -> list[str]:
        """The versions that ran, the present one last."""
        found = self.versions.setdefault(part.name, [])
        while len(found) < 2:
            found.append(self.new_version())
        return found

    def new_version(self) -> str:
        return f"{self.random.getrandbits(160):040x}"
