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
from monitor.core.state.candidates import Instance
from monitor.core.state.engine_state import EngineState


class FurtherSteps:
    """Looks for the further steps of candidates in what a state remembers."""

    def __init__(self, state: EngineState, matcher: Matcher, catalogue: Catalogue) -> None:
        self._state = state
        self._matcher = matcher
        self._catalogue = catalogue

    def unmet_before(self, instance: Instance, compiled: CompiledRule, event: Event) -> tuple[NotOpened, str] | None:
        """The first further step whose window ended by now and that fails: the reason, and the words."""
        if instance.interventions:  # It was made already, and what is counted now stays counted.
            self._state.touch_instance(instance)
        for step in compiled.clauses:
            clause = step.clause
            assert clause is not None  # `clauses` are the further steps
            if clause.is_judged_last or point(clause.until, instance, event, 0) > event.time:
                continue
            count = sum(1 for _ in self.events(step, instance, event, 0))
            if (unmet := clause_unmet(clause, count)) is not None:
                return unmet
            instance.counted[clause.name] = max(count, instance.counted.get(clause.name, 0))
        return None

    def events(self, step: CompiledStep, instance: Instance, action: Event, safe_at: int) -> Iterator[Event]:
        """The events that satisfy a further step of an instance."""
        clause = step.clause
        assert clause is not None  # `clauses` are the further steps
        start = self._moment(clause.since, instance, action, safe_at)
        end = self._moment(clause.until, instance, action, safe_at)
        if start is None or end is None:
            return
        services = reach(self._catalogue, instance.service, clause.reach)
        if services is None:
            services = frozenset(self._state.memory.services_with(*clause.step.kinds))
        hazard, facts_of = instance.hazards.earliest, self._matcher.facts_of
        for service in sorted(services):
            found = self._state.memory.matching(service, step.kinds, step.bit, start, end)
            yield from (event for event in found if relates(clause, hazard, event, facts_of, action))

    def _moment(self, at: Point, instance: Instance, action: Event, safe_at: int) -> int | None:
        """A moment of a window; None where the step that it is measured from was not seen."""
        if at.anchor != "step":
            return point(at, instance, action, safe_at)
        named = self._matcher.rules[instance.rule].clauses
        (step,) = (one for one in named if one.clause is not None and one.clause.name == at.step)
        first = min((event.time for event in self.events(step, instance, action, safe_at)), default=None)
        return None if first is None else first + at.offset
