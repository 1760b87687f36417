"""The wide net: every act looks back at the signs in reach, and what speaks for and against each pair is gathered.

Sees events in event-time order; late ones are put where they belong. Decides nothing: it gives evidence and a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from monitor.core.matching.facts import actor_kind, is_drill, maintenance_scope
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, HOUR, Event
from monitor.core.resolving.told_acts import is_told
from monitor.core.weighing.acts import DONE, HABITUAL, RESCUING, STOPPED, Undoing, is_act, undoing
from monitor.core.weighing.evidence import gather
from monitor.core.weighing.learning import HabitCounter
from monitor.core.weighing.nearness import Nearness
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.option import Caught, Option
from monitor.core.weighing.overheard import Overheard
from monitor.core.weighing.place import ServiceMemory, act_rate_key, sign_rate_key
from monitor.core.weighing.plain_words import is_exercise, is_outside, says_plan
from monitor.core.weighing.sequel import BestCase, Sequel
from monitor.core.weighing.signs import Sign, SignKind, sign_of
from monitor.core.weighing.surroundings import WORK, Surroundings
from monitor.core.weighing.weights import Weights

WATCHED = frozenset(
    {
        "alert.fired",
        "alert.resolved",
        "alert.cancelled",
        "alert.acknowledged",
        "alert.escalated",
        "alert.silenced",
        "note.added",
        "incident.opened",
        "incident.updated",
        "incident.closed",
        "responder.paged",
        "responder.joined",
        "change.merged",
        "change.started",
        "change.failed",
        *STOPPED,
        *DONE,
    }
)
"""Kinds that the net looks at."""
MOST_OPTIONS = 5
LATE_SIGN_LOOKS = 6 * HOUR
"""A sign that arrives late meets the acts of so long after it."""
RENEWED_NEAR = 7 * DAY
RENEWED_SHARE = 0.12
DEFAULT_LIFE = 90 * DAY


_SIGN_KINDS: dict[str, SignKind] = {
    "alert.fired": "alert",
    "incident.opened": "record",
    "change.failed": "failed",
    **dict.fromkeys(DONE, "change"),
}
"""What a hazard of a rule is as a sign; anything else is as good as a person's note."""


class Net:
    """Gathers evidence over what was observed, with one catalogue and one set of weights."""

    def __init__(
        self,
        observed: Observed,
        catalogue: Catalogue,
        weights: Weights,
        is_home: Callable[[Event], bool] | None = None,
    ) -> None:
        """`is_home`: of several engines that get one event, whether it is this one that observes it."""
        self._is_home = is_home
        self.weights = weights
        self.catalogue = catalogue
        self.observed = observed
        self._learner = HabitCounter(observed, catalogue)
        self.places = observed.places
        self.caught = observed.caught
        self.dirty = observed.dirty
        self._near = Nearness(catalogue)
        self._around = Surroundings(observed.places, catalogue, self._learner, self._near)
        self._overheard = Overheard(observed, catalogue)
        self._best_case = BestCase(weights)
        self.sequel = Sequel(observed.places, catalogue, weights, self._learner, self._near)

    def observe(self, event: Event, *, late: bool = False) -> list[Caught]:
        """Take one event in; the candidates that it makes, if it is an act, or a late sign of one."""
        if event.kind in WORK:
            self._announced(event)
            return []
        if event.kind not in WATCHED:
            return []
        if event.service is None:
            self._overheard.take(event)
            return []
        if self._is_home is not None and not self._is_home(event):
            return []
        domain = self.catalogue.domain_of(event.service)
        habits = self.observed.habits_to_teach(domain)
        if habits.began is None or event.time < habits.began:
            habits.began = event.time
            self.observed.habits_changed(domain)
        place = self._place(event.service)
        family = event.kind.partition(".")[0]
        if family == "change":
            caught = self._changed(place, event)
            return [*caught, *self._undone_late(place, event)] if late else caught
        sign = self._told(place, event)
        self._touch(place)
        if not late or sign is None:
            return []
        return self._meet_late(event)

    def _announced(self, event: Event) -> None:
        """Announced work begins or ends on every service that it names."""
        for service in sorted(maintenance_scope(event)):
            place = self._place(service)
            if place.responded(event):
                self._touch(place)

    def _told(self, place: ServiceMemory, event: Event) -> Sign | None:
        """An alert, a note, a record or a response: the sign that it is or belongs to."""
        kind = event.kind
        by_person = actor_kind(event, self.catalogue) != "automation"
        production = self._near.is_production(event)
        if kind == "alert.fired":
            known = len(place.signs)
            sign = place.fired(event, production=production)
            if len(place.signs) > known:
                place.count(sign_rate_key(sign.severity), event.time)
                self._learner.sign(sign)
            return sign
        if kind in ("alert.resolved", "alert.cancelled"):
            ended = place.ended(event)
            if ended is not None and not ended.cancelled:
                self._learner.standing(place, ended)
            return ended
        if kind.startswith("incident."):
            known = len(place.signs)
            record = place.record(event, production=production)
            if record is not None and len(place.signs) > known:
                self._learner.sign(record)
            return record
        if kind == "note.added":
            if not by_person or not place.responded(event) or says_plan(event) or is_exercise(event):
                return None
            note = sign_of(event, "note", place.service, production=not is_outside(event))
            if not place.noted(note):
                return None
            self._learner.sign(note)
            return note
        if by_person or kind in ("alert.escalated", "responder.paged"):
            place.responded(event)
        return None

    def _changed(self, place: ServiceMemory, event: Event) -> list[Caught]:
        if not place.changed(event):
            return []
        if event.kind == "change.failed":
            place.add(sign_of(event, "failed", place.service, production=self._near.is_production(event)))
        caught = self._catch(place, event) if is_act(event) else None
        if event.kind in DONE or event.kind in STOPPED:
            actor = self._learner.actor(event)
            place.count(act_rate_key(event.kind, actor), event.time)
            self._learner.act(place, event, actor)
        self._touch(place)
        return [caught] if caught is not None else []

    def _meet_late(self, sign: Event) -> list[Caught]:
        """What came late is offered once more to the acts that it could have been the sign of."""
        assert sign.service is not None
        near = [self.places[service] for service in sorted(self._near.of(sign.service)) if service in self.places]
        met = ((place, act) for place in near for act in place.acts_since(sign.time))
        caught = (self._catch(place, act, again=True) for place, act in met if act.time <= sign.time + LATE_SIGN_LOOKS)
        return [candidate for candidate in caught if candidate is not None]

    def _undone_late(self, place: ServiceMemory, change: Event) -> list[Caught]:
        """What a change did that came late may be what later acts undid."""
        later = [act for act in place.acts_since(change.time) if act.event_id != change.event_id]
        caught = (self._catch(place, act, again=True) for act in later if act.time <= change.time + LATE_SIGN_LOOKS)
        return [candidate for candidate in caught if candidate is not None]

    def _catch(self, place: ServiceMemory, act: Event, *, again: bool = False) -> Caught | None:
        """The candidate that an act makes: itself with the best of the signs in reach; None where nothing is.

        `again`: the act was looked at before, and counted among the habits.
        """
        if is_drill(act):
            return None
        undone = self._undone(place, act)
        if self._is_habit(act, undone):
            return None
        reach = self._near.of(place.service)
        in_reach = self._around.in_reach(reach, act)
        if self._learner.actor(act) != "automation" and self._overheard.attach_to(
            place, act, [sign for sign, _ in in_reach]
        ):
            in_reach = self._around.in_reach(reach, act)
        if not in_reach and not self._near.is_production(act):
            return None
        if not in_reach and undone.change is None and act.kind not in STOPPED and not renewed_near(act):
            return None
        options = gather(self._around.scene(place, act, undone, in_reach, counted=again))
        if not again:
            self._learner.pairs(options, place.service, act.time)
        likely = self._best_case.likely(options, act, undone)[:MOST_OPTIONS]
        if not likely:
            return None
        likely = [option for number, option in enumerate(likely) if not _is_nearer(likely[:number], option)]
        caught = Caught(caught_id(act), act, undone.change, likely)
        self.caught[caught.id] = caught
        self.dirty.add(f"caught:{caught.id}")
        return caught

    def _undone(self, place: ServiceMemory, act: Event) -> Undoing:
        """What an act undoes. A note does not say which change; and where no users live none of them was in danger."""
        undone = undoing(act, place.changes_before(act))
        if is_told(act) or (undone.change is not None and not self._near.is_production(undone.change)):
            return msgspec.structs.replace(undone, change=None)
        return undone

    def _is_habit(self, act: Event, undone: Undoing) -> bool:
        """Whether automation did what it does all day: a rule has to say when that is worth a look."""
        if self._learner.actor(act) != "automation":
            return False
        return act.kind in HABITUAL or (not undone.strength and act.kind not in RESCUING)

    def compare(self, act: Event, signs: Iterable[Event]) -> Caught:
        """A candidate of an act and the signs that a rule pairs it with, for acts that the net itself did not catch."""
        service = act.service or ""
        place = self.places.get(service) or ServiceMemory(service)
        reach = self._near.of(service)
        undone = self._undone(place, act)
        told = []
        for event in signs:
            kind = _SIGN_KINDS.get(event.kind, "note")
            sign = sign_of(event, kind, event.service or service, production=self._near.is_production(event))
            told.append((sign, reach.get(sign.service, 2)))
        scene = self._around.scene(place, act, undone, told, counted=True)
        return Caught(caught_id(act), act, undone.change, gather(scene))

    def release(self, caught_ids: Iterable[str]) -> None:
        """These candidates are decided: what was gathered for them is evicted."""
        for known in caught_ids:
            if self.caught.pop(known, None) is not None:
                self.dirty.add(f"caught:{known}")

    def _place(self, service: str) -> ServiceMemory:
        if (known := self.places.get(service)) is None:
            known = self.places[service] = ServiceMemory(service)
        return known

    def _touch(self, place: ServiceMemory) -> None:
        self.dirty.add(f"place:{place.service}")


def caught_id(act: Event) -> str:
    return f"act\x1f{act.source}\x1f{act.id}"


def renewed_near(act: Event) -> bool:
    """Whether what was renewed had little time left: under a week, or under an eighth of what the new one has."""
    if act.previous_expires_at is None:
        return False
    life = act.expires_at - act.time if act.expires_at is not None else DEFAULT_LIFE
    return act.previous_expires_at - act.time < min(RENEWED_NEAR, RENEWED_SHARE * life)


def _is_nearer(likelier: Iterable[Option], option: Option) -> bool:
    """Whether the act answered a sign nearer at hand, by options that are likelier.

    An alert that stands for a day next door would tie everything that is done around it into one story.
    """
    return option.kind == "alert" and any(other.relation < option.relation for other in likelier)
