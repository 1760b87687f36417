"""Measures the engine on a made-up year: what it found of what really happened, and what it asked people for nothing.

Runs the engine that decides and compares with the truth. Knows neither files nor the rules' conditions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Self

import msgspec

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.budget import team_of, week_of
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.decisions import Decision, Ignore
from monitor.core.model.events import Event, EventId, to_text
from monitor.core.model.near_miss import State
from monitor.core.model.rule import Rule
from monitor.core.weighing.weights import Weights
from monitor.decode.canonical import decode_line, encode
from monitor.lab.dialects import tool_of
from monitor.lab.figures import BUDGET, RunFigures, Scored, is_an_act, luck, probability_of, summarise
from monitor.lab.ledger import IN_MEMORY, DraftEntry, Ledger
from monitor.lab.replay import admitted
from monitor.lab.year.stream import Year
from monitor.lab.year.truth import Truth

LEAST_PRECISION = 0.8
LEAST_RECALL = 0.9
LEAST_VERDICT_RIGHT = 0.95
MOST_BRIER = 0.1
"""What is asked. And no draft that stands on an impact."""


class EvidenceLine(msgspec.Struct, frozen=True):
    """One event of a draft: its role, its story, and what it was."""

    role: str
    story: str
    event: str


class FalseDraft(msgspec.Struct, frozen=True):
    """A standing draft of nothing: what it says, and from which events it was made."""

    id: str
    rules: tuple[str, ...]
    mode: str
    probability: float
    service: str
    opened_at: str
    title: str
    told: tuple[EvidenceLine, ...]
    contradicts: bool


class Missed(msgspec.Struct, frozen=True):
    """A near miss that no standing draft cites, and the reasons that the engine gave for its events."""

    story: str
    family: str
    service: str
    at: str
    events: tuple[str, ...]
    reasons: tuple[str, ...]


class OfPlot(msgspec.Struct, frozen=True):
    """How many stories of a plot there were, and how many standing drafts cite one: good for a near miss only."""

    label: str
    plot: str
    stories: int
    cited: int


class Measured(msgspec.Struct, frozen=True):
    """The figures of one engine on one year."""

    summary: RunFigures
    digest: int
    digest_true: int
    withdrawn: int
    late: int
    not_opened: dict[str, int]
    of_rules: dict[str, tuple[int, int]]
    plots: tuple[OfPlot, ...]
    false_drafts: tuple[FalseDraft, ...]
    missed: tuple[Missed, ...]

    def unmet(self) -> list[str]:
        """What is asked and was not reached, each in one clause; empty when all is well."""
        one, found = self.summary, []
        if (one.precision_at_budget or 0.0) < LEAST_PRECISION:
            found.append(
                f"precision {_said(one.precision_at_budget)} at {BUDGET} a team and week, asked {LEAST_PRECISION}"
            )
        if (one.recall or 0.0) < LEAST_RECALL:
            found.append(f"recall {_said(one.recall)}, asked {LEAST_RECALL}")
        if one.contradictions:
            found.append(f"{one.contradictions} drafts stand on an impact, none may")
        if one.verdict_right is not None and one.verdict_right < LEAST_VERDICT_RIGHT:
            found.append(f"verdict right {_said(one.verdict_right)}, asked {LEAST_VERDICT_RIGHT}")
        if one.brier is not None and one.brier > MOST_BRIER:
            found.append(f"Brier score {one.brier:.3f}, at most {MOST_BRIER}")
        return found


def _said(share: float | None) -> str:
    return "-" if share is None else f"{share:.2f}"


class StreamRun:
    """One engine that is given a stream batch by batch, and what became of it in the end."""

    def __init__(
        self,
        rules: Sequence[Rule],
        catalogue: Catalogue,
        make_regex: MakeRegex,
        story_of: Callable[[EventId], str],
        weights: Weights | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._story_of = story_of
        self._engine = Engine(rules, catalogue, make_regex, EngineSettings(weights=weights))
        self._ledger = Ledger()
        self._reasons: dict[EventId, Counter[str]] = {}

    def step(self, batch: Sequence[Event]) -> None:
        self._record(self._engine.step([event if event.received_at is None else admitted(event) for event in batch]))
        self._engine.forget_changes()

    def _record(self, decisions: list[Decision]) -> None:
        self._ledger.record(decisions)
        for decision in decisions:
            if isinstance(decision, Ignore):
                said = f"{decision.reason} ({', '.join(decision.rules) or 'no rule'}): {decision.detail}"
                for event_id in filter(self._story_of, decision.evidence):
                    self._reasons.setdefault(event_id, Counter())[said] += 1

    def end(self, truths: Iterable[Truth]) -> Measured:
        """End the stream and judge what stands."""
        self._record(self._engine.end())
        return _measured(self._ledger, self._catalogue, list(truths), self._story_of, self._reasons)


class Draw:
    """As many changes as there are drafts, drawn blindly from all that were made: what luck alone finds."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._changes: list[EventId] = []

    def step(self, batch: Iterable[Event]) -> None:
        self._changes += [event.event_id for event in batch if is_an_act(event)]

    def end(self, truths: Iterable[Truth], drafts: int) -> tuple[float, float]:
        """Precision and recall."""
        near: dict[str, frozenset[Hashable]] = {
            truth.story: frozenset(truth.intervention) for truth in truths if truth.label == "near_miss"
        }
        return luck(self._changes, near, drafts, self._seed)


class Tape:
    """A year's events in a temporary file, so that each dialect replays it."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile[bytes](IN_MEMORY)
        self._counts: list[int] = []
        self.tools: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def step(self, batch: Sequence[Event]) -> None:
        """Record a batch. Raises OSError where the disk is full."""
        self._file.writelines(encode(event) + b"\n" for event in batch)
        self._counts.append(len(batch))
        self.tools.update(map(tool_of, batch))

    def batches(self) -> Iterator[list[Event]]:
        """What was recorded, as often as asked."""
        self._file.seek(0)
        for count in self._counts:
            yield [decode_line(self._file.readline()) for _ in range(count)]


def play(
    year: Year, steps: Sequence[Callable[[list[Event]], object]], progress: Callable[[int], None] | None = None
) -> int:
    """The year through each of `steps`, batch by batch, to its end; gives the number of events."""
    events = 0
    for batch in year.batches():
        for step in steps:
            step(batch)
        events += len(batch)
        if progress is not None:
            progress(year.day)
    return events


def _measured(
    ledger: Ledger,
    catalogue: Catalogue,
    truths: list[Truth],
    story_of: Callable[[EventId], str],
    reasons: dict[EventId, Counter[str]],
) -> Measured:
    near = [truth for truth in truths if truth.label == "near_miss"]
    by_event = {
        event_id: truth for truth in truths for event_id in truth.cited if truth.label in ("near_miss", "impact")
    }
    standing = ledger.standing()
    scored = {entry.draft.id: _score(entry, by_event, catalogue) for entry in standing}
    found = {story for one in scored.values() for story in one.found}
    live = [scored[entry.draft.id] for entry in standing if entry.draft.mode == "live"]
    digest = [scored[entry.draft.id] for entry in standing if entry.draft.mode == "digest"]
    impacts = sum(truth.label == "impact" for truth in truths)
    summary = summarise(live, len(near), impacts, len(found))
    hurt = sum(one.contradicts for one in digest)
    return Measured(
        summary=msgspec.structs.replace(summary, contradictions=summary.contradictions + hurt),
        digest=len(digest),
        digest_true=sum(one.true for one in digest),
        withdrawn=ledger.states()[State.WITHDRAWN],
        late=ledger.late,
        not_opened={str(reason): count for reason, count in ledger.not_opened.most_common()},
        of_rules=_of_rules(standing, scored),
        plots=_of_plots(truths, standing),
        false_drafts=tuple(
            _false(entry, scored[entry.draft.id], story_of) for entry in standing if not scored[entry.draft.id].true
        ),
        missed=tuple(_missed(truth, reasons) for truth in near if truth.story not in found),
    )


def _cited(entry: DraftEntry) -> frozenset[EventId]:
    return frozenset(cited.event.event_id for cited in entry.draft.evidence)


def _score(entry: DraftEntry, by_event: dict[EventId, Truth], catalogue: Catalogue) -> Scored:
    draft = entry.draft
    about = [by_event[event_id] for event_id in sorted(_cited(entry)) if event_id in by_event]
    near = [truth for truth in about if truth.label == "near_miss"]
    expected = near[0].verdict if near else None
    return Scored(
        id=draft.id,
        probability=probability_of(draft),
        rank=draft.rank,
        found=frozenset(truth.story for truth in near),
        contradicts=any(truth.label == "impact" for truth in about),
        verdict=draft.verdict,
        verdict_right=None if expected is None else draft.verdict == expected,
        asked=(team_of(catalogue, draft.service), int(week_of(draft.opened_at))),
    )


def _of_rules(standing: Iterable[DraftEntry], scored: dict[str, Scored]) -> dict[str, tuple[int, int]]:
    """By what named a draft: how many stand, and how many of these are about nothing."""
    found: dict[str, tuple[int, int]] = {}
    for entry in standing:
        name = next(iter(entry.draft.rules), "no rule")
        count, of_nothing = found.get(name, (0, 0))
        found[name] = (count + 1, of_nothing + (not scored[entry.draft.id].true))
    return dict(sorted(found.items(), key=lambda item: (-item[1][1], -item[1][0], item[0])))


def _of_plots(truths: Iterable[Truth], standing: Iterable[DraftEntry]) -> tuple[OfPlot, ...]:
    everything = frozenset[EventId]().union(*map(_cited, standing))
    stories: Counter[tuple[str, str]] = Counter()
    cited: Counter[tuple[str, str]] = Counter()
    for truth in truths:
        key = (truth.label, truth.plot.partition(", told by")[0])
        stories[key] += 1
        cited[key] += bool(truth.cited & everything)
    return tuple(OfPlot(*key, stories[key], cited[key]) for key in sorted(stories))


def _false(entry: DraftEntry, scored: Scored, story_of: Callable[[EventId], str]) -> FalseDraft:
    draft = entry.draft
    told = [
        EvidenceLine(cited.role, story_of(cited.event.event_id), _line(cited.event))
        for cited in draft.evidence
        if cited.role in ("hazard", "intervention")
    ]
    return FalseDraft(
        id=draft.id,
        rules=draft.rules,
        mode=draft.mode,
        probability=scored.probability,
        service=draft.service or "",
        opened_at=to_text(draft.opened_at) or "",
        title=draft.title,
        told=tuple(told),
        contradicts=scored.contradicts,
    )


def _line(event: Event) -> str:
    actor = "" if event.actor is None else f"by {event.actor.kind}"
    parts = (to_text(event.time), event.kind, event.service, event.severity, event.title, actor)
    return " ".join(part for part in parts if part)


def _missed(truth: Truth, reasons: dict[EventId, Counter[str]]) -> Missed:
    said: Counter[str] = Counter()
    for event_id in (*truth.hazard, *truth.intervention):
        said += reasons.get(event_id, Counter())
    return Missed(
        story=truth.story,
        family=truth.family or "",
        service=truth.service,
        at=to_text(truth.at) or "",
        events=tuple(f"{event_id.source} {event_id.id}" for event_id in (*truth.hazard, *truth.intervention)),
        reasons=tuple(reason for reason, _ in said.most_common(4)),
    )
