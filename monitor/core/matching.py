"""Which steps of which rules an event plays, found through an index, so that rules that do not want it cost nothing.

Compiled once from rules; knows nothing of time windows or of other events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from monitor.core.catalogue import Catalogue
from monitor.core.conditions import Getter, MakeRegex, Predicate, getter, index_key
from monitor.core.events import Event
from monitor.core.facts import EventFacts, Lineage
from monitor.core.predicates import compile_condition
from monitor.core.rule import Clause, Rule, Step

Part = Literal["hazard", "intervention", "clause"]


class CompiledStep:
    """One step of one rule, ready to be asked."""

    __slots__ = ("clause", "condition", "kinds", "part", "predicate", "rule", "where")

    def __init__(self, rule: CompiledRule, part: Part, step: Step, clause: Clause | None, regex: MakeRegex) -> None:
        self.rule = rule
        self.part = part
        self.clause = clause
        self.condition = step.where
        self.kinds = step.kinds
        self.where = step.environment
        self.predicate: Predicate = compile_condition(step.where, regex)


class CompiledRule:
    """A rule with its compiled steps and getters. Steps are compared by identity."""

    __slots__ = ("clauses", "correlate", "hazard", "intervention", "rule")

    def __init__(self, rule: Rule, make_regex: MakeRegex) -> None:
        self.rule = rule
        self.correlate: tuple[Getter, ...] = tuple(getter(field) for field in rule.correlate)
        self.hazard = CompiledStep(self, "hazard", rule.hazard, None, make_regex)
        self.intervention = CompiledStep(self, "intervention", rule.intervention.step, None, make_regex)
        self.clauses = tuple(CompiledStep(self, "clause", clause.step, clause, make_regex) for clause in rule.clauses)


class Hit(NamedTuple):
    """A step that an event satisfies, or (`elsewhere`) would satisfy in an environment that counts."""

    step: CompiledStep
    elsewhere: bool


class _KindIndex:
    """The steps that want one kind: some always to be asked, some only when a field has one of their values."""

    __slots__ = ("always", "by_field")

    def __init__(self) -> None:
        self.always: list[CompiledStep] = []
        self.by_field: list[tuple[Getter, dict[object, list[CompiledStep]]]] = []


class _NoFacts:
    def get(self, name: str, /) -> object:
        return None


NO_FACTS = _NoFacts()
NO_HITS: list[Hit] = []


class Matcher:
    """All steps of all rules behind an index by kind and by value."""

    def __init__(self, rules: Sequence[Rule], catalogue: Catalogue, lineage: Lineage, make_regex: MakeRegex) -> None:
        self.catalogue = catalogue
        self.rules: dict[str, CompiledRule] = {rule.name: CompiledRule(rule, make_regex) for rule in rules}
        self._facts = EventFacts(catalogue, lineage)
        self._index: dict[str, _KindIndex] = {}
        fields: dict[str, dict[str, dict[object, list[CompiledStep]]]] = {}
        for compiled in self.rules.values():
            for step in (compiled.hazard, compiled.intervention, *compiled.clauses):
                key = index_key(step.condition)
                for kind in step.kinds:
                    index = self._index.setdefault(kind, _KindIndex())
                    if key is None or key[0] == "kind":
                        index.always.append(step)
                    else:
                        values = fields.setdefault(kind, {}).setdefault(key[0], {})
                        for value in key[1]:
                            values.setdefault(value, []).append(step)
        for kind, by_field in fields.items():
            self._index[kind].by_field = [(getter(field), values) for field, values in sorted(by_field.items())]

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that some step wants."""
        return frozenset(self._index)

    def hits(self, event: Event) -> list[Hit]:
        """Every step that the event satisfies, apart from windows and relations to other events."""
        index = self._index.get(event.kind)
        if index is None:
            return NO_HITS
        steps = index.always
        for get, values in index.by_field:
            wanting = values.get(get(event, NO_FACTS))
            if wanting is not None:
                steps = steps + wanting
        facts = self._facts
        facts.event = event
        found: list[Hit] | None = None
        for step in steps:
            if step.predicate(event, facts):
                elsewhere = self._elsewhere(step, event)
                if elsewhere is not None:
                    if found is None:
                        found = []
                    found.append(Hit(step, elsewhere))
        return NO_HITS if found is None else found

    def satisfies(self, step: CompiledStep, event: Event) -> bool:
        self._facts.event = event
        return (
            event.kind in step.kinds
            and step.predicate(event, self._facts)
            and self._elsewhere(step, event) is False
        )

    def _elsewhere(self, step: CompiledStep, event: Event) -> bool | None:
        """False: the environment fits; True: it would, were it production; None: it does not fit."""
        if step.where == "any":
            return False
        counts = self.catalogue.counts(event.environment)
        if step.where == "elsewhere":
            return False if counts is False else None
        if counts is False:
            return True if step.part == "hazard" else None
        return False


def longest_look_back(rules: Sequence[Rule]) -> dict[str, int]:
    """By kind, how far back of the watermark some step of a rule may still ask for it (microseconds)."""
    found: dict[str, int] = {}
    for rule in rules:
        within = rule.intervention.within
        _raise(found, rule.hazard.kinds, within)
        _raise(found, rule.intervention.step.kinds, within)
        for clause in rule.clauses:
            _raise(found, clause.step.kinds, within + max(0, -clause.since.offset))
    return found


def _raise(found: dict[str, int], kinds: Iterable[str], reach: int) -> None:
    for kind in kinds:
        found[kind] = max(found.get(kind, 0), reach)
