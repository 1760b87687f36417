"""Judges the engine on labelled cases: which near misses it finds, and which drafts it should not have left standing.

Each case runs in an engine of its own. Knows nothing of files, nor of why the engine decided as it did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence

import msgspec

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.conditions import MakeRegex
from monitor.core.model.faults import Culprit, Fault, without_culprits
from monitor.core.model.near_miss import Draft, State
from monitor.core.model.rule import Rule
from monitor.core.weighing.weights import Weights
from monitor.decode.streams import arrival_order
from monitor.lab.cases import Case, Confidence, Label
from monitor.lab.dialects import Dialect, tool_of
from monitor.lab.figures import RunFigures, Scored, is_an_act, luck, probability_of, summarise
from monitor.lab.ledger import DraftEntry, Ledger
from monitor.lab.replay import admitted, without


class CaseResult(msgspec.Struct, frozen=True):
    """What a case came to. All but `id`, `label` and `ok` are counts.

    `hazard_cited` and `intervention_cited` count the events of that part of `expect` that a standing draft cites.
    """

    id: str
    label: Label
    standing: int
    withdrawn: int
    false_drafts: int
    hazard_cited: int
    intervention_cited: int
    ok: bool

    @property
    def found(self) -> bool:
        return self.label == "near_miss" and self.ok

    @property
    def well_cited(self) -> bool:
        """Whether both halves of the story are cited: what was dangerous, and what ended it."""
        return bool(self.hazard_cited and self.intervention_cited)


class Figures(msgspec.Struct, frozen=True):
    """Shares between 0 and 1; None where there is nothing to take a share of."""

    precision: float | None
    recall: float | None
    contradiction_rate: float | None
    well_cited: float | None


class HeldOutFold(msgspec.Struct, frozen=True):
    """Cases that belong together and are held out together: of one organisation, or one family of material.

    `rest` is what may be fitted on before `held_out` is judged.
    """

    name: str
    held_out: tuple[CaseOutcome, ...]
    rest: tuple[CaseOutcome, ...]


class CaseOutcome(msgspec.Struct, frozen=True):
    """A case, its judgement, the drafts behind it, and what the engine failed at and left out."""

    case: Case
    judged: CaseResult
    ledger: Ledger
    faults: tuple[Fault, ...] = ()


def compiled_rules(rules: Sequence[Rule], make_regex: MakeRegex) -> Matcher:
    """Compiled for any number of cases: that takes longer than most of them run."""
    return Matcher(rules, Catalogue(), LastValues(), make_regex)


def run_case(
    case: Case,
    rules: Sequence[Rule],
    make_regex: MakeRegex,
    weights: Weights | None = None,
    compiled: Matcher | None = None,
) -> CaseOutcome:
    """The case in its own engine, from its own catalogue, its events in the order in which they arrived.

    `compiled`: what `compiled_rules` made of the same rules.

    Raises TooManyFaults.
    """
    events = [admitted(event) for event in arrival_order(case.events)]

    how = EngineSettings(weights=weights)

    def run(aside: Collection[Culprit]) -> Ledger:
        engine, ledger = Engine(rules, case.catalogue, make_regex, how, compiled=compiled, aside=aside), Ledger()
        ledger.record(engine.step(without(events, aside)))
        ledger.record(engine.end())
        return ledger

    ledger, faults = without_culprits(run)
    return CaseOutcome(case, judge(case, ledger), ledger, faults)


def judge(case: Case, ledger: Ledger) -> CaseResult:
    """A near miss is found when a standing draft cites what it should; any other standing draft is false."""
    hazard, intervention = frozenset(case.expect.hazard), frozenset(case.expect.intervention)
    standing = [_cites(entry.draft) for entry in ledger.standing()]
    cited = frozenset().union(*standing)
    fitting = sum(bool(ids & (hazard | intervention)) for ids in standing) if case.label == "near_miss" else 0
    false_drafts = len(standing) - fitting
    return CaseResult(
        id=case.id,
        label=case.label,
        standing=len(standing),
        withdrawn=ledger.states()[State.WITHDRAWN],
        false_drafts=false_drafts,
        hazard_cited=len(cited & hazard),
        intervention_cited=len(cited & intervention),
        ok=fitting > 0 if case.label == "near_miss" else false_drafts == 0,
    )


def _cites(draft: Draft) -> frozenset[str]:
    return frozenset(cited.event.id for cited in draft.evidence)


def figures(outcomes: Sequence[CaseOutcome], without: Confidence | None = None) -> Figures:
    """Precision, recall and contradiction rate, leaving out cases whose label has the confidence `without`."""
    judged = [outcome.judged for outcome in outcomes if outcome.case.confidence != without]
    found = sum(one.found for one in judged)
    false_drafts = sum(one.false_drafts for one in judged)
    impact = [one for one in judged if one.label == "impact"]
    return Figures(
        precision=_share(found, found + false_drafts),
        recall=_share(found, sum(one.label == "near_miss" for one in judged)),
        contradiction_rate=_share(sum(one.standing > 0 for one in impact), len(impact)),
        well_cited=_share(sum(one.found and one.well_cited for one in judged), found),
    )


def score(outcomes: Sequence[CaseOutcome]) -> list[Scored]:
    """Each standing draft of each case: how sure it was, and whether it was right. A case is a team of its own."""
    return [_score(outcome, entry) for outcome in outcomes for entry in outcome.ledger.standing()]


def _score(outcome: CaseOutcome, entry: DraftEntry) -> Scored:
    case, draft, expect = outcome.case, entry.draft, outcome.case.expect
    right = case.label == "near_miss" and bool(_cites(draft) & {*expect.hazard, *expect.intervention})
    return Scored(
        id=f"{case.id} {draft.id}",
        probability=probability_of(draft),
        rank=draft.rank,
        found=frozenset({case.id}) if right else frozenset(),
        contradicts=case.label == "impact",
        verdict=draft.verdict,
        verdict_right=draft.verdict == expect.verdict if right and expect.verdict is not None else None,
        asked=(case.id, 0),
    )


def summary(outcomes: Sequence[CaseOutcome]) -> RunFigures:
    """The figures of drafts over all cases, in which precision counts drafts; `figures` counts cases."""
    labels = Counter(outcome.case.label for outcome in outcomes)
    found = sum(outcome.judged.found for outcome in outcomes)
    return summarise(score(outcomes), labels["near_miss"], labels["impact"], found)


def blind(outcomes: Sequence[CaseOutcome], seed: int = 1) -> tuple[float, float]:
    """Precision and recall of as many changes drawn blindly from the cases as drafts stand."""
    changes = [(outcome.case.id, event.id) for outcome in outcomes for event in outcome.case.events if is_an_act(event)]
    near: dict[str, frozenset[Hashable]] = {
        outcome.case.id: frozenset((outcome.case.id, event_id) for event_id in outcome.case.expect.intervention)
        for outcome in outcomes
        if outcome.case.label == "near_miss"
    }
    return luck(changes, near, sum(outcome.judged.standing for outcome in outcomes), seed)


def organisation_of(case: Case) -> str:
    """Whose story it is: the first word of the case's id."""
    return case.id.partition("-")[0]


def folds(outcomes: Sequence[CaseOutcome], group: Callable[[CaseOutcome], str]) -> tuple[HeldOutFold, ...]:
    """One fold a group, by name."""
    names = sorted({group(outcome) for outcome in outcomes})
    return tuple(
        HeldOutFold(
            name,
            tuple(outcome for outcome in outcomes if group(outcome) == name),
            tuple(outcome for outcome in outcomes if group(outcome) != name),
        )
        for name in names
    )


def in_dialect(case: Case, dialect: Dialect) -> Case:
    """The same case as other tools would tell it."""
    events = tuple(dialect.speak(list(case.events)))
    return msgspec.structs.replace(
        case, events=events, catalogue=dialect.recatalogue(case.catalogue, frozenset(map(tool_of, events)))
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def report(outcomes: Sequence[CaseOutcome], trivial: Sequence[CaseOutcome] = ()) -> dict[str, object]:
    """The published form: one entry a case, the figures, and the figures without cases of low confidence.

    `trivial`: the same cases as the trivial rule judges them, to compare with; left out where there are none.
    """
    published: dict[str, object] = {
        "cases": [msgspec.to_builtins(outcome.judged) for outcome in outcomes],
        **_both(outcomes),
    }
    if trivial:
        published["trivial_rule"] = _both(trivial)
        published["random_draw"] = dict(zip(("precision", "recall"), blind(outcomes), strict=True))
    return published


def _both(outcomes: Sequence[CaseOutcome]) -> dict[str, object]:
    return {
        **msgspec.to_builtins(figures(outcomes)),
        "without_low_confidence": msgspec.to_builtins(figures(outcomes, without="low")),
    }
