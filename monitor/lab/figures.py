"""Figures that say how good drafts are, from plain facts about each: precision, recall, budget, calibration, curve.

Knows neither years nor cases nor the engine: only what a draft claimed and whether it was right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from random import Random

import msgspec

from monitor.core.model.events import Event
from monitor.core.model.near_miss import Draft, Verdict

BINS = 10
BUDGET = 3
"""So many live drafts a team looks at in a week."""

_ON_ITS_WAY = frozenset({"change.merged", "change.started", "change.failed"})


def probability_of(draft: Draft) -> float:
    """How sure the engine is that a draft is a near miss; rules without weights tell their confidence alone."""
    return draft.confidence if draft.probability is None else draft.probability


class Scored(msgspec.Struct, frozen=True):
    """One standing draft: how sure it was, which near misses it cites, and whether it stands on an impact.

    `asked` names the team and the week that it costs a look; `verdict_right` is None where nobody can say.
    """

    id: str
    probability: float
    rank: float
    found: frozenset[str]
    contradicts: bool = False
    verdict: Verdict = "unknown"
    verdict_right: bool | None = None
    asked: tuple[str, int] = ("", 0)

    @property
    def true(self) -> bool:
        return bool(self.found)


class Bin(msgspec.Struct, frozen=True):
    """Drafts that claimed a probability between two tenths: how many, what they claimed, and how many were right."""

    least: float
    drafts: int
    claimed: float
    right: float


class CurvePoint(msgspec.Struct, frozen=True):
    """Precision and recall when only drafts of at least this probability count."""

    probability: float
    precision: float
    recall: float


class RunFigures(msgspec.Struct, frozen=True):
    """The figures of one run. Shares lie between 0 and 1, None where there is nothing to take a share of."""

    drafts: int
    true: int
    near_misses: int
    found: int
    impacts: int
    contradictions: int
    recall: float | None
    precision: float | None
    precision_at_budget: float | None
    asked_most: int
    asked_busiest: tuple[str, int]
    verdict_right: float | None
    brier: float | None
    bins: tuple[Bin, ...]
    curve: tuple[CurvePoint, ...]


def summarise(scored: Sequence[Scored], near_misses: int, impacts: int, found: int) -> RunFigures:
    """`found` counts the near misses that any standing draft cites, in the digest too; `scored` are those of people."""
    right = sum(one.true for one in scored)
    judged = [one.verdict_right for one in scored if one.verdict_right is not None]
    asked = Counter(one.asked for one in scored)
    busiest, most = asked.most_common(1)[0] if asked else (("", 0), 0)
    first = best_of_budget(scored, BUDGET)
    return RunFigures(
        drafts=len(scored),
        true=right,
        near_misses=near_misses,
        found=found,
        impacts=impacts,
        contradictions=sum(one.contradicts for one in scored),
        recall=share(found, near_misses),
        precision=share(right, len(scored)),
        precision_at_budget=share(sum(one.true for one in first), len(first)),
        asked_most=most,
        asked_busiest=busiest,
        verdict_right=share(sum(judged), len(judged)),
        brier=brier(scored),
        bins=reliability(scored),
        curve=curve(scored, near_misses),
    )


def luck(
    changes: Sequence[Hashable], near_misses: Mapping[str, frozenset[Hashable]], count: int, seed: int
) -> tuple[float, float]:
    """Precision and recall of `count` changes drawn blindly, where a hit is a change that ended a near miss."""
    drawn = Random(f"draw {seed}").sample(changes, min(count, len(changes)))  # noqa: S311 - repeatable, not secret
    hits = [story for change in drawn for story, ids in near_misses.items() if change in ids]
    return len(hits) / max(1, len(drawn)), len(set(hits)) / max(1, len(near_misses))


def is_an_act(event: Event) -> bool:
    """Whether the event is a change not made by automation: the population of the random draw."""
    by_machine = event.actor is not None and event.actor.kind == "automation"
    return event.kind.startswith("change.") and event.kind not in _ON_ITS_WAY and not by_machine


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def best_of_budget(scored: Iterable[Scored], budget: int) -> list[Scored]:
    """What a team looks at when it looks at so many drafts a week: the surest ones."""
    taken: Counter[tuple[str, int]] = Counter()
    best = []
    for one in sorted(scored, key=lambda one: (-one.probability, -one.rank, one.id)):
        if taken[one.asked] < budget:
            taken[one.asked] += 1
            best.append(one)
    return best


def brier(scored: Sequence[Scored]) -> float | None:
    """The mean square of what was claimed against what was: 0 is perfect, 0.25 is a coin."""
    if not scored:
        return None
    return sum((one.probability - one.true) ** 2 for one in scored) / len(scored)


def reliability(scored: Sequence[Scored]) -> tuple[Bin, ...]:
    """Ten bins of claimed probability; a bin without drafts is left out."""
    groups: dict[int, list[Scored]] = {}
    for one in scored:
        groups.setdefault(min(BINS - 1, int(one.probability * BINS)), []).append(one)
    return tuple(
        Bin(
            least=place / BINS,
            drafts=len(group),
            claimed=sum(one.probability for one in group) / len(group),
            right=sum(one.true for one in group) / len(group),
        )
        for place, group in sorted(groups.items())
    )


def curve(scored: Sequence[Scored], near_misses: int) -> tuple[CurvePoint, ...]:
    """Precision and recall at each probability that was claimed, the surest first."""
    points: list[CurvePoint] = []
    found: set[str] = set()
    right = 0
    ordered = sorted(scored, key=lambda one: -one.probability)
    for count, one in enumerate(ordered, 1):
        right += one.true
        found |= one.found
        if count == len(ordered) or ordered[count].probability < one.probability:
            points.append(CurvePoint(one.probability, right / count, len(found) / near_misses if near_misses else 0.0))
    return tuple(points)
