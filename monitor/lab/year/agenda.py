"""Schedules the stories: near misses, incidents and traps never overlap on the same users.

Everyday traffic is independent of the agenda.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from monitor.core.model.events import DAY, Instant
from monitor.lab.year import rhythm
from monitor.lab.year.organisation import Organisation, Part
from monitor.lab.year.plots import PLOTS
from monitor.lab.year.plots.plot import Plot
from monitor.lab.year.shape import INCIDENTS_A_YEAR, TRAPS_A_YEAR, YearShape
from monitor.lab.year.traps import TRAPS
from monitor.lab.year.traps.trap import Trap
from monitor.lab.year.truth import Label

_AT_WORK = 0.7
_TRIES = 400
_OTHER_KINDS = 6
_FIRST_DAY = 2
"""No story starts in the first days: feeds and versions must be established first."""


class NoRoom(Exception):
    """The stories do not fit: each needs some days without another on the same users."""


class Start(msgspec.Struct, frozen=True):
    """One scheduled story: plot, service and start."""

    name: str
    label: Label
    plot: Plot | Trap
    part: Part
    at: Instant


class Agenda:
    def __init__(self, shape: YearShape, organisation: Organisation) -> None:
        self._shape, self._organisation = shape, organisation
        self._random = Random(f"agenda {shape.seed}")  # noqa: S311 - repeatable, not secret
        self._taken: dict[str, list[tuple[int, int]]] = {}
        self._starts: dict[int, list[Start]] = {}
        hurting = [plot for plot in PLOTS if plot.can_hurt]
        self._place("incident", "impact", shape.of_a_year(INCIDENTS_A_YEAR), hurting)
        self._place("near miss", "near_miss", shape.planted, PLOTS)
        self._place("trap", "trap", shape.of_a_year(TRAPS_A_YEAR), TRAPS)

    def of_day(self, day: int) -> list[Start]:
        return self._starts.get(day, [])

    def _place(self, word: str, label: Label, count: int, kinds: Sequence[Plot | Trap]) -> None:
        weights = [kind.weight for kind in kinds]
        for number in range(count):
            drawn = self._random.choices(kinds, weights, k=_OTHER_KINDS)
            if not any(self._put(f"{word} {number + 1}", label, kind) for kind in drawn):
                raise NoRoom(f"no room for {word} {number + 1}: its {self._shape.days} days are full")

    def _put(self, name: str, label: Label, kind: Plot | Trap) -> bool:
        random, shape = self._random, self._shape
        parts = list(self._organisation.parts.values())
        hurts = kind.hurts if isinstance(kind, Trap) else label == "impact"
        for _ in range(_TRIES):
            part = random.choice(parts)
            if isinstance(kind, Plot) and not kind.fits(part):
                continue
            users = self._organisation.facing_above(part.name)
            if not users and (hurts or label == "near_miss"):
                continue
            day = random.randrange(min(_FIRST_DAY, shape.days - 1), max(_FIRST_DAY + 1, shape.days - kind.days))
            if isinstance(kind, Trap) and kind.at_night:
                at = rhythm.at_night(random, day)
            elif random.random() < _AT_WORK:
                day = rhythm.workday(random, day, shape.days)
                at = rhythm.at_work(random, day)
            else:
                at = rhythm.at_any_time(random, day)
            if self._is_free(part, users, day, kind.days):
                self._starts.setdefault(day, []).append(
                    Start(f"{name}: {kind.name}", "impact" if hurts else label, kind, part, at)
                )
                return True
        return False

    def _is_free(self, part: Part, users: frozenset[str], day: int, days: int) -> bool:
        """Whether no neighbour and no user has a story then; reserves the time if free."""
        near = self._organisation.catalogue.neighbours(part.name)
        begins, ends = (day - 1) * DAY, (day + days + 1) * DAY
        places = near | users
        for place in places:
            if any(
                begins < other_ends and other_begins < ends for other_begins, other_ends in self._taken.get(place, ())
            ):
                return False
        for place in {part.name, *users}:
            self._taken.setdefault(place, []).append((begins, ends))
        return True
