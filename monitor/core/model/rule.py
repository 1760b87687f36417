"""A rule as a value: hazard, intervention, further steps, recovery, impact policy, margin, and its invariants.

What people write in YAML becomes one of these (`monitor.packs`); the engine runs them (`monitor.core.deciding.engine`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Literal

import msgspec

from monitor.core.model.conditions import Condition, fields_of, needs
from monitor.core.model.events import DAY, HOUR, MINUTE
from monitor.core.model.near_miss import Family, Mode, RecordKind

Where = Literal["production", "elsewhere", "any"]
"""`production`: an environment that counts, or none named; `elsewhere`: one that is named and does not count."""

Reach = Literal["same", "related", "siblings", "any"]
"""Which services a step may be on, seen from the hazard's: the same; also one hop of the graph; also siblings."""

Anchor = Literal["hazard", "last_hazard", "intervention", "last_intervention", "safe", "step"]

LONGEST_WINDOW = 14 * DAY
LONGEST_DEADLINE_WINDOW = 90 * DAY
"""A hazard whose condition needs a deadline may wait as long as notices are given; such events are few."""
MOST_COUNTED = 256
"""How many events of a step can be asked for: so many of a kind are remembered for a service."""
DEADLINE_FIELDS = frozenset({"expires_at", "derived.time_left"})
LONGEST_HOLD = 7 * DAY


class Pair(msgspec.Struct, frozen=True):
    """A field of a step that must equal (or differ from) a field of the hazard; names may differ per step.

    With further fields of the hazard in `also` it must equal one of them all (or differ from each). A further step may
    be compared with the intervention instead: what the person did who acted.
    """

    hazard: str
    theirs: str
    equal: bool = True
    also: tuple[str, ...] = ()
    of: Literal["hazard", "intervention"] = "hazard"


class Limit(msgspec.Struct, frozen=True):
    """The step's time is before (or after) a time that the hazard names, such as `expires_at`."""

    field: str
    before: bool = True


class Spent(msgspec.Struct, frozen=True):
    """How much of the time between the hazard and its deadline was used up at the step: 0.9 is nine tenths."""

    operator: Literal["above", "at_least", "below", "at_most"]
    share: float


class Step(msgspec.Struct, frozen=True):
    """Which events play a part."""

    kinds: frozenset[str]
    where: Condition | None = None
    environment: Where = "production"


class Intervention(msgspec.Struct, frozen=True):
    """What ends the hazard, at or after it and at most `within` later (microseconds).

    `itself`: the hazard's own event is its intervention, such as a guard that refused; then `within` is 0.
    """

    step: Step
    within: int
    reach: Reach = "siblings"
    pairs: tuple[Pair, ...] = ()
    itself: bool = False
    limits: tuple[Limit, ...] = ()
    spent: tuple[Spent, ...] = ()


class Point(msgspec.Struct, frozen=True):
    """A moment relative to a named one: its time plus `offset` microseconds.

    `last_intervention` is the last action while the danger stood: the one that a recovery is measured from. `step` is
    the first event of an earlier step, by its name; where there is none the window holds nothing.
    """

    anchor: Anchor
    offset: int = 0
    step: str = ""


class Clause(msgspec.Struct, frozen=True):
    """A further step: between `since` and `until` at least `at_least` and at most `at_most` such events.

    An absence has `at_most` 0; an optional step has `at_least` 0 and only adds evidence. `every`: of what is long ago
    every such event is remembered, and not the newest few.
    """

    name: str
    step: Step
    since: Point
    until: Point
    reach: Reach = "same"
    pairs: tuple[Pair, ...] = ()
    at_least: int = 1
    at_most: int | None = None
    limits: tuple[Limit, ...] = ()
    spent: tuple[Spent, ...] = ()
    every: bool = False

    @property
    def is_judged_last(self) -> bool:
        """Whether its window is known only when all has been seen."""
        return self.until.anchor == "safe" or "step" in (self.since.anchor, self.until.anchor)


class Impact(msgspec.Struct, frozen=True):
    """How long to hold after safe, and which evidence can see this rule's kind of harm (none named: any)."""

    hold: int = 2 * HOUR
    hold_through: Literal["", "expires_at", "previous_expires_at"] = ""
    evidence: frozenset[str] = frozenset()


class MarginSpec(msgspec.Struct, frozen=True):
    """What the margin is.

    `headroom`: value against limit of the worst hazard; `deadline`: the deadline less the time of the intervention;
    `elapsed`: intervention less first sign; `count`: how many hazards of this kind came first.
    """

    measure: Literal["headroom", "deadline", "elapsed", "count"] = "elapsed"


class Rule(msgspec.Struct, frozen=True, dict=True):
    """One pattern. `version` is a hash of its meaning; two rules with one version behave alike."""

    name: str
    title: str
    family: Family
    hazard: Step
    intervention: Intervention
    version: str
    pattern: str = ""
    description: str = ""
    kind: RecordKind = "near_miss"
    mode: Mode = "live"
    generic: bool = False
    correlate: tuple[str, ...] = ("service", "subject")
    clauses: tuple[Clause, ...] = ()
    settle: int = 10 * MINUTE
    impact: Impact = Impact()
    margin: MarginSpec = MarginSpec()
    ask: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = list(self.problems())
        if problems:
            raise ValueError(f"rule {self.name}: " + "; ".join(problems))

    def problems(self) -> list[str]:
        """What is wrong with the rule as a whole, each in one clause."""
        found = []
        if not self.hazard.kinds or not self.intervention.step.kinds:
            found.append("a hazard and an intervention each need at least one kind")
        found += self._window_problems()
        if not (0 <= self.impact.hold <= LONGEST_HOLD and 0 <= self.settle <= LONGEST_HOLD):
            found.append("hold and settle must be between zero and 7 days")
        if any(clause.at_most is not None and clause.at_most < clause.at_least for clause in self.clauses):
            found.append("a step's at_most is below its at_least")
        counts = [count for clause in self.clauses for count in (clause.at_least, clause.at_most) if count is not None]
        if any(count > MOST_COUNTED for count in counts):
            found.append(f"a step counts at most {MOST_COUNTED} events")
        if any(abs(at.offset) > LONGEST_WINDOW for clause in self.clauses for at in (clause.since, clause.until)):
            found.append("a step's window reaches at most 14 days from its anchor")
        known: set[str] = set()
        for clause in self.clauses:
            if any(at.anchor == "step" and at.step not in known for at in (clause.since, clause.until)):
                found.append(f"step {clause.name} is measured from a step that does not stand before it")
            if clause.at_most != 0:
                known.add(clause.name)
        return found

    @cached_property
    def has_deadline(self) -> bool:
        """Whether every hazard names a deadline: before it, or before someone acts, it can harm nobody."""
        return needs(self.hazard.where, DEADLINE_FIELDS)

    @property
    def longest_window(self) -> int:
        """How long its hazards may wait (microseconds)."""
        return LONGEST_DEADLINE_WINDOW if self.has_deadline else LONGEST_WINDOW

    def span(self, clause: Clause) -> tuple[int, int]:
        """How long before the hazard and after the last of the other moments its window may reach (microseconds)."""
        named = {known.name: known for known in self.clauses}
        steps = [self.span(named[at.step]) for at in (clause.since, clause.until) if at.anchor == "step"]
        before = max(0, -clause.since.offset) + max((before for before, _ in steps), default=0)
        return before, max(0, clause.until.offset) + max((after for _, after in steps), default=0)

    def _window_problems(self) -> list[str]:
        act = self.intervention
        if not act.itself:
            within = 0 < act.within <= self.longest_window
            return (
                []
                if within
                else ["the intervention's window must be above zero and at most 14 days (90 to a deadline)"]
            )
        found = []
        if act.within or act.pairs or act.limits or act.spent or act.reach != "same":
            found.append("with itself: true there is no window, no relations and no other service")
        if not act.step.kinds & self.hazard.kinds:
            found.append("with itself: true the kind must be one of the hazard")
        return found

    def steps(self) -> Iterator[Step]:
        yield self.hazard
        yield self.intervention.step
        for clause in self.clauses:
            yield clause.step


def facts_asked(rules: Iterable[Rule]) -> frozenset[str]:
    """The derived facts that some condition of some rule reads."""
    fields = frozenset[str]().union(*(fields_of(step.where) for rule in rules for step in rule.steps()))
    return frozenset(field.removeprefix("derived.") for field in fields if field.startswith("derived."))
