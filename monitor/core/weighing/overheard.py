"""Notes without a service: kept until a person acts in similar words, or on an alert in similar words.

In chat people name no service. With several shards each keeps these notes and attaches them to its own acts.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from monitor.core.matching.facts import actor_kind
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import HOUR, Event
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.place import ServiceMemory
from monitor.core.weighing.plain_words import is_exercise, said_in, says_plan, telling, worries
from monitor.core.weighing.signs import Sign, sign_of

NOWHERE = "\x1f"
"""In place of a service: where these notes wait."""
OVERHEARD_FOR = 4 * HOUR
MOST_OVERHEARD = 40
_BY_TOOLS = frozenset({"alert", "record"})


class Overheard:
    """Over what one net observed, with one catalogue."""

    def __init__(self, observed: Observed, catalogue: Catalogue) -> None:
        self._observed = observed
        self._catalogue = catalogue

    def take(self, note: Event) -> None:
        """Keep what a person worries about, with the newest of its kind."""
        if note.kind != "note.added" or says_plan(note) or is_exercise(note) or not worries(note):
            return
        if note.actor is not None and actor_kind(note, self._catalogue) == "automation":
            return
        place = self._observed.places.setdefault(NOWHERE, ServiceMemory(NOWHERE))
        sign = sign_of(note, "note", NOWHERE, production=True)
        if place.latest("note", sign.key) is not None:
            return
        place.add(sign)
        newest = place.signs[-1].began
        place.signs = [known for known in place.signs if known.began >= newest - OVERHEARD_FOR][-MOST_OVERHEARD:]
        self._observed.dirty.add(f"place:{NOWHERE}")

    def attach_to(self, place: ServiceMemory, act: Event, signs: Iterable[Sign]) -> bool:
        """What was written shortly before in words of the act, or of what it may answer, is about the act's service.

        Returns whether a note was attached.
        """
        nowhere = self._observed.places.get(NOWHERE)
        if nowhere is None:
            return False
        before = [note for note in nowhere.signs if act.time - OVERHEARD_FOR <= note.began <= act.time]
        if not before:
            return False
        # Put together once: many signs may stand, and many notes wait.
        told = telling(act).union(*(telling(sign.first) for sign in signs if sign.kind in _BY_TOOLS))
        known = {sign.key for sign in place.signs if sign.kind == "note"}
        placed = False
        for note in before:
            if note.key not in known and not told.isdisjoint(said_in(note.first)):
                place.add(replace(note, service=place.service))
                place.responded(note.first)
                placed = True
        return placed
