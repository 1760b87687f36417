"""Names the reason for every hazard whose windows ended without an intervention.

Knows hazards that wait and what was noted of them; decides nothing about those that somebody acted on.
"""

from __future__ import annotations

from monitor.core.matching.matcher import Matcher
from monitor.core.model.decisions import Decision, Ignore
from monitor.core.model.events import Event, Instant
from monitor.core.model.reasons import NotOpened
from monitor.core.state.pending_hazards import OVER, Hazard, Waiting

NOTHING_HAPPENED = "nothing that this rule takes for an intervention happened within its window"


class Expiry:
    """Lets hazards of a state go; the reasons are appended to `out`."""

    def __init__(self, waiting: Waiting, matcher: Matcher, out: list[Decision]) -> None:
        self._waiting = waiting
        self._matcher = matcher
        self._out = out

    def expire(self, until: int) -> None:
        """Name the reason for every hazard whose windows ended before `until` without an intervention."""
        waiting = self._waiting
        for at, _, _, hazard in waiting.expire(until):
            event, rules = hazard.event, hazard.matched.hazard_names
            notes = waiting.settle(event)
            if notes:
                for rule, noted in sorted(notes.items()):
                    if not noted.taken and rule:
                        self._expired(at, noted.reason, (rule,), event, noted.detail)
                rules = tuple(rule for rule in rules if rule not in notes)
            if rules and hazard.cleared_at <= at:
                missed, rules = self._missed(hazard, rules, at)
                if missed:
                    self._expired(at, NotOpened.CLEARED_BEFORE_ACTION, missed, event, OVER)
            if rules:
                self._expired(at, NotOpened.NO_INTERVENTION, rules, event, NOTHING_HAPPENED)
            waiting.let_go(hazard)

    def _missed(self, hazard: Hazard, rules: tuple[str, ...], until: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The rules under which somebody acted after the alert was over, and not so long ago that it is forgotten.

        And those under which nobody did.
        """
        service, rooms, known = hazard.event.service or "", self._waiting.rooms, self._matcher.rules
        missed: list[str] = []
        rest: list[str] = []
        for rule in rules:
            compiled = known[rule]
            acted_at = rooms[compiled.hazard.bit].over[service].acted_at
            met = acted_at > hazard.cleared_at and acted_at >= until - compiled.remembered
            (missed if met else rest).append(rule)
        return tuple(missed), tuple(rest)

    def _expired(self, at: int, reason: NotOpened, rules: tuple[str, ...], event: Event, detail: str) -> None:
        self._out.append(Ignore(reason, Instant(at), rules, event.service, (event.event_id,), detail))
