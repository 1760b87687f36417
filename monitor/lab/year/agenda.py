"""Which story begins when and where: true ones spread over the whole time and kept apart, noise by its daily rates.

Decides beginnings only; what a story tells is its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from monitor.core.model.events import DAY, HOUR, Instant
from monitor.lab.year import harms, rhythm
from monitor.lab.year.noise import FREEZE, HABITS, RELEASES, Habit
from monitor.lab.year.organisation import Organisation
from monitor.lab.year.planted import PLOTS, Plot
from monitor.lab.year.scene import Story
from monitor.lab.year.shape import Shape

_AFTERMATH_DAYS = 8
"""For a week after it was safe, impact that is tied to a near miss still speaks against it."""
_TRIES = 80
_SERVICES = 300


class Start(msgspec.Struct, frozen=True, order=True):
    """One beginning. The number keeps the order of what begins at the same moment."""

    at: int
    number: int
    name: str
    service: str
    story: Story


class NoRoom(ValueError):
    """So many true stories do not fit into so few days without touching each other."""


class Agenda:
    """All beginnings of a stretch of time, day by day."""

    def __init__(self, shape: Shape, organisation: Organisation) -> None:
        """Raises NoRoom."""
        self._shape = shape
        self._organisation = organisation
        self._random = Random(f"agenda {shape.seed}")  # noqa: S311 - repeatable, not secret
        self._number = 0
        users = [name for name in organisation.names if organisation.reaches_users(name)]
        self._places: dict[str, tuple[str, ...]] = {
            "any": organisation.names,
            "users": tuple(name for name in users if name not in organisation.platform),
            "middle": tuple(name for name in organisation.middle if name in users),
            "data": tuple(name for name in organisation.data if name in users),
            "hours": tuple(
                name
                for name in (*organisation.faces, *organisation.middle)
                if organisation.catalogue.services[name].hours is not None and name in users
            ),
        }
        self._harmed: list[tuple[int, str | None]] = []
        self._true: dict[int, list[Start]] = {}
        self._occupied: list[tuple[int, int, str]] = []
        self._plan_harms()
        self._plan_near_misses()

    def of_day(self, day: int) -> list[Start]:
        """What begins on a day, in the order of time."""
        return sorted([*self._true.get(day, ()), *self._noise(day)])

    # -- true stories ------------------------------------------------------------------------------------------

    def _plan_harms(self) -> None:
        count = self._shape.incidents
        for place, story in _repeated(harms.HARMS, count):
            day = self._spread(place, count, self._shape.days - 4)
            if story in harms.EVERYWHERE:
                service, face = "ingress", None
            else:
                service = self._random.choice(self._places["middle"])
                face = service
            at = rhythm.of_machines(self._random, day)
            self._harmed.append((at, face))
            self._add(day, at, f"incident {story.__name__}", service, story)

    def _plan_near_misses(self) -> None:
        wanted = self._shape.near_misses
        place = planted = 0
        while planted < wanted:
            plot = PLOTS[place % len(PLOTS)]
            place += 1
            if planted + plot.near_misses > wanted or plot.days + _AFTERMATH_DAYS >= self._shape.days:
                if place > 3 * len(PLOTS) + wanted:
                    raise NoRoom(f"{wanted} near misses do not fit into {self._shape.days} days")
                continue
            self._plant(plot, planted, wanted)
            planted += plot.near_misses

    def _plant(self, plot: Plot, place: int, count: int) -> None:
        last = self._shape.days - plot.days - 3
        for attempt in range(_TRIES):
            day = self._spread(place, count, last) if attempt < _TRIES // 2 else self._random.randrange(1, last)
            if plot.hours == "work" and rhythm.is_weekend(day):
                day -= 2
            at = self._hour(plot, max(1, day))
            service = self._random.choice(self._places["users" if plot.place == "any" else plot.place])
            if self._is_free(plot, service, at):
                break
        else:
            raise NoRoom(f"no room for {plot.name} in {self._shape.days} days")
        self._occupied.append((at, at + plot.days * DAY, service))
        self._add(max(1, day), at, plot.name, service, plot.story)
        if self._random.random() < 0.25:
            self._trouble_elsewhere(service, at)

    def _hour(self, plot: Plot, day: int) -> Instant:
        if plot.hours == "night":
            return rhythm.at_night(self._random, day)
        return (rhythm.of_people if plot.hours == "work" else rhythm.of_machines)(self._random, day)

    def _is_free(self, plot: Plot, service: str, at: int) -> bool:
        """Whether no incident and no other near miss is near, in time and along the graph."""
        catalogue = self._organisation.catalogue
        ends = at + (plot.days + _AFTERMATH_DAYS) * DAY
        scope = frozenset().union(*(catalogue.upward(near) for near in catalogue.neighbours(service)))
        for moment, harmed in self._harmed:
            if at - 3 * DAY <= moment <= ends and (harmed is None or scope & catalogue.upward(harmed)):
                return False
        near = catalogue.neighbours(service)
        return not any(
            at - 2 * DAY <= their_end and start <= at + (plot.days + 2) * DAY and near & catalogue.neighbours(theirs)
            for start, their_end, theirs in self._occupied
        )

    def _trouble_elsewhere(self, service: str, at: int) -> None:
        """Users of something unrelated are hit some hours later."""
        catalogue = self._organisation.catalogue
        scope = frozenset().union(*(catalogue.upward(near) for near in catalogue.around(service)))
        busy = frozenset().union(
            *(catalogue.upward(theirs) for start, end, theirs in self._occupied if abs(start - at) < 40 * DAY),
            scope,
        )
        others = [face for face in self._organisation.faces if catalogue.is_user_facing(face) and face not in busy]
        if others:
            moment = at + int(self._random.uniform(3, 7) * HOUR)
            face = self._random.choice(others)
            self._harmed.append((moment, face))
            day = (moment - rhythm.midnight(0)) // DAY
            self._add(day, moment, "noise unrelated_harm", face, harms.unrelated_harm)

    def _spread(self, place: int, count: int, last: int) -> int:
        """Evenly over the time, each somewhere in its own slot."""
        return max(1, min(last, int((place + self._random.random()) * self._shape.days / count)))

    def _add(self, day: int, at: int, name: str, service: str, story: Story) -> None:
        self._number += 1
        self._true.setdefault(day, []).append(Start(at, self._number, name, service, story))

    # -- noise -------------------------------------------------------------------------------------------------

    def _noise(self, day: int) -> Iterator[Start]:
        random = Random(f"noise {self._shape.seed} {day}")  # noqa: S311 - repeatable, not secret
        frozen = rhythm.is_frozen(day)
        number = 1_000_000
        for habit in (*HABITS, *((FREEZE,) if frozen and not rhythm.is_weekend(day) else ())):
            mean = habit.daily * _weight(habit, day) * len(self._organisation.names) / _SERVICES
            if frozen and habit.story in RELEASES:
                mean *= 0.15
            for _ in range(rhythm.how_many(random, mean)):
                number += 1
                service = random.choice(self._places[habit.place])
                yield Start(_moment(random, habit, day), number, habit.name, service, habit.story)


def _weight(habit: Habit, day: int) -> float:
    """So that the mean over a week is the habit's rate."""
    if habit.follows == "night":
        return 1.0
    weekend = rhythm.WEEKEND_WORK if habit.follows == "people" else rhythm.WEEKEND_TRAFFIC
    on_weekdays = 7 / (5 + 2 * weekend)
    return on_weekdays * (weekend if rhythm.is_weekend(day) else 1.0)


def _moment(random: Random, habit: Habit, day: int) -> Instant:
    if habit.follows == "people":
        return rhythm.of_people(random, day)
    return rhythm.of_machines(random, day) if habit.follows == "machines" else rhythm.at_night(random, day)


def _repeated(stories: Sequence[Story], count: int) -> Iterator[tuple[int, Story]]:
    for place in range(count):
        yield place, stories[place % len(stories)]
