"""The runs of a backtest: a pack as it is, and the same with its shadow rules live. Each keeps what became of drafts.

The second needs no engine of its own until a rule in shadow has a candidate: until then both decide alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from monitor.core.deciding.engine import Engine
from monitor.core.model.decisions import Decision, Ignore
from monitor.core.model.events import Event
from monitor.lab.backtest_index import EngineCells, IndexWriter
from monitor.lab.changed_rules import ChangedRun
from monitor.lab.ledger import Ledger
from monitor.lab.reasons import Reasons

HELD = 20_000
"""Events that are held between two takings of the cells."""
StartEngine = Callable[[Mapping[str, bytes] | None], Engine]
"""A new engine, or one that goes on from these cells."""


class BacktestRun(Protocol):
    """What a backtest asks of a run when it is over. `reasons`: None where none are kept."""

    @property
    def ledger(self) -> Ledger: ...

    @property
    def not_opened(self) -> Counter[tuple[str, str]]: ...

    @property
    def reasons(self) -> Reasons | None: ...


class RunOutcome:
    """The drafts of one run, and why nothing was opened."""

    def __init__(self, reasons: Reasons | None) -> None:
        self.ledger = Ledger()
        self.not_opened: Counter[tuple[str, str]] = Counter()
        self.reasons = reasons

    def record(self, decisions: Sequence[Decision]) -> None:
        self.ledger.record(decisions)
        for decision in decisions:
            if isinstance(decision, Ignore):
                if self.reasons is not None:
                    self.reasons.note(decision)
                self.not_opened.update((rule, str(decision.reason)) for rule in decision.rules)


class ShownRun(RunOutcome):
    """The pack as it is. `made`: the rules that made candidates; `kept`: the engine's cells, where they are kept.

    What is kept changes in `keep` and `end` only, so that another engine can go on from what was there before a step.
    """

    def __init__(
        self, engine: Engine, reasons: Reasons | None, writer: IndexWriter | None = None, *, keeps: bool = False
    ) -> None:
        """`writer`: writes the index of the run on the way; `keeps`: keep the cells without one, too."""
        super().__init__(reasons)
        self.engine = engine
        self.made: set[str] = set()
        self._writer = writer
        self.kept = writer.kept if writer is not None else EngineCells(HELD) if keeps else None

    def step(self, events: Sequence[Event]) -> list[Decision]:
        decisions = self.engine.step(events)
        self.made |= self.engine.state.made
        self.record(decisions)
        return decisions

    def keep(self, events: int, decisions: Sequence[Decision]) -> None:
        """After a step: with so many events, and these decisions."""
        if self._writer is not None:
            self._writer.took(self.engine, events, decisions)
        elif self.kept is None:
            self.engine.forget_changes()
        elif self.kept.is_over(events):
            self.kept.take(self.engine)

    def stop_keeping(self) -> None:
        """Nobody needs the cells any more but the writer, if there is one."""
        if self._writer is None:
            self.kept = None

    def end(self) -> list[Decision]:
        if self._writer is not None:
            self._writer.before_end(self.engine)
        decisions = self.engine.end()
        self.made |= self.engine.state.made
        self.record(decisions)
        return decisions

    def close(self, decisions: Sequence[Decision]) -> None:
        """`decisions`: what the end decided."""
        if self._writer is not None:
            self._writer.end(self.engine, decisions)


class PromotedRun(RunOutcome):
    """The pack with its shadow rules live: follows the run that shows it, and parts from it at the first candidate.

    To part it goes on from the end of the last stretch before: a candidate may come and be judged in one batch.
    """

    def __init__(self, shown: ShownRun, shadow: frozenset[str], start: StartEngine, reasons: Reasons | None) -> None:
        """`shown` keeps its cells."""
        super().__init__(reasons)
        self._shown, self._shadow, self._start = shown, shadow, start
        self._engine: Engine | None = None
        self._cells: dict[str, bytes] = {}
        self._ended = 0
        self._since: list[Sequence[Event]] = []
        self._decided: list[Decision] = []

    def step(self, events: Sequence[Event], decided: Sequence[Decision]) -> list[Decision]:
        """`decided`: by the run that shows it, which has taken the events already."""
        if self._engine is not None:
            return self._run(self._engine, events)
        self._follow()
        self._since.append(events)
        self._decided += decided
        return self._part() if self._meets() else []

    def end(self, decided: Sequence[Decision]) -> list[Decision]:
        if self._engine is None:
            self._follow()
        if self._engine is None and not self._meets():
            self.record([*self._decided, *decided])
            return []
        found = self._part() if self._engine is None else []
        assert self._engine is not None  # it parted now, or before
        ended = self._engine.end()
        self.record(ended)
        return found + ended

    def _meets(self) -> bool:
        return not self._shadow.isdisjoint(self._shown.made)

    def _run(self, engine: Engine, events: Sequence[Event]) -> list[Decision]:
        decisions = engine.step(events)
        engine.forget_changes()
        self.record(decisions)
        return decisions

    def _follow(self) -> None:
        """Go on from where a stretch has ended since."""
        kept = self._shown.kept
        assert kept is not None  # it keeps its cells until this parts
        if kept.ended != self._ended:
            self._ended, self._cells = kept.ended, kept.cells
            self.record(self._decided)
            self._since, self._decided = [], []

    def _part(self) -> list[Decision]:
        self._engine = self._start(self._cells)
        found = [decision for events in self._since for decision in self._run(self._engine, events)]
        self._shown.stop_keeping()
        self._cells, self._since, self._decided = {}, [], []
        return found


class WholeRuns:
    """A pack over everything, and with its shadow rules live where it has any."""

    def __init__(
        self, starts: Sequence[StartEngine], shadow: frozenset[str], writer: IndexWriter | None, *, is_compared: bool
    ) -> None:
        """`starts`: of the pack, and of the pack with the rules in `shadow` live; `writer`: writes the index of it."""

        def reasons() -> Reasons | None:
            return Reasons() if is_compared else None

        self._shown = ShownRun(starts[0]({}), reasons(), writer, keeps=bool(shadow))
        self._promoted = PromotedRun(self._shown, shadow, starts[1], reasons()) if shadow else None

    @property
    def runs(self) -> Sequence[BacktestRun]:
        return (self._shown,) if self._promoted is None else (self._shown, self._promoted)

    def step(self, events: Sequence[Event]) -> list[Decision]:
        decided = self._shown.step(events)
        more = [] if self._promoted is None else self._promoted.step(events, decided)
        self._shown.keep(len(events), decided)
        return decided + more

    def end(self) -> list[Decision]:
        decided = self._shown.end()
        more = [] if self._promoted is None else self._promoted.end(decided)
        self._shown.close(decided)
        return decided + more


class RunsByIndex:
    """The same by the index of another pack's run over the same events."""

    def __init__(self, runs: Sequence[ChangedRun]) -> None:
        self.runs = tuple(runs)

    def step(self, events: Sequence[Event]) -> list[Decision]:
        return [decision for run in self.runs for decision in run.step(events)]

    def end(self) -> list[Decision]:
        return [decision for run in self.runs for decision in run.end()]
