"""Names the reason for every hazard whose windows ended without an intervention.

Knows pending hazards and their outcomes so far; decides nothing about those that an action took.
"""

from __future__ import annotations

from monitor.core.matching.matcher import Matcher
from monitor.core.model.decisions import Decision, Ignore
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.state.hazard_outcomes import CLEARED
from monitor.core.state.pending_hazards import Hazard, PendingHazards

NOTHING_HAPPENED = "no matching intervention within the window"


class HazardExpiry:
    """Expires pending hazards of a state; appends the reasons to `out`."""

    def __init__(self, pending: PendingHazards, matcher: Matcher, out: list[Decision]) -> None:
        self._pending = pending
        self._matcher = matcher
        self._out = out
        self.at_work_on: Event | None = None
        """The hazard that is being expired; None in between."""

    def expire(self, until: int) -> None:
        """Name the reason for every hazard whose windows ended before `until` without an intervention."""
        pending = self._pending
        for at, _, _, hazard in pending.expire(until):
            event, rules = hazard.event, hazard.matched.hazard_names
            self.at_work_on = event
            outcomes = pending.outcomes.pop(event)
            if outcomes:
                for rule, outcome in sorted(outcomes.items()):
                    if not outcome.taken and rule:
                        self._expired(at, outcome.reason, (rule,), event, outcome.detail)
                rules = tuple(rule for rule in rules if rule not in outcomes)
            if rules and hazard.cleared_at <= at:
                missed, rules = self._missed(hazard, rules, at)
                if missed:
                    self._expired(at, NotOpened.CLEARED_BEFORE_ACTION, missed, event, CLEARED)
            if rules:
                self._expired(at, NotOpened.NO_INTERVENTION, rules, event, NOTHING_HAPPENED)
            pending.evict(hazard)
        self.at_work_on = None

    def _missed(self, hazard: Hazard, rules: tuple[str, ...], until: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The rules under which someone acted after the alert had cleared, and recently enough to be remembered.

        And those under which nobody did.
        """
        service, by_rule, known = hazard.event.service or "", self._pending.by_rule, self._matcher.rules
        missed: list[str] = []
        rest: list[str] = []
        for rule in rules:
            compiled = known[rule]
            acted_at = by_rule[compiled.hazard.bit].cleared[service].acted_at
            met = acted_at > hazard.cleared_at and acted_at >= until - compiled.remembered
            (missed if met else rest).append(rule)
        return tuple(missed), tuple(rest)

    def _expired(self, at: int, reason: NotOpened, rules: tuple[str, ...], event: Event, detail: str) -> None:
        self._out.append(Ignore(reason, Instant(at), rules, event.service, (event.event_id,), detail))
