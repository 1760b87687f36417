"""Which steps of which rules an event matches, by kind and by value, so that rules that do not want it cost nothing.

Compiled once from rules and a catalogue; knows nothing of time windows or of other events. What an event matches is a
mask: an integer with a bit a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import reduce
from operator import or_
from typing import Literal

from monitor.core.matching.facts import DerivedFacts, EventFacts
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.masks import MaskedStep, MaskOf, compile_masks
from monitor.core.matching.predicates import remembering
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import NO_FACTS, Facts, Getter, MakeRegex, Scalar, getter, index_key
from monitor.core.model.events import Event
from monitor.core.model.rule import LONGEST_WINDOW, Clause, Rule, Step, facts_asked

Part = Literal["hazard", "intervention", "clause"]
FEW_VALUES = frozenset({"severity", "actor.kind", "actor.on_call", "environment", "bound", "kind"})
"""Fields that take too few values for an index by value to spare anything."""
WORTH_AN_INDEX = 8
"""Fewer steps than this that want a field's value are asked one by one: the look-up would cost more."""


ACTIONS_REMEMBERED = LONGEST_WINDOW
"""How long an action is remembered at most, for hazards that arrive after it."""


class CompiledStep:
    """One step of one rule, and its bits in a mask."""

    __slots__ = (
        "bit",
        "clause",
        "kinds",
        "look_back",
        "look_before",
        "non_production_bit",
        "part",
        "rule",
        "step",
    )

    def __init__(self, rule: CompiledRule, part: Part, step: Step, clause: Clause | None, place: int) -> None:
        self.rule = rule
        self.part = part
        self.step = step
        self.clause = clause
        self.kinds = tuple(sorted(step.kinds))
        self.bit = 1 << (2 * place)
        self.non_production_bit = self.bit << 1 if part == "hazard" and step.environment == "production" else 0
        before, after = rule.rule.span(clause) if clause is not None else (0, 0)
        # A step is asked for again when the episode is judged, once its window and the hold have gone by.
        held = rule.rule.impact.hold if clause is not None else 0
        within = rule.rule.intervention.within if part != "intervention" else rule.remembered
        self.look_back = within + before + after + held
        self.look_before = before if clause is not None else self.look_back


class CompiledRule:
    """A rule with its compiled steps. Steps are compared by identity."""

    __slots__ = ("by_service", "clauses", "correlate", "hazard", "intervention", "name", "remembered", "rule", "within")

    def __init__(self, rule: Rule, first_place: int) -> None:
        self.rule = rule
        self.name = rule.name
        self.within = rule.intervention.within
        self.remembered = min(self.within, ACTIONS_REMEMBERED)
        self.by_service = "service" in rule.correlate
        self.correlate: tuple[Getter, ...] = tuple(getter(field) for field in rule.correlate)
        self.hazard = CompiledStep(self, "hazard", rule.hazard, None, first_place)
        self.intervention = CompiledStep(self, "intervention", rule.intervention.step, None, first_place + 1)
        self.clauses = tuple(
            CompiledStep(self, "clause", clause.step, clause, first_place + 2 + place)
            for place, clause in enumerate(rule.clauses)
        )

    @property
    def steps(self) -> tuple[CompiledStep, ...]:
        return (self.hazard, self.intervention, *self.clauses)


class MatchedSteps:
    """What a mask means: the rules for which the event is a hazard (or would be, in production), and the other parts.

    `steps` are all that match; `longest` is the longest window of the hazards (microseconds);
    `bits` has the hazards' bits in the order of their names; `cross_service`: the hazards whose key has no service.
    """

    __slots__ = (
        "bits",
        "clauses",
        "cross_service",
        "hazard_names",
        "hazards",
        "interventions",
        "longest",
        "non_production",
        "steps",
    )

    def __init__(self, mask: int, steps: Sequence[CompiledStep]) -> None:
        found = [step for step in steps if mask & step.bit]
        self.hazards = tuple(step.rule for step in found if step.part == "hazard")
        self.hazard_names = tuple(rule.name for rule in self.hazards)
        self.bits = tuple(rule.hazard.bit for rule in self.hazards)
        self.cross_service = tuple(rule for rule in self.hazards if not rule.by_service)
        self.longest = max((rule.within for rule in self.hazards), default=0)
        self.non_production = tuple(step.rule.name for step in steps if mask & step.non_production_bit)
        self.interventions = tuple(step for step in found if step.part == "intervention")
        self.clauses = tuple(step for step in found if step.part == "clause")
        self.steps = tuple(found)


class _KindIndex:
    """The steps that want one kind: most in one function, some asked only when a field has one of their values."""

    __slots__ = ("by_field", "mask_of")

    def __init__(self, mask_of: MaskOf, by_field: list[tuple[Getter, dict[object, MaskOf]]]) -> None:
        self.mask_of = mask_of
        self.by_field = by_field


class Matcher:
    """All steps of all rules, behind an index by kind and by value."""

    def __init__(
        self, rules: Sequence[Rule], catalogue: Catalogue, last_values: LastValues, make_regex: MakeRegex
    ) -> None:
        self.catalogue = catalogue
        self.rules: dict[str, CompiledRule] = {}
        self.steps: list[CompiledStep] = []
        for rule in rules:
            compiled = self.rules[rule.name] = CompiledRule(rule, len(self.steps))
            self.steps += compiled.steps
        self.facts_asked = facts_asked(rules)
        self._facts = EventFacts(catalogue, last_values)
        self._matched: dict[int, MatchedSteps] = {}
        wanting: dict[str, list[CompiledStep]] = {}
        for step in self.steps:
            for kind in step.kinds:
                wanting.setdefault(kind, []).append(step)
        self._wanting = wanting
        self._make_regex = remembering(make_regex)
        self._indexes: dict[frozenset[str], dict[str, _KindIndex]] = {}
        self._index = self._indexed()
        self.hazard_bits = reduce(or_, (s.bit | s.non_production_bit for s in self.steps if s.part == "hazard"), 0)

    def seeing(self, last_values: LastValues, catalogue: Catalogue) -> Matcher:
        """The same compiled rules for another engine, which remembers other versions and settings.

        Of the catalogue, compiled questions know the environments of production: for others they are compiled, once.
        """
        other = copy(self)
        other.catalogue = catalogue
        other._facts = EventFacts(catalogue, last_values)  # noqa: SLF001 - a copy of this very object
        other._index = other._indexed()  # noqa: SLF001 - the same
        return other

    def _indexed(self) -> dict[str, _KindIndex]:
        """The index for the catalogue's production, which all copies share."""
        production = self.catalogue.production
        found = self._indexes.get(production)
        if found is None:
            found = {kind: self._compile(kind, steps) for kind, steps in self._wanting.items()}
            self._indexes[production] = found
        return found

    def _compile(self, kind: str, steps: list[CompiledStep]) -> _KindIndex:
        production, make_regex = self.catalogue.production, self._make_regex
        together: list[MaskedStep] = []
        apart: dict[str, list[tuple[MaskedStep, tuple[Scalar, ...]]]] = {}
        for step in steps:
            asked = MaskedStep(step.step.where, step.step.environment, step.bit, step.non_production_bit)
            key = index_key(step.step.where)
            if key is None or key[0] in FEW_VALUES:
                together.append(asked)
            else:
                apart.setdefault(key[0], []).append((asked, key[1]))
        by_field: list[tuple[Getter, dict[object, MaskOf]]] = []
        for field, keyed in sorted(apart.items()):
            if len(keyed) < WORTH_AN_INDEX:
                together += [asked for asked, _ in keyed]
                continue
            values: dict[object, list[MaskedStep]] = {}
            for asked, wanted in keyed:
                for value in wanted:
                    values.setdefault(value, []).append(asked)
            functions = {value: compile_masks(kind, those, production, make_regex) for value, those in values.items()}
            by_field.append((getter(field), functions))
        return _KindIndex(compile_masks(kind, together, production, make_regex), by_field)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that some step wants."""
        return frozenset(self._index)

    def match(self, event: Event, derived: DerivedFacts | None = None) -> tuple[int, DerivedFacts | None]:
        """The mask of every step that the event matches, apart from windows and relations to other events; its facts.

        `derived`: facts derived before, if any; those derived now are added.
        """
        facts = self._facts
        facts.derived = derived
        index = self._index.get(event.kind)
        if index is None:
            return 0, derived
        facts.event = event
        mask = index.mask_of(event, facts)
        for get, values in index.by_field:
            mask_of = values.get(get(event, NO_FACTS))
            if mask_of is not None:
                mask |= mask_of(event, facts)
        return mask, facts.derived

    def matched(self, mask: int) -> MatchedSteps:
        """What a mask means."""
        found = self._matched.get(mask)
        if found is None:
            found = self._matched[mask] = MatchedSteps(mask, self.steps)
        return found

    def facts_of(self, event: Event) -> Facts:
        """The derived facts of another event than the one that is being matched."""
        return self._facts.of(event)
