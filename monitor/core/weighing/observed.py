"""All that the weighing remembers, and its form as cells: one a service, one a habit, one an undecided candidate."""

from __future__ import annotations

import msgspec

from monitor.core.model.packing import pack, unpack
from monitor.core.weighing.habits import Habits, Rate, Standings
from monitor.core.weighing.option import Caught
from monitor.core.weighing.place import Place

CELL_KINDS = frozenset({"place", "caught", "pair", "standing", "habits"})


class _Meta(msgspec.Struct, array_like=True):
    """What of the habits is small: written whole."""

    began: int | None
    candidates: dict[int, int]
    paired_on: dict[str, int]


class Observed:
    """`dirty`: names of the cells that changed since they were last written."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self.habits = Habits()
        self.caught: dict[str, Caught] = {}
        self.dirty: set[str] = set()

    def cell(self, kind: str, key: str) -> bytes | None:
        """A cell as bytes; None where nothing is left of it."""
        value: object
        if kind == "place":
            value = self.places.get(key)
        elif kind == "caught":
            value = self.caught.get(key)
        elif kind == "pair":
            value = self.habits.pairs.get(key)
        elif kind == "standing":
            value = self.habits.standings.get(key)
        else:
            value = _Meta(self.habits.began, self.habits.candidates, self.habits.paired_on)
        return None if value is None else pack(value)

    def restore(self, kind: str, key: str, value: bytes) -> None:
        """Raises msgspec.DecodeError where the bytes are not such a cell."""
        if kind == "place":
            self.places[key] = unpack(value, Place)
        elif kind == "caught":
            self.caught[key] = unpack(value, Caught)
        elif kind == "pair":
            self.habits.pairs[key] = unpack(value, Rate)
        elif kind == "standing":
            self.habits.standings[key] = unpack(value, Standings)
        else:
            meta = unpack(value, _Meta)
            self.habits.began, self.habits.candidates, self.habits.paired_on = (
                meta.began,
                meta.candidates,
                meta.paired_on,
            )

    def evict(self, at: int) -> None:
        """Drop what nothing can ask for any more; at fixed event times, so that it never depends on batches."""
        if self.habits.began is None:
            return
        for service, place in list(self.places.items()):
            if not place.evict(at):
                del self.places[service]
            self.dirty.add(f"place:{service}")
        before = set(self.habits.pairs)
        self.habits.evict(at)
        self.dirty.update(f"pair:{key}" for key in before - self.habits.pairs.keys())
        self.dirty.add("habits:")
