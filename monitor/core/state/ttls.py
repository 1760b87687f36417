"""The TTL of an event: as long as the verdict or a rule may ask for it.

Without a hazard that stands, a further step can only be asked for by a hazard to come, and looks back from there; so
where none of a rule's hazards stands, most of what its steps would take is evicted early.
"""

from __future__ import annotations

from typing import NamedTuple

from monitor.core.matching.matcher import CompiledStep, Matcher
from monitor.core.matching.relations import reach
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.retention_policy import RETENTION
from monitor.core.state.engine_state import EngineState
from monitor.core.state.event_series import MOST_BEYOND_TTL, Ttl, TtlOf
from monitor.core.state.ttl_by_kind import CONTEXT_KINDS, verdict_ttl


class StepTtl(NamedTuple):
    """For an event's kind and mask: its TTL, and the one where a hazard stands whose rule has one of these steps."""

    usual: Ttl
    longest: Ttl
    steps: tuple[CompiledStep, ...]


class RuleTtls:
    """TTLs by the rules of a matcher and the hazards that stand in a state."""

    def __init__(self, matcher: Matcher, catalogue: Catalogue) -> None:
        self._matcher = matcher
        self._catalogue = catalogue
        self._known: dict[tuple[str, int], StepTtl] = {}

    def longest(self, kind: str, mask: int) -> int:
        """How long an event of a kind with its mask is kept at most (microseconds)."""
        return self._ttl(kind, mask).longest.now

    def _ttl(self, kind: str, mask: int) -> StepTtl:
        found = self._known.get((kind, mask))
        if found is None:
            found = self._known[kind, mask] = self._work_out(kind, mask)
        return found

    def _work_out(self, kind: str, mask: int) -> StepTtl:
        steps = self._matcher.matched(mask).steps
        late = RETENTION.late_allowance
        context = RETENTION.context if kind in CONTEXT_KINDS else 0
        every = max(
            [
                verdict_ttl(kind, mask),
                *(step.look_back + late for step in steps if _wants_every(step)),
            ]
        )
        few = max([every, context, *(step.look_before + late for step in steps)])
        longer = tuple(step for step in steps if step.look_back + late > every)
        most = max([few, *(step.look_back + late for step in longer)])
        return StepTtl(Ttl(every, few, few), Ttl(every, few, most), longer)

    def ttl_of(self, state: EngineState) -> TtlOf:
        """TTLs as things stand in the state now."""
        around: dict[int, frozenset[str] | None] = {}
        known: dict[tuple[str, int], tuple[Ttl, Ttl, frozenset[str] | None]] = {}

        def where(step: CompiledStep) -> frozenset[str] | None:
            """The services whose events a step of a hazard that stands may ask for; None: any."""
            if step.bit not in around:
                around[step.bit] = self._around_hazards(state, step)
            return around[step.bit]

        def work_out(kind: str, mask: int) -> tuple[Ttl, Ttl, frozenset[str] | None]:
            keep = self._ttl(kind, mask)
            services = [where(step) for step in keep.steps]
            anywhere = None in services
            return keep.usual, keep.longest, None if anywhere else frozenset[str]().union(*filter(None, services))

        def ttl_of(service: str, kind: str, mask: int) -> Ttl:
            found = known.get((kind, mask))
            if found is None:
                found = known[kind, mask] = work_out(kind, mask)
            usual, longest, services = found
            return longest if services is None or service in services else usual

        return ttl_of

    def _around_hazards(self, state: EngineState, step: CompiledStep) -> frozenset[str] | None:
        assert step.clause is not None  # only further steps are looked at
        pending = state.pending_hazards.by_rule.get(step.rule.hazard.bit)
        hazards = set(state.open_by_rule.get(step.rule.name, ())) | set(pending.standing if pending is not None else ())
        near = [reach(self._catalogue, service, step.clause.reach) for service in hazards]
        return None if None in near else frozenset().union(*(services for services in near if services is not None))


def _wants_every(step: CompiledStep) -> bool:
    """Hazards and interventions are each wanted; of a further step as many as it counts, or all where it says so."""
    clause = step.clause
    return clause is None or clause.every or max(clause.at_least, clause.at_most or 0) >= MOST_BEYOND_TTL
