"""What arrived, against the rules and the catalogue: which rules cannot match it, and what nobody explained.

Ignores windows and relations: a step that nothing satisfied keeps its rule from matching, whatever stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import CompiledStep, Matcher
from monitor.core.model.conditions import fields_of
from monitor.core.model.events import Event, Instant
from monitor.core.resolving.resolver import Resolver
from monitor.core.resolving.unmatched import UnmatchedReport, UnmatchedWords

_OF_DRAFTS = frozenset({"derived.repeats"})
"""Facts that rest on earlier drafts, which no stream of events shows."""
_MOST_SOURCES = 1_000


class Blind(msgspec.Struct, frozen=True):
    """A rule that cannot match what arrived. `step`: the first one that nothing satisfied; `kinds`: what it asks for.

    `of_kind`: how many events of those kinds there were, so that it is a matter of what they say.
    """

    rule: str
    step: str
    kinds: tuple[str, ...]
    of_kind: int


class StepCoverage:
    """Counts what satisfied the steps of rules."""

    def __init__(self, compiled: Matcher) -> None:
        self._last_values = LastValues()
        self._matcher = compiled.seeing(self._last_values, compiled.catalogue)
        self._last_values.want(self._matcher.facts_asked)
        self._seen = 0
        self._kinds: dict[str, int] = {}

    def take(self, events: Sequence[Event]) -> None:
        """Resolved events, in the order of time where facts are to be derived from what was before."""
        recorded = self._last_values.kinds
        for said in events:
            event = self._last_values.placed(said)
            self._kinds[event.kind] = self._kinds.get(event.kind, 0) + 1
            self._seen |= self._matcher.match(event)[0]
            if event.kind in recorded:
                self._last_values.record(event)

    @property
    def kinds(self) -> dict[str, int]:
        """How many events there were of each kind."""
        return dict(sorted(self._kinds.items()))

    def blind(self) -> tuple[Blind, ...]:
        """The rules that cannot match, by name."""
        found = []
        for name, rule in sorted(self._matcher.rules.items()):
            needed = (rule.hazard, rule.intervention, *(step for step in rule.clauses if _is_needed(step)))
            missing = next((step for step in needed if not self._seen & step.bit and not _is_of_drafts(step)), None)
            if missing is not None:
                of_kind = sum(self._kinds.get(kind, 0) for kind in missing.kinds)
                found.append(Blind(name, _said(missing), missing.kinds, of_kind))
        return tuple(found)


def _is_needed(step: CompiledStep) -> bool:
    return step.clause is not None and step.clause.at_most != 0 and step.clause.at_least > 0


def _is_of_drafts(step: CompiledStep) -> bool:
    return not _OF_DRAFTS.isdisjoint(fields_of(step.step.where))


def _said(step: CompiledStep) -> str:
    return step.clause.name if step.clause is not None else step.part


class Arrived(msgspec.Struct, frozen=True):
    """What a stretch of the stream held. `sources`: events by the first part of their source's name, most first.

    `kinds`: events by kind; `rules`: how many there are; `first` and `last` are times of events, None where none came.
    """

    events: int
    rules: int
    sources: dict[str, int]
    kinds: dict[str, int]
    first: Instant | None
    last: Instant | None
    blind: tuple[Blind, ...]
    unexplained: UnmatchedReport


class Looked(msgspec.Struct, frozen=True):
    """The newest answer: when it was looked, what arrived since `since`, and when the habits are learnt by.

    `since` is 30 days ago, or later where there are more events than are looked at; `is_cut`: even an hour has more.
    `learning_until` is None where nothing has arrived.
    """

    at: Instant
    since: Instant
    arrived: Arrived
    is_cut: bool
    learning_until: Instant | None


class StepArrivals:
    """Looks at events in the words of their tools, by compiled rules and their catalogue.

    Any number of events, in bounded memory.
    """

    def __init__(self, compiled: Matcher) -> None:
        self._rules = len(compiled.rules)
        self._coverage = StepCoverage(compiled)
        self._resolver = Resolver(compiled.catalogue)
        self._words = UnmatchedWords(compiled.catalogue)
        self._sources: dict[str, int] = {}
        self._first: Instant | None = None
        self._last: Instant | None = None

    def take(self, events: Sequence[Event]) -> None:
        """Events by time."""
        self._coverage.take(self._resolver.all(events))
        self._words.take(events)
        for event in events:
            source = event.source.partition("/")[0]
            if source in self._sources or len(self._sources) < _MOST_SOURCES:
                self._sources[source] = self._sources.get(source, 0) + 1
            self._first = event.time if self._first is None else min(self._first, event.time)
            self._last = event.time if self._last is None else max(self._last, event.time)

    def report(self) -> Arrived:
        sources = dict(sorted(self._sources.items(), key=lambda one: (-one[1], one[0])))
        words = self._words.report()
        blind = self._coverage.blind()
        kinds = self._coverage.kinds
        return Arrived(words.events, self._rules, sources, kinds, self._first, self._last, blind, words)
