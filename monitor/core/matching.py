"""Which steps of which rules an event plays, found through an index, so that rules that do not want it cost nothing.

Compiled once from rules; knows nothing of time windows or of other events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from monitor.core.catalogue import Catalogue
from monitor.core.conditions import Getter, MakeRegex, Predicate, compile_condition, fields_of, getter, index_key
from monitor.core.events import Event
from monitor.core.facts import Lineage, derive
from monitor.core.rule import Clause, Rule, Step

Part = Literal["hazard", "intervention", "clause"]


class CompiledStep:
    """One step of one rule, ready to be asked."""

    __slots__ = ("clause", "condition", "kinds", "needs", "part", "predicate", "rule", "where")

    def __init__(self, rule: CompiledRule, part: Part, step: Step, clause: Clause | None, regex: MakeRegex) -> None:
        self.rule = rule
        self.part = part
        self.clause = clause
        self.condition = step.where
        self.kinds = step.kinds
        self.where = step.environment
        self.predicate: Predicate = compile_condition(step.where, regex)
        self.needs: frozenset[str] = derived_names(step)


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
    """A step that an event satisfies, or would satisfy in an environment that counts."""

    step: CompiledStep
    elsewhere: bool


class _KindIndex:
    """The steps that want one kind: some always to be asked, some only when a field has one of their values."""

    __slots__ = ("always", "by_field")

    def __init__(self) -> None:
        self.always: list[CompiledStep] = []
        self.by_field: list[tuple[Getter, dict[object, list[CompiledStep]]]] = []


class Matcher:
    """All steps of all rules behind an index by kind and by value."""

    def __init__(self, rules: Sequence[Rule], catalogue: Catalogue, make_regex: MakeRegex) -> None:
        self.catalogue = catalogue
        self.rules: dict[str, CompiledRule] = {rule.name: CompiledRule(rule, make_regex) for rule in rules}
        self._index: dict[str, _KindIndex] = {}
        self._needs: dict[str, frozenset[str]] = {}
        fields: dict[str, dict[str, dict[object, list[CompiledStep]]]] = {}
        for compiled in self.rules.values():
            for step in (compiled.hazard, compiled.intervention, *compiled.clauses):
                key = index_key(step.condition)
                for kind in step.kinds:
                    index = self._index.setdefault(kind, _KindIndex())
                    self._needs[kind] = self._needs.get(kind, frozenset()) | step.needs
                    if key is None or key[0] == "kind":
                        index.always.append(step)
                    else:
                        values = fields.setdefault(kind, {}).setdefault(key[0], {})
                        for value in key[1]:
                            values.setdefault(value, []).append(step)
        for kind, by_field in fields.items():
            self._index[kind].by_field = [(getter(field), values) for field, values in sorted(by_field.items())]

    def wants(self, kind: str) -> bool:
        return kind in self._index

    def hits(self, event: Event, lineage: Lineage) -> list[Hit]:
        """Every step that the event satisfies, apart from windows and relations to other events."""
        index = self._index.get(event.kind)
        if index is None:
            return []
        steps = index.always
        for get, values in index.by_field:
            wanting = values.get(get(event, _NO_FACTS))
            if wanting is not None:
                steps = steps + wanting
        if not steps:
            return []
        facts = self.facts(event, lineage)
        found = []
        for step in steps:
            if step.predicate(event, facts):
                where = self._where(step, event)
                if where is not None:
                    found.append(Hit(step, where))
        return found

    def facts(self, event: Event, lineage: Lineage) -> dict[str, object]:
        """The derived facts that some rule asks of this kind of event."""
        needs = self._needs.get(event.kind)
        return derive(event, needs, self.catalogue, lineage) if needs else _NO_FACTS

    def satisfies(self, step: CompiledStep, event: Event, lineage: Lineage) -> bool:
        return (
            event.kind in step.kinds
            and step.predicate(event, self.facts(event, lineage))
            and self._where(step, event) is False
        )

    def _where(self, step: CompiledStep, event: Event) -> bool | None:
        """False: the environment fits; True: it would, were it production; None: it does not fit."""
        if step.where == "any":
            return False
        counts = self.catalogue.counts(event.environment)
        if step.where == "elsewhere":
            return False if counts is False else None
        if counts is False:
            return True if step.part == "hazard" else None
        return False

    def longest_look_back(self) -> dict[str, int]:
        """By kind, how far back of the watermark some clause may still ask for it (microseconds)."""
        found: dict[str, int] = {}
        for compiled in self.rules.values():
            within = compiled.rule.intervention.within
            _raise(found, compiled.rule.hazard.kinds, within)
            _raise(found, compiled.rule.intervention.step.kinds, within)
            for clause in compiled.rule.clauses:
                _raise(found, clause.step.kinds, within + max(0, -clause.since.offset))
        return found


_NO_FACTS: dict[str, object] = {}


def _raise(found: dict[str, int], kinds: Iterable[str], reach: int) -> None:
    for kind in kinds:
        found[kind] = max(found.get(kind, 0), reach)


def derived_names(step: Step) -> frozenset[str]:
    return frozenset(
        field.removeprefix("derived.") for field in fields_of(step.where) if field.startswith("derived.")
    )
