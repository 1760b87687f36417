"""The wide net: every act looks back at the signs in reach, and what speaks for and against each pair is gathered.

Sees events in event-time order; late ones are put where they belong. Decides nothing: it gives evidence and a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from monitor.core.matching.facts import actor_kind, is_drill, maintenance_scope
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, HOUR, MINUTE, Event
from monitor.core.model.near_miss import Reason
from monitor.core.weighing.acts import DONE, HABITUAL, RESCUING, STOPPED, Undoing, is_act, is_slip, undoing
from monitor.core.weighing.aftermath import foresee
from monitor.core.weighing.chance import Scene
from monitor.core.weighing.evidence import gather
from monitor.core.weighing.features import Vector
from monitor.core.weighing.habits import PRIOR_ANY_OTHER, PRIOR_PER_DAY, act_rate
from monitor.core.weighing.learning import HabitCounter
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.option import Caught, Option, speaks_for
from monitor.core.weighing.place import ServiceMemory, act_rate_key, sign_rate_key
from monitor.core.weighing.signs import Sign, SignKind, sign_of
from monitor.core.weighing.weights import Weights, log_odds_of, probability

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
NOTE_REACHES_NEXT_DOOR = DAY
TOPS_WITH_FEW = 12
"""Siblings count only below a user-facing service that depends on at most so many directly."""
MOST_OPTIONS = 5
LATE_SIGN_LOOKS = 6 * HOUR
"""A sign that arrives late meets the acts of so long after it."""
RENEWED_NEAR = 7 * DAY
RENEWED_SHARE = 0.12
DEFAULT_LIFE = 90 * DAY


_WORK = frozenset({"maintenance.started", "maintenance.ended"})
_SIGN_KINDS: dict[str, SignKind] = {
    "alert.fired": "alert",
    "incident.opened": "record",
    "change.failed": "failed",
    **dict.fromkeys(DONE, "change"),
}
"""What a hazard of a rule is as a sign; anything else is as good as a person's note."""


class Weighed(msgspec.Struct, frozen=True):
    """What a candidate came to: its log-odds, the probability, the reasons, and the option that spoke best."""

    log_odds: float
    probability: float
    reasons: tuple[Reason, ...]
    option: Option
    values: dict[str, float]


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
        self._reach: dict[str, dict[str, int]] = {}
        weight = weights.weights
        self._some_hope = weight["confirmed"] + weight["same_person"] + weight["others_came"] + 0.5 * weight["record"]
        self._hope_beside = 2 * weight["recovered"]
        self._hope = self._hope_beside + weight["page_taken"] + weight["same_person"] + weight["others_came"]
        self._least = log_odds_of(min(weights.digest, weights.live))

    # -- what happens ------------------------------------------------------------------------------------------

    def observe(self, event: Event, *, late: bool = False) -> list[Caught]:
        """Take one event in; the candidates that it makes, if it is an act, or a late sign of one."""
        if event.kind in _WORK:
            self._announced(event)
            return []
        if event.kind not in WATCHED or event.service is None:
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

    def _is_announced(self, service: str, at: int) -> bool:
        """Whether announced work was in progress on a service, or on one that needs it."""
        for above in sorted(self.catalogue.upward(service) | {service}):
            place = self.places.get(above)
            told = [e for e in place.responses if e.kind in _WORK and e.time <= at] if place is not None else []
            if told and told[-1].kind == "maintenance.started":
                return True
        return False

    def _told(self, place: ServiceMemory, event: Event) -> Sign | None:
        """An alert, a note, a record or a response: the sign that it is or belongs to."""
        kind = event.kind
        by_person = event.actor is None or actor_kind(event, self.catalogue) != "automation"
        production = self._is_production(event)
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
            if not by_person or not place.responded(event):
                return None
            note = sign_of(event, "note", place.service, production=True)
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
            place.add(sign_of(event, "failed", place.service, production=self._is_production(event)))
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
        near = [self.places[service] for service in sorted(self.reach(sign.service)) if service in self.places]
        met = ((place, act) for place in near for act in place.acts_since(sign.time))
        caught = (self._catch(place, act, again=True) for place, act in met if act.time <= sign.time + LATE_SIGN_LOOKS)
        return [candidate for candidate in caught if candidate is not None]

    def _undone_late(self, place: ServiceMemory, change: Event) -> list[Caught]:
        """What a change did that came late may be what later acts undid."""
        later = [act for act in place.acts_since(change.time) if act.event_id != change.event_id]
        caught = (self._catch(place, act, again=True) for act in later if act.time <= change.time + LATE_SIGN_LOOKS)
        return [candidate for candidate in caught if candidate is not None]

    # -- candidates --------------------------------------------------------------------------------------------

    def _catch(self, place: ServiceMemory, act: Event, *, again: bool = False) -> Caught | None:
        """The candidate that an act makes: itself with the best of the signs in reach; None where nothing is.

        `again`: the act was looked at before, and counted among the habits.
        """
        if is_drill(act):
            return None
        undone = undoing(act, place.changes_before(act))
        if self._is_habit(act, undone):
            return None
        if undone.change is not None and not self._is_production(undone.change) and self._is_production(act):
            undone = msgspec.structs.replace(undone, change=None)
        reach = self.reach(place.service)
        in_reach = [
            (sign, relation)
            for service, relation in reach.items()
            if (near := self.places.get(service)) is not None
            for sign in near.standing(act.time)
            if self._reaches(sign, relation, act)
        ]
        if not in_reach and not self._is_production(act):
            return None
        if not in_reach and undone.change is None and act.kind not in STOPPED and not renewed_near(act):
            return None
        options = gather(self._scene(place, act, undone, in_reach, counted=again))
        if not again:
            self._learner.pairs(options, place.service, act.time)
        more = self._slip_hope(act, undone)
        options.sort(key=lambda option: (-self._at_best(option), option.key))
        if self._at_best(options[0]) + more < self._least:
            return None
        likely = [option for option in options[:MOST_OPTIONS] if self._at_best(option) + more >= self._least]
        likely = [option for number, option in enumerate(likely) if not _is_nearer(likely[:number], option)]
        caught = Caught(caught_id(act), act, undone.change, likely)
        self.caught[caught.id] = caught
        self.dirty.add(f"caught:{caught.id}")
        return caught

    def _is_habit(self, act: Event, undone: Undoing) -> bool:
        """Whether automation did what it does all day: a rule has to say when that is worth a look."""
        if self._learner.actor(act) != "automation":
            return False
        return act.kind in HABITUAL or (not undone.strength and act.kind not in RESCUING)

    def _at_best(self, option: Option) -> float:
        """The log-odds if everything that may still follow speaks for the option."""
        hope = self._some_hope
        if option.kind == "alert":
            hope = self._hope_beside if option.relation else self._hope
        return self.weights.log_odds(option.values) + hope

    def _slip_hope(self, act: Event, undone: Undoing) -> float:
        """What it adds if the same is done elsewhere yet."""
        if undone.change is None or not is_slip(undone.change, act):
            return 0.0
        weight = self.weights.weights
        return weight["done_elsewhere"] + (0.0 if undone.strength else weight["reversal"])

    def _scene(
        self, place: ServiceMemory, act: Event, undone: Undoing, signs: list[tuple[Sign, int]], *, counted: bool
    ) -> Scene:
        actor = self._learner.actor(act)
        return Scene(
            counted=counted,
            act=act,
            actor=actor,
            place=place,
            undoing=undone,
            signs=signs,
            known_service=self.catalogue.is_empty or self.catalogue.knows(place.service),
            production=self._is_production(act),
            per_day=self._act_rate(place, act),
            reach=self.reach(place.service),
            places=self.places,
            habits_of=self._learner.habits_of,
            pace=self._learner.habits_of(place.service).pace(act.time) if actor != "automation" else 1.0,
            size_of=self.catalogue.size_of,
            larger=self.catalogue.larger_than(place.service),
            announced=self._is_announced(place.service, act.time),
        )

    def _is_production(self, event: Event) -> bool:
        """Whether users may live where it happened; true where nobody says."""
        return self.catalogue.counts(event.environment) is not False

    def _reaches(self, sign: Sign, relation: int, act: Event) -> bool:
        """Whether a standing sign is in reach of an act on a service so related (0: same, 1: next door, 2: sibling)."""
        if (sign.first.source, sign.first.id) == (act.source, act.id) or is_drill(sign.first):
            return False
        if not sign.production and not self._is_production(act):
            return False  # nobody's users live in either place
        if sign.kind == "failed" or not sign.production:
            return relation == 0
        if sign.kind == "note":
            return relation == 0 or (relation == 1 and act.time - sign.began <= NOTE_REACHES_NEXT_DOOR)
        if sign.kind == "record":
            return relation < 2
        return relation == 0 or sign.ended is None or act.time <= sign.ended + 2 * MINUTE

    def _act_rate(self, place: ServiceMemory, act: Event) -> float:
        key = act_rate_key(act.kind, self._learner.actor(act))
        habits = self._learner.habits_of(place.service)
        began = habits.began or act.time
        prior, size = PRIOR_PER_DAY.get(act.kind, PRIOR_ANY_OTHER), self.catalogue.size_of(place.service)
        usual = habits.usual_rate(key, act.time, prior, size)
        return act_rate(place.rates.get(key), act.time, began, usual)

    def compare(self, act: Event, signs: Iterable[Event]) -> Caught:
        """A candidate of an act and the signs that a rule pairs it with, for acts that the net itself did not catch."""
        service = act.service or ""
        place = self.places.get(service) or ServiceMemory(service)
        reach = self.reach(service)
        undone = undoing(act, place.changes_before(act))
        told = []
        for event in signs:
            kind = _SIGN_KINDS.get(event.kind, "note")
            sign = sign_of(event, kind, event.service or service, production=self._is_production(event))
            told.append((sign, reach.get(sign.service, 2)))
        scene = self._scene(place, act, undone, told, counted=True)
        return Caught(caught_id(act), act, undone.change, gather(scene))

    def settle(self, caught: Caught, recognised: Mapping[str, Sequence[Event]] | None = None) -> Weighed:
        """The candidate with what is known by now of what followed.

        `recognised`: rules that name the pattern, with their hazards; each speaks for the pair that it is about.
        """
        best: Weighed | None = None
        for option, values, details in self._followed(caught):
            names = [name for name, hazards in sorted((recognised or {}).items()) if speaks_for(hazards, option)]
            if names:
                values["recognised"], details["recognised"] = 1.0, ", ".join(names)
            log_odds = self.weights.log_odds(values)
            if best is None or log_odds > best.log_odds:
                reasons = self.weights.reasons(values, details)
                best = Weighed(log_odds, probability(log_odds), reasons, option, dict(values))
        if best is not None:
            return best
        option = caught.options[0]
        log_odds = self.weights.log_odds(option.values) - 4.0
        return Weighed(log_odds, probability(log_odds), (), option, dict(option.values))

    def outcomes(self, caught: Caught) -> list[tuple[Option, dict[str, float]]]:
        """Every option that still holds, with its values as known by now."""
        return [(option, dict(values)) for option, values, _ in self._followed(caught)]

    def _followed(self, caught: Caught) -> Iterator[tuple[Option, Vector, dict[str, str]]]:
        reach = self.reach(caught.act.service or "")
        elsewhere = self._elsewhere(caught.act, caught.undone)
        for option in caught.options:
            values, details = Vector(option.values), dict(option.details)
            told = (option, values, details, caught.undone, elsewhere, self._learner.tells_ends)
            if foresee(self.places, reach, caught.act, *told):
                yield option, values, details

    def _elsewhere(self, act: Event, undone: Event | None) -> list[ServiceMemory]:
        """Where the same may have been done, if the act took back a slip: any other service of the domain."""
        if undone is None or not is_slip(undone, act):
            return []
        domain = self.catalogue.domain_of(act.service or "")
        return [
            place
            for service, place in self.places.items()
            if service != act.service and self.catalogue.domain_of(service) == domain
        ]

    def release(self, caught_ids: Iterable[str]) -> None:
        """These candidates are decided: what was gathered for them is evicted."""
        for known in caught_ids:
            if self.caught.pop(known, None) is not None:
                self.dirty.add(f"caught:{known}")

    # -- who is near -------------------------------------------------------------------------------------------

    def reach(self, service: str) -> dict[str, int]:
        """The services whose signs an act here may answer: 0 itself, 1 next door, 2 two hops or a sibling."""
        if (known := self._reach.get(service)) is not None:
            return known
        catalogue = self.catalogue
        near = catalogue.neighbours(service)
        far: set[str] = set()
        for other in near - {service}:
            far |= catalogue.neighbours(other)
        for top in catalogue.upward(service):
            below = catalogue.neighbours(top)
            if catalogue.is_user_facing(top) and len(below) <= TOPS_WITH_FEW:
                far |= below
        found = dict.fromkeys(sorted(far), 2) | dict.fromkeys(sorted(near), 1) | {service: 0}
        self._reach[service] = found
        return found

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
