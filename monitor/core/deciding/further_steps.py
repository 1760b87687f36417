"""The further steps of a rule: which events satisfy them, from when to when, and whether one is unmet."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.deciding.clauses import clause_unmet, point
from monitor.core.matching.matcher import CompiledRule, CompiledStep, Matcher
from monitor.core.matching.relations import reach, relates
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event
from monitor.core.model.reasons import NotOpened
from monitor.core.model.rule import Point
from monitor.core.state.candidates import Candidate
from monitor.core.state.engine_state import EngineState


class FurtherSteps:
    """Looks for the further steps of candidates in what a state remembers."""

    def __init__(self, state: EngineState, matcher: Matcher, catalogue: Catalogue) -> None:
        self._state = state
        self._matcher = matcher
        self._catalogue = catalogue

    def unmet_before(self, candidate: Candidate, compiled: CompiledRule, event: Event) -> tuple[NotOpened, str] | None:
        """The first further step whose window ended by now and that fails: the reason, and the words."""
        if candidate.interventions:  # It was made already, and what is counted now stays counted.
            self._state.touch_candidate(candidate)
        for step in compiled.clauses:
            clause = step.clause
            assert clause is not None  # `clauses` are the further steps
            if clause.is_judged_last or point(clause.until, candidate, event, 0) > event.time:
                continue
            count = sum(1 for _ in self.events(step, candidate, event, 0))
            if (unmet := clause_unmet(clause, count)) is not None:
                return unmet
            candidate.counted[clause.name] = max(count, candidate.counted.get(clause.name, 0))
        return None

    def events(self, step: CompiledStep, candidate: Candidate, action: Event, safe_at: int) -> Iterator[Event]:
        """The events that satisfy a further step of a candidate."""
        clause = step.clause
        assert clause is not None  # `clauses` are the further steps
        start = self._moment(clause.since, candidate, action, safe_at)
        end = self._moment(clause.until, candidate, action, safe_at)
        if start is None or end is None:
            return
        services = reach(self._catalogue, candidate.service, clause.reach)
        if services is None:
            services = frozenset(self._state.memory.services_with(*clause.step.kinds))
        hazard, facts_of = candidate.hazards.earliest, self._matcher.facts_of
        for service in sorted(services):
            found = self._state.memory.matching(service, step.kinds, step.bit, start, end)
            yield from (event for event in found if relates(clause, hazard, event, facts_of, action))

    def _moment(self, at: Point, candidate: Candidate, action: Event, safe_at: int) -> int | None:
        """A moment of a window; None where the step that it is measured from was not seen."""
        if at.anchor != "step":
            return point(at, candidate, action, safe_at)
        named = self._matcher.rules[candidate.rule].clauses
        (step,) = (one for one in named if one.clause is not None and one.clause.name == at.step)
        first = min((event.time for event in self.events(step, candidate, action, safe_at)), default=None)
        return None if first is None else first + at.offset
