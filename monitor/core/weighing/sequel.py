"""How likely an option can still become, and what it came to with what is known by now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event
from monitor.core.model.near_miss import Reason
from monitor.core.weighing.acts import Undoing, is_slip
from monitor.core.weighing.aftermath import foresee
from monitor.core.weighing.features import Vector
from monitor.core.weighing.learning import HabitCounter
from monitor.core.weighing.nearness import Nearness
from monitor.core.weighing.option import Caught, Option, speaks_for
from monitor.core.weighing.place import ServiceMemory
from monitor.core.weighing.weights import Weights, log_odds_of, probability


class Weighed(msgspec.Struct, frozen=True):
    """What a candidate came to: its log-odds, the probability, the reasons, and the option that spoke best."""

    log_odds: float
    probability: float
    reasons: tuple[Reason, ...]
    option: Option
    values: dict[str, float]


class BestCase:
    """The most that may still speak for an option, by one set of weights."""

    def __init__(self, weights: Weights) -> None:
        weight = weights.weights
        self._weights = weights
        self._some_hope = weight["confirmed"] + weight["same_person"] + weight["others_came"] + 0.5 * weight["record"]
        self._hope_beside = 2 * weight["recovered"]
        self._hope = self._hope_beside + weight["page_taken"] + weight["same_person"] + weight["others_came"]
        self._least = log_odds_of(min(weights.digest, weights.live))

    def at_best(self, option: Option) -> float:
        """The log-odds if everything that may still follow speaks for the option."""
        hope = self._some_hope
        if option.kind == "alert":
            hope = self._hope_beside if option.relation else self._hope
        return self._weights.log_odds(option.values) + hope

    def slip(self, act: Event, undone: Undoing) -> float:
        """What it adds if the same is done elsewhere yet."""
        if undone.change is None or not is_slip(undone.change, act):
            return 0.0
        weight = self._weights.weights
        return weight["done_elsewhere"] + (0.0 if undone.strength else weight["reversal"])

    def likely(self, options: list[Option], act: Event, undone: Undoing) -> list[Option]:
        """The options that may still come to a draft, the likeliest first."""
        more = self.slip(act, undone)
        ordered = sorted(options, key=lambda option: (-self.at_best(option), option.key))
        return [option for option in ordered if self.at_best(option) + more >= self._least]


class Sequel:
    """What followed on the candidates of one net."""

    def __init__(
        self,
        places: Mapping[str, ServiceMemory],
        catalogue: Catalogue,
        weights: Weights,
        learner: HabitCounter,
        near: Nearness,
    ) -> None:
        self._places = places
        self._catalogue = catalogue
        self._weights = weights
        self._learner = learner
        self._near = near

    def settle(self, caught: Caught, recognised: Mapping[str, Sequence[Event]] | None = None) -> Weighed:
        """The candidate with what is known by now of what followed.

        `recognised`: rules that name the pattern, with their hazards; each speaks for the pair that it is about.
        """
        best: Weighed | None = None
        for option, values, details in self._followed(caught):
            names = [name for name, hazards in sorted((recognised or {}).items()) if speaks_for(hazards, option)]
            if names:
                values["recognised"], details["recognised"] = 1.0, ", ".join(names)
            log_odds = self._weights.log_odds(values)
            if best is None or log_odds > best.log_odds:
                reasons = self._weights.reasons(values, details)
                best = Weighed(log_odds, probability(log_odds), reasons, option, dict(values))
        if best is not None:
            return best
        option = caught.options[0]
        log_odds = self._weights.log_odds(option.values) - 4.0
        return Weighed(log_odds, probability(log_odds), (), option, dict(option.values))

    def outcomes(self, caught: Caught) -> list[tuple[Option, dict[str, float]]]:
        """Every option that still holds, with its values as known by now."""
        return [(option, dict(values)) for option, values, _ in self._followed(caught)]

    def _followed(self, caught: Caught) -> Iterator[tuple[Option, Vector, dict[str, str]]]:
        reach = self._near.of(caught.act.service or "")
        elsewhere = self._elsewhere(caught.act, caught.undone)
        for option in caught.options:
            values, details = Vector(option.values), dict(option.details)
            told = (option, values, details, caught.undone, elsewhere, self._learner.tells_ends)
            if foresee(self._places, reach, caught.act, *told):
                yield option, values, details

    def _elsewhere(self, act: Event, undone: Event | None) -> list[ServiceMemory]:
        """Where the same may have been done, if the act took back a slip: any other service of the domain."""
        if undone is None or not is_slip(undone, act):
            return []
        domain = self._catalogue.domain_of(act.service or "")
        return [
            place
            for service, place in self._places.items()
            if service != act.service and self._catalogue.domain_of(service) == domain
        ]
