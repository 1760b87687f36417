"""Which steps of which rules the events of a stream play, each told with what was known before it.

One pass in event-time order, as the engine makes it: a fact of an event never knows what came later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from monitor.core.matching.explain import Why, explain_condition
from monitor.core.matching.facts import EventFacts
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.predicates import compile_condition
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.events import DAY, Event, EventId, Instant
from monitor.core.model.rule import LONGEST_HOLD, Rule, Step

HAZARD, INTERVENTION = "hazard", "intervention"
_ALERT_ENDS = frozenset({"alert.resolved", "alert.cancelled"})
_PLACES = {
    "any": "any environment",
    "production": "an environment that counts, or none named",
    "elsewhere": "an environment that is named and does not count",
}


def steps_of(rule: Rule) -> list[tuple[str, Step]]:
    """The steps of a rule by the names under which they are shown."""
    steps = [(HAZARD, rule.hazard), (INTERVENTION, rule.intervention.step)]
    return steps + [(f"step {clause.name}", clause.step) for clause in rule.clauses]


def in_place(step: Step, event: Event, catalogue: Catalogue) -> bool:
    """Whether the environment is one that the step wants."""
    return step.environment == "any" or (catalogue.counts(event.environment) is False) == (
        step.environment == "elsewhere"
    )


class Playing:
    """The events around some events in question, by the step that they play, and why those in question play theirs."""

    def __init__(
        self,
        events: Iterable[Event],
        rules: Sequence[Rule],
        catalogue: Catalogue,
        make_regex: MakeRegex,
        asked: Sequence[Event],
        drafts: Mapping[str, list[tuple[int, str]]],
    ) -> None:
        """`asked` are the events in question; `drafts` is what the engine remembers of those that it opened."""
        self.catalogue = catalogue
        self._make_regex = make_regex
        self._last_values = LastValues()
        self._last_values.drafts = dict(drafts)
        self.facts_of = EventFacts(catalogue, self._last_values).of
        self._played: dict[tuple[str, str], list[Event]] = {}
        self._steps: dict[tuple[EventId, str], tuple[Why, ...]] = {}
        self._ends: list[Event] = []
        self._pass(_in_time(events), rules, asked)

    def _pass(self, ordered: Sequence[Event], rules: Sequence[Rule], asked: Sequence[Event]) -> None:
        longest = max((_reach_of(rule) for rule in rules), default=0)
        since = min((event.time for event in asked), default=Instant(0)) - longest
        until = max((event.time for event in asked), default=Instant(0)) + longest
        wanted = [
            (rule.name, name, step, compile_condition(step.where, self._make_regex))
            for rule in rules
            for name, step in steps_of(rule)
        ]
        questions = {event.event_id for event in asked}
        for event in map(self._last_values.placed, ordered):
            if event.event_id in questions:
                for rule in rules:
                    explained = tuple(self._step(name, step, event) for name, step in steps_of(rule))
                    self._steps[event.event_id, rule.name] = explained
            if since <= event.time <= until:
                facts = self.facts_of(event)
                for rule_name, name, step, holds in wanted:
                    if event.kind in step.kinds and in_place(step, event, self.catalogue) and holds(event, facts):
                        self._played.setdefault((rule_name, name), []).append(event)
                if event.kind in _ALERT_ENDS:
                    self._ends.append(event)
            self._last_values.record(event)

    def _step(self, name: str, step: Step, event: Event) -> Why:
        kind = Why(f"kind is one of {', '.join(sorted(step.kinds))}", event.kind in step.kinds, event.kind)
        if not kind.held:
            return Why(name, False, parts=(kind,))
        place = Why(_PLACES[step.environment], in_place(step, event, self.catalogue), event.environment or "missing")
        condition = explain_condition(step.where, event, self.facts_of(event), self._make_regex)
        parts = (kind, place, condition)
        return Why(name, all(part.held for part in parts), parts=parts)

    def steps(self, event: Event, rule: Rule) -> tuple[Why, ...]:
        """For each step of the rule whether an event in question plays it, condition by condition."""
        return self._steps[event.event_id, rule.name]

    def playing(self, rule: Rule, step: str) -> Sequence[Event]:
        """The events around that play a step, by time."""
        return self._played.get((rule.name, step), ())

    def alert_ends(self) -> Sequence[Event]:
        """Where alerts around recovered or were cancelled, by time."""
        return self._ends


def _in_time(events: Iterable[Event]) -> list[Event]:
    """By event time, the first copy of each."""
    first: dict[EventId, Event] = {}
    for event in events:
        first.setdefault(event.event_id, event)
    return sorted(first.values(), key=lambda event: (event.time, event.source, event.id))


def _reach_of(rule: Rule) -> int:
    """How far from an event another one may lie and still concern it under this rule (microseconds)."""
    spans = [side for clause in rule.clauses for side in rule.span(clause)]
    return 2 * rule.intervention.within + max(spans, default=0) + LONGEST_HOLD + DAY
