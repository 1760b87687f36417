"""How long an event is kept: as long as the verdict or a rule may ask for it.

A rule that asks what happened after its hazard wants nothing of a service on whose surroundings none of its hazards
stands; so most of what such a step would take is forgotten early.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from monitor.core.catalogue import Catalogue
from monitor.core.events import HOUR
from monitor.core.matching import CompiledStep, Matcher
from monitor.core.reaching import reach
from monitor.core.state import State, kept_for

LATE = HOUR
"""For so much longer, since what belongs to it may arrive late."""


class Keep(NamedTuple):
    """For an event's mask (microseconds): in any case, at most, and the steps for whose sake it is the most."""

    least: int
    most: int
    following: tuple[CompiledStep, ...]


class Keeping:
    """What the rules of a matcher keep, in the light of what stands in a state."""

    def __init__(self, matcher: Matcher, catalogue: Catalogue) -> None:
        self._matcher = matcher
        self._catalogue = catalogue
        self._known: dict[tuple[str, int], Keep] = {}

    def most(self, kind: str, mask: int) -> int:
        """How long an event of a kind with its mask is kept at most (microseconds)."""
        return self._keep(kind, mask).most

    def _keep(self, kind: str, mask: int) -> Keep:
        found = self._known.get((kind, mask))
        if found is None:
            found = self._known[kind, mask] = self._work_out(kept_for(kind, mask), mask)
        return found

    def _work_out(self, least: int, mask: int) -> Keep:
        steps = self._matcher.plays(mask).steps
        first = max((step.look_back + LATE for step in steps if not step.follows), default=0)
        following = tuple(step for step in steps if step.follows and step.look_back + LATE > max(least, first))
        most = max((step.look_back + LATE for step in steps), default=0)
        return Keep(max(least, first), max(least, most), following)

    def now(self, state: State) -> Callable[[str, str, int], int]:
        """How long an event of (service, kind, mask) is kept, as things stand."""
        wanted: dict[int, frozenset[str] | None] = {}

        def where(step: CompiledStep) -> frozenset[str] | None:
            """The services whose events a step of a hazard that stands may ask for; None: any."""
            if step.bit not in wanted:
                wanted[step.bit] = self._around_hazards(state, step)
            return wanted[step.bit]

        def keep(service: str, kind: str, mask: int) -> int:
            found = self._keep(kind, mask)
            for step in found.following:
                services = where(step)
                if services is None or service in services:
                    return found.most
            return found.least

        return keep

    def _around_hazards(self, state: State, step: CompiledStep) -> frozenset[str] | None:
        assert step.clause is not None
        room = state.waiting.rooms.get(step.rule.hazard.bit)
        hazards = set(state.open_by_rule.get(step.rule.name, ())) | set(room.standing if room is not None else ())
        near = [reach(self._catalogue, service, step.clause.reach) for service in hazards]
        return None if None in near else frozenset().union(*(services for services in near if services is not None))
