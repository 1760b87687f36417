"""All that the weighing remembers, and its form as cells: one a service, one a habit, one an undecided candidate.

A habit's cell is named by its domain and its own key.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from monitor.core.model.packing import pack, unpack
from monitor.core.weighing.habits import Habits, Rate, Standings
from monitor.core.weighing.option import Caught
from monitor.core.weighing.place import ServiceMemory

CELL_KINDS = frozenset({"place", "caught", "pair", "standing", "habits"})


class _Meta(msgspec.Struct, array_like=True):
    """What of the habits is small: written whole."""

    began: int | None
    candidates: dict[int, int]
    paired_on: dict[str, int]


_SEPARATOR = "\x1e"


class Observed:
    """`dirty`: names of the cells that changed since they were last written. `habits`: by domain."""

    def __init__(self) -> None:
        self.places: dict[str, ServiceMemory] = {}
        self.habits: dict[str, Habits] = {}
        self.caught: dict[str, Caught] = {}
        self.dirty: set[str] = set()

    def habits_of(self, domain: str) -> Habits:
        """What is known of a domain so far, to be read."""
        return self.habits.get(domain) or Habits()

    def habits_to_teach(self, domain: str) -> Habits:
        """What is known of a domain so far, to be added to."""
        return self.habits.setdefault(domain, Habits())

    def habits_changed(self, domain: str) -> None:
        self.dirty.add(f"habits:{domain}")

    def pair_changed(self, domain: str, key: str) -> None:
        self.dirty.add(f"pair:{domain}{_SEPARATOR}{key}")

    def standing_changed(self, domain: str, name: str) -> None:
        self.dirty.add(f"standing:{domain}{_SEPARATOR}{name}")

    def cell(self, kind: str, key: str) -> bytes | None:
        """A cell as bytes; None where nothing is left of it."""
        value: object
        if kind == "place":
            value = self.places.get(key)
        elif kind == "caught":
            value = self.caught.get(key)
        else:
            value = self._habit_cell(kind, key)
        return None if value is None else pack(value)

    def _habit_cell(self, kind: str, key: str) -> object:
        domain, _, name = key.partition(_SEPARATOR)
        if (known := self.habits.get(domain)) is None:
            return None
        if kind == "pair":
            return known.pairs.get(name)
        if kind == "standing":
            return known.standings.get(name)
        return _Meta(known.began, known.candidates, known.paired_on)

    def restore(self, kind: str, key: str, value: bytes) -> None:
        """Raises msgspec.DecodeError where the bytes are not such a cell."""
        if kind == "place":
            self.places[key] = unpack(value, ServiceMemory)
            return
        if kind == "caught":
            self.caught[key] = unpack(value, Caught)
            return
        domain, _, name = key.partition(_SEPARATOR)
        habits = self.habits_to_teach(domain)
        if kind == "pair":
            habits.pairs[name] = unpack(value, Rate)
        elif kind == "standing":
            habits.standings[name] = unpack(value, Standings)
        else:
            meta = unpack(value, _Meta)
            habits.began, habits.candidates, habits.paired_on = meta.began, meta.candidates, meta.paired_on

    def evict(self, at: int, domain_of: Callable[[str], str]) -> None:
        """Drop what nothing can ask for any more; at fixed event times, so that it never depends on batches."""
        for service, place in list(self.places.items()):
            if not place.evict(at):
                del self.places[service]
            self.dirty.add(f"place:{service}")
        lived_in = {domain_of(service) for service in self.places}
        for domain, habits in list(self.habits.items()):
            self._evict_habits(domain, habits, at)
            if habits.is_blank and domain not in lived_in:
                del self.habits[domain]

    def _evict_habits(self, domain: str, habits: Habits, at: int) -> None:
        pairs, standings = set(habits.pairs), set(habits.standings)
        habits.evict(at)
        for key in pairs - habits.pairs.keys():
            self.pair_changed(domain, key)
        for name in standings - habits.standings.keys():
            self.standing_changed(domain, name)
        self.habits_changed(domain)
