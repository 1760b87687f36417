"""What surrounds an act when it is weighed: who did it, what was announced, how often such acts happen here."""

from __future__ import annotations

import math

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, HOUR, Event
from monitor.core.model.words import own_words
from monitor.core.weighing.acts import RESCUING, Undoing, same_actor
from monitor.core.weighing.chance import Scene
from monitor.core.weighing.habits import PRIOR_ANY_OTHER, PRIOR_PER_DAY, RATE_HALF_LIFE, act_rate
from monitor.core.weighing.learning import HabitCounter
from monitor.core.weighing.nearness import Nearness
from monitor.core.weighing.place import ServiceMemory, act_rate_key
from monitor.core.weighing.plain_words import announces, is_drill_by_name, is_exercise, says_plan
from monitor.core.weighing.signs import Sign

WORK = frozenset({"maintenance.started", "maintenance.ended"})
TOLD_BEFORE = 4 * HOUR
DRILL_TOLD_BEFORE = 8 * HOUR
"""A drill of the afternoon is announced in the morning."""
ANY_OTHER = 0.25
"""Of all that people do on a service, what one kind of it is taken for at least."""
KNOWN_AFTER = 7 * DAY
"""So much is added to the time that was observed, since a first week says little of how much people do."""


class Surroundings:
    """Over what was observed, with one catalogue."""

    def __init__(
        self, places: dict[str, ServiceMemory], catalogue: Catalogue, learner: HabitCounter, near: Nearness
    ) -> None:
        self._places = places
        self._catalogue = catalogue
        self._learner = learner
        self._near = near

    def scene(
        self, place: ServiceMemory, act: Event, undone: Undoing, signs: list[tuple[Sign, int]], *, counted: bool
    ) -> Scene:
        actor = self._learner.actor(act)
        told = _told_before(place, act, undone.change)
        return Scene(
            counted=counted,
            act=act,
            actor=actor,
            place=place,
            undoing=undone,
            signs=signs,
            joined_to_users=self._is_joined(place.service),
            production=self._near.is_production(act),
            per_day=self._act_rate(place, act),
            reach=self._near.of(place.service),
            places=self._places,
            habits_of=self._learner.habits_of,
            pace=self._learner.habits_of(place.service).pace(act.time) if actor != "automation" else 1.0,
            size_of=self._catalogue.size_of,
            larger=self._catalogue.larger_than(place.service),
            announced=self._announced(place.service, act.time) or (told[0].time if told else None),
            rehearsed=any(map(is_exercise, told)),
        )

    def in_reach(self, reach: dict[str, int], act: Event) -> list[tuple[Sign, int]]:
        """The signs that stand when an act comes and that it may answer, each with how near its service is."""
        return [
            (sign, relation)
            for service, relation in reach.items()
            if (near := self._places.get(service)) is not None
            for sign in near.standing(act.time)
            if self._near.reaches(sign, relation, act) and not self.is_rehearsed(sign)
        ]

    def is_rehearsed(self, sign: Sign) -> bool:
        """Whether a sign began in a drill that was announced on its service: harm on purpose is no danger."""
        place = self._places.get(sign.service)
        return place is not None and any(_calls_drill(told, sign.began) for told in place.responses)

    def _act_rate(self, place: ServiceMemory, act: Event) -> float:
        key = act_rate_key(act.kind, self._learner.actor(act))
        habits = self._learner.habits_of(place.service)
        began = habits.began or act.time
        prior, size = PRIOR_PER_DAY.get(act.kind, PRIOR_ANY_OTHER), self._catalogue.size_of(place.service)
        usual = habits.usual_rate(key, act.time, prior, size)
        own = act_rate(place.rates.get(key), act.time, began, usual)
        if act.kind in RESCUING:
            return own
        # People do many things seldom: that it was this one is no more of a coincidence than that it was another.
        return max(own, ANY_OTHER * self._rate_of_any(place, self._learner.actor(act), act.time, began))

    def _rate_of_any(self, place: ServiceMemory, actor: str, at: int, began: int) -> float:
        """How often a day such an actor changes anything here; from what was counted alone."""
        mine = (rate for key, rate in place.rates.items() if key.startswith("change.") and key.endswith(f":{actor}"))
        counted = math.fsum(rate.value(at, RATE_HALF_LIFE) for rate in mine)
        return counted * DAY / (min(max(0, at - began), RATE_HALF_LIFE / math.log(2)) + KNOWN_AFTER)

    def _is_joined(self, service: str) -> bool:
        """Whether users may need a service, as far as the catalogue tells; an unknown one is not joined."""
        known = self._catalogue
        if known.is_empty:
            return True
        return known.knows(service) and (not known.tells_dependencies or service in known.serving_users)

    def _announced(self, service: str, at: int) -> int | None:
        """Since when announced work was in progress on a service, or on one that needs it; None where none was."""
        for above in sorted(self._catalogue.upward(service) | {service}):
            place = self._places.get(above)
            told = [e for e in place.responses if e.kind in WORK and e.time <= at] if place is not None else []
            if told and told[-1].kind == "maintenance.started":
                return told[-1].time
        return None


def _told_before(place: ServiceMemory, act: Event, undone: Event | None) -> list[Event]:
    """What was written beforehand by who acts: that it is an exercise, or a plan of the change that is undone.

    A plan of the act itself says nothing against it: who restarts something writes so first. A drill is announced by
    one for all.
    """
    return [
        told
        for told in place.responses
        if told.kind == "note.added"
        and (
            (is_exercise(told) and any(_follows(told, change) for change in (act, undone)))
            or _calls_drill(told, act.time)
            or (says_plan(told) and _follows(told, undone))
            or (0 <= act.time - told.time <= TOLD_BEFORE and announces(told, act))
        )
    ]


def _calls_drill(told: Event, at: int) -> bool:
    """Whether a drill was announced within the working day before."""
    is_drill = told.kind == "note.added" and is_drill_by_name(told) and "?" not in own_words(told)
    return is_drill and 0 <= at - told.time <= DRILL_TOLD_BEFORE


def _follows(told: Event, change: Event | None) -> bool:
    return change is not None and 0 <= change.time - told.time <= TOLD_BEFORE and same_actor(told, change)
