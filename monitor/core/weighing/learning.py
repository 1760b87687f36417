"""What the net learns of a domain as events come: how often there is such a sign, such an act, such a pair.

Writes habits and marks their cells as changed; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.core.matching.facts import actor_kind
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event
from monitor.core.weighing.acts import DONE, HABITUAL, RESCUING, undoing
from monitor.core.weighing.habits import Habits, Standings, familiar_key
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.option import Option
from monitor.core.weighing.place import ServiceMemory, act_rate_key
from monitor.core.weighing.signs import Sign, habit_key

_PEOPLE = "people"
VERSATILE = 3
"""An account of automation that does so many kinds of things is the hands of people: no controller does them all."""


class HabitCounter:
    """Counts in the habits of the domains that it observes."""

    def __init__(self, observed: Observed, catalogue: Catalogue) -> None:
        self._observed = observed
        self._catalogue = catalogue

    def habits_of(self, service: str) -> Habits:
        return self._observed.habits_of(self._catalogue.domain_of(service))

    def actor(self, act: Event) -> str:
        """human, automation or unknown: who stands behind an account that does everything, nobody can tell.

        Neither can anybody where no change was ever a person's, except for what automation is there for. What the
        catalogue lists as automation stays automation.
        """
        kind, account = actor_kind(act, self._catalogue), self._account(act)
        if account is None:
            return kind
        habits = self.habits_of(act.service or "")
        if act.kind not in HABITUAL | RESCUING and not habits.usual(_PEOPLE, act.time):
            return "unknown"
        done = sum(1 for other in DONE if habits.usual(_does(account, other), act.time))
        return "unknown" if done >= VERSATILE else kind

    def _account(self, act: Event) -> str | None:
        """The account of automation behind an act, unless the catalogue says that it is one."""
        if act.actor is None or act.actor.kind != "automation" or act.actor.id in self._catalogue.automation:
            return None
        return act.actor.id

    def sign(self, sign: Sign) -> None:
        """Count how often there is such a sign, with or without an act."""
        self._pair(habit_key(sign), sign.service, sign.began)

    def standing(self, place: ServiceMemory, sign: Sign) -> None:
        """Count how an alert cleared: by itself, or after an action."""
        ended = sign.ended if sign.ended is not None else sign.seen_at
        acted_on = any(
            event.kind in DONE and sign.began <= event.time <= ended and self.actor(event) != "automation"
            for event in place.changes
        )
        domain = self._catalogue.domain_of(place.service)
        habits = self._observed.habits_to_teach(domain)
        habits.standings.setdefault(sign.name, Standings()).add(ended, acted_on=acted_on)
        self._observed.standing_changed(domain, sign.name)

    def act(self, place: ServiceMemory, event: Event, actor: str) -> None:
        """Count how often such an act is done, beside a sign or not, and when people do things."""
        if (account := self._account(event)) is not None and event.kind in DONE:
            self._pair(_does(account, event.kind), place.service, event.time, anywhere=True)
        domain = self._catalogue.domain_of(place.service)
        habits = self._observed.habits_to_teach(domain)
        self._observed.pair_changed(domain, habits.acted(act_rate_key(event.kind, actor), event.time))
        if actor == "automation":
            return
        if actor == "human":
            self._pair(_PEOPLE, place.service, event.time, anywhere=True)
        for key in habits.worked(event.time):
            self._observed.pair_changed(domain, key)
        self._pair(familiar_key(event, actor, undoing(event, place.changes_before(event))), place.service, event.time)

    def pairs(self, options: Iterable[Option], service: str, at: int) -> None:
        """Count a candidate, and which kind of act met which kinds of signs."""
        for key in sorted({key for option in options for key in option.pairings}):
            self._pair(key, service, at)
        domain = self._catalogue.domain_of(service)
        self._observed.habits_to_teach(domain).count_candidate(at)
        self._observed.habits_changed(domain)

    def tells_ends(self, sign: Sign) -> bool:
        known = self.habits_of(sign.service).standings.get(sign.name)
        return known is not None and known.tells_ends

    def _pair(self, key: str, service: str, at: int, *, anywhere: bool = False) -> None:
        """`anywhere`: once in half a day in the whole domain, not on each service."""
        domain = self._catalogue.domain_of(service)
        if self._observed.habits_to_teach(domain).pair(key, "" if anywhere else service, at):
            self._observed.pair_changed(domain, key)
            self._observed.habits_changed(domain)


def _does(account: str, kind: str) -> str:
    return f"does\x1f{account}\x1f{kind}"
