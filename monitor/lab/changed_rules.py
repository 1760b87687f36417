"""Runs a pack over a stream of which another pack's index is there: only where a changed rule can make a difference.

Every event is offered to the changed rules alone. Where their hazards and actions meet, further steps left out, the
engine takes over; until then, and once it is at work on the same as the other run was, its decisions are those of the
index. Reads no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.matching.matcher import CompiledRule, Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.decisions import Decision, Ignore, Late
from monitor.core.model.events import DAY, Event
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.rule import Rule
from monitor.core.state.alerts import ALERT_STATES
from monitor.core.weighing.weights import Weights
from monitor.lab.backtest_index import BacktestIndex, Digest, IndexUnusable, RuleCard, Stretch, card_of
from monitor.lab.ledger import Ledger
from monitor.lab.reasons import Reasons

LONGEST_LOOK_BACK = 40 * DAY
"""Events of so long are held; a rule that looks back further is run over everything."""


def without_steps(rule: Rule) -> Rule:
    """The rule as it meets more often than itself: its further steps can only refuse."""
    return msgspec.structs.replace(rule, clauses=())


class Meetings:
    """Where the hazards and actions of some rules meet: at least wherever an engine with them makes a candidate.

    What an engine takes away, such as hazards that it gave to another candidate, is not taken away here.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        catalogue: Catalogue,
        make_regex: MakeRegex,
        weaken: Callable[[Rule], Rule] = without_steps,
    ) -> None:
        self._seen = False
        weak = [weaken(rule) for rule in rules]
        self._engine = Engine(weak, catalogue, make_regex, EngineSettings(met=self._met))
        matcher = Matcher(weak, catalogue, self._engine.state.last_values, make_regex)
        alerts = ALERT_STATES if matcher.kinds & ALERT_STATES else frozenset[str]()
        self._wanted = matcher.kinds | alerts | self._engine.state.last_values.kinds

    def _met(self, _rule: str, _at: int) -> None:
        self._seen = True

    def step(self, events: Sequence[Event]) -> bool:
        """Whether some met by what these events brought."""
        return self._told(self._engine.step(self._that_matter(events)))

    def end(self) -> bool:
        return self._told(self._engine.end())

    def _told(self, decisions: Sequence[Decision]) -> bool:
        self._engine.forget_changes()
        seen, self._seen = self._seen, False
        # What came so late is used only where a rule wants it, and then by everything.
        return seen or any(isinstance(each, Late) and each.behind > RETENTION.change for each in decisions)

    def _that_matter(self, events: Sequence[Event]) -> Sequence[Event]:
        """The events that a rule may want, and of the others those that move the watermark before one of them."""
        timeline, wanted = self._engine.state.timeline, self._wanted
        if not timeline.confirmed:
            return events
        newest: int = timeline.newest
        held: Event | None = None
        found: list[Event] = []
        for event in events:
            at = event.time
            is_leap = at > newest + DAY  # whether it is believed depends on what came around it
            if is_leap or event.kind in wanted:
                if held is not None:
                    found.append(held)
                    held = None
                found.append(event)
                if at > newest and not is_leap:
                    newest = at
            elif at > newest:
                held, newest = event, at
        if held is not None:
            found.append(held)
        return found


class ChangedRun:
    """One pack over a stream, by the index of another pack's run. Of the reasons, `not_opened` has those of the whole
    run where it was not run anew.

    `replayed`: events that the engine took; `days`: those (UTC, since 1970) on which it did.
    """

    def __init__(
        self,
        index: BacktestIndex,
        rules: Sequence[Rule],
        catalogue: Catalogue,
        make_regex: MakeRegex,
        weights: Weights | None = None,
        weaken: Callable[[Rule], Rule] = without_steps,
    ) -> None:
        """Raises IndexUnusable where the rules differ so that everything has to be run."""
        self.changed = changed_rules(index.header.rules, rules)
        mine = [rule for rule in rules if rule.name in self.changed]
        self._look_back = look_back(mine)
        # Where a rule makes candidates as it did, those of the other run are all there are.
        known = index.header.rules
        unlike = [rule for rule in mine if not _forms_alike(known.get(rule.name), card_of(rule))]
        self._index, self._rules, self._catalogue = index, tuple(rules), catalogue
        self._make_regex, self._settings = make_regex, EngineSettings(weights=weights)
        self._meetings = Meetings(unlike, catalogue, make_regex, weaken) if unlike else None
        self.ledger = Ledger()
        self.not_opened: Counter[tuple[str, str]] = Counter()
        self.reasons: Reasons | None = None
        self.replayed = 0
        self.days: set[int] = set()
        self._events = self._place = 0
        self._engine: Engine | None = None
        self._digest = Digest()
        # From where the engine would go on: an engine, or a state by its number; and what came since, by stretch.
        self._resting: Engine | None = Engine(rules, catalogue, make_regex, self._settings)
        self._from = 0
        self._since: list[tuple[int, Sequence[Event]]] = []

    @property
    def stretches(self) -> int:
        return len(self._index.stretches) - 1

    def step(self, events: Sequence[Event]) -> list[Decision]:
        stretch = self._index.stretches[self._place]
        self._events += len(events)
        meet = self._meetings.step(events) if self._meetings is not None else False
        if self._engine is None:
            self._since.append((self._place, events))
            decided = self._wake() if meet or not self.changed.isdisjoint(stretch.made) else []
        else:
            decided = self._run(self._engine, events)
        self._record(decided)
        if self._events >= stretch.events:
            if self._events > stretch.events or self._place >= self.stretches:
                raise IndexUnusable("it has another number of events")
            return decided + self._end_stretch(stretch)
        return decided

    def end(self) -> list[Decision]:
        last = self._index.stretches[-1]
        if self._place != self.stretches:
            raise IndexUnusable("it has another number of events")
        meet = self._meetings.end() if self._meetings is not None else False
        if self._engine is None and (meet or not self.changed.isdisjoint(last.made)):
            self._record(self._wake())
        if self._engine is None:
            return self._copy(last)
        decided = self._engine.end()
        self._record(decided)
        return decided

    def _run(self, engine: Engine, events: Sequence[Event]) -> list[Decision]:
        self.replayed += len(events)
        self.days.update({event.time // DAY for event in events})
        return engine.step(events)

    def _record(self, decisions: Sequence[Decision]) -> None:
        self.ledger.record(decisions)
        for decision in decisions:
            if isinstance(decision, Ignore):
                self.not_opened.update((rule, str(decision.reason)) for rule in decision.rules)

    def _copy(self, stretch: Stretch) -> list[Decision]:
        """What the other run decided."""
        self.ledger.record(stretch.decisions)
        self.ledger.late += stretch.late
        self.not_opened.update({(rule, reason): count for rule, reason, count in stretch.not_opened})
        return list(stretch.decisions)

    # -- where the engine is at work ---------------------------------------------------------------------------

    def _wake(self) -> list[Decision]:
        """Let the engine go on from where it last could; what it decides in this stretch."""
        engine, decided = self._resting or self._restored(), []
        for place, events in self._since:
            said = self._run(engine, events)
            if place == self._place:
                decided += said
        self._engine, self._resting, self._since = engine, None, []
        return decided

    def _restored(self) -> Engine:
        cells = self._index.state(self._from)
        self._digest = Digest()
        self._digest.update(cells)
        engine = Engine(self._rules, self._catalogue, self._make_regex, self._settings, cells)
        # Nothing will meet what came before: else it had begun earlier.
        engine.release(self.changed)
        return engine

    def _end_stretch(self, stretch: Stretch) -> list[Decision]:
        self._place += 1
        if self._engine is not None:
            self._digest.update(self._engine.take_changes())
            if self._digest.equals(stretch, self.changed) and not self._is_at_work_on_changed(self._engine):
                self._resting, self._engine, self._from = self._engine, None, self._place
            return []
        self._go_on_from_later(stretch.watermark)
        return self._copy(stretch)

    def _is_at_work_on_changed(self, engine: Engine) -> bool:
        return any(instance.rule in self.changed for instance in engine.state.candidates.values())

    def _go_on_from_later(self, watermark: int) -> None:
        """Drop what came before the newest state that lies far enough back."""
        for number in range(self._place, self._from, -1):
            is_old = self._index.stretches[number - 1].watermark <= watermark - self._look_back
            if is_old and self._index.has_state(number):
                self._resting, self._from = None, number
                self._since = [(place, events) for place, events in self._since if place >= number]
                return


def changed_rules(before: dict[str, RuleCard], rules: Sequence[Rule]) -> frozenset[str]:
    """The names of the rules that are others than those of the cards, of those added, and of those gone.

    Raises IndexUnusable where they can make a difference to others without a candidate of their own.
    """
    after = {rule.name: card_of(rule) for rule in rules}
    names = frozenset(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    asked = [frozenset(fact for card in cards.values() for fact in card.past) for cards in (before, after)]
    if asked[0] != asked[1]:
        raise IndexUnusable("the rules ask for other facts of the past")
    for name in sorted(names):
        old, new = before.get(name), after.get(name)
        if any("repeats" in card.past for card in (old, new) if card is not None):
            raise IndexUnusable(f"{name} asks for earlier drafts")
        far = {kind for card in (old, new) if card is not None for kind in card.far}
        if far and (old is None or new is None or old.steps != new.steps):
            others = [*before.items(), *after.items()]
            shared = sorted(other for other, card in others if other != name and far.intersection(card.far))
            if shared:
                raise IndexUnusable(f"steps of {name} and {shared[0]} share the newest few events")
    return names


def _forms_alike(before: RuleCard | None, after: RuleCard) -> bool:
    return before is not None and (before.forming, before.steps) == (after.forming, after.steps)


def look_back(rules: Sequence[Rule]) -> int:
    """How far back what rules look at may lie when an event comes (microseconds), late ones included."""
    steps = [step.look_back for rule in rules for step in CompiledRule(rule, 0).steps]
    longest = max(steps, default=0) + RETENTION.event + RETENTION.late_allowance
    if longest > LONGEST_LOOK_BACK:
        raise IndexUnusable("a changed rule looks back further than events are held")
    return longest
