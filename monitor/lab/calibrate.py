"""Fits the weights of the evidence to labelled candidates, with strong shrinkage towards the reasoned values.

Signs stay as reasoned. Method: maximum a posteriori of a logistic model with a Gaussian prior at the reasoned weights,
by Newton's method with the signs projected; the option that speaks best for a candidate is chosen anew in each round.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import HOUR, Event, EventId
from monitor.core.resolving.resolver import Resolver
from monitor.core.weighing.features import FEATURES
from monitor.core.weighing.net import Net
from monitor.core.weighing.observed import Observed
from monitor.core.weighing.option import Caught
from monitor.core.weighing.weights import Weights

SETTLE_AFTER = 7 * HOUR
"""A candidate is settled so long after its act: what follows is known by then."""
EVERYTHING = 1e-12
"""A threshold below which nothing falls."""
ROUNDS = 4
STEPS = 25
LONGEST_STEP = 1.0
"""Newton's steps overshoot where the labels are told apart with ease."""
FIXED = frozenset({"recognised"})
"""Features that a stream without rules cannot show: their weights stay as they are."""
FREE_BIAS = 0.05
"""The bias is shrunk so much less than the rest: how rare rescues are differs from stream to stream."""


class SettledAct(msgspec.Struct, frozen=True):
    """An act with the values of each of its options, as known some hours later; `cited`: the signs it would cite."""

    act: EventId
    cited: frozenset[EventId]
    options: tuple[dict[str, float], ...]


class Labelled(msgspec.Struct, frozen=True):
    """A candidate that was a rescue, or was not; `weight` is how much it counts."""

    candidate: SettledAct
    rescue: bool
    weight: float = 1.0


def candidates_of(events: Iterable[Event], catalogue: Catalogue, weights: Weights) -> Iterator[SettledAct]:
    """Every candidate of a stream in event-time order, however unlikely, settled some hours after its act."""
    net = Net(Observed(), catalogue, msgspec.structs.replace(weights, live=EVERYTHING, digest=EVERYTHING))
    waiting: list[tuple[int, Caught]] = []
    evicted_at = 0
    for event in Resolver(catalogue).all(list(events)):
        while waiting and waiting[0][0] <= event.time:
            yield _settled(net, waiting.pop(0)[1])
        waiting += [(event.time + SETTLE_AFTER, caught) for caught in net.observe(event)]
        if event.time - evicted_at > 24 * HOUR:
            net.observed.evict(event.time, catalogue.domain_of)
            evicted_at = event.time
    for _, caught in waiting:
        yield _settled(net, caught)


def _settled(net: Net, caught: Caught) -> SettledAct:
    options = tuple(values for _, values in net.sequel.outcomes(caught))
    net.release([caught.id])
    cited = frozenset(event.event_id for event in caught.cited())
    return SettledAct(caught.act.event_id, cited, options)


def fit(labelled: Sequence[Labelled], prior: Weights, shrinkage: float) -> Weights:
    """The most likely weights given the labels and the prior; `shrinkage`: the prior's precision for each weight."""
    names = list(FEATURES)
    start = [prior.weights[name] for name in names]
    now = list(start)
    precision = [FREE_BIAS if name == "bias" else shrinkage for name in names]
    for _ in range(ROUNDS):
        rows = [_best(one, names, now) for one in labelled if one.candidate.options]
        for _ in range(STEPS):
            step = _newton(rows, now, start, precision)
            moved = max(map(abs, step), default=0.0)
            scale = min(1.0, LONGEST_STEP / moved) if moved else 1.0
            now = [
                _projected(name, value + scale * change) for name, value, change in zip(names, now, step, strict=True)
            ]
            if moved < 1e-4:
                break
    return msgspec.structs.replace(
        prior, weights={name: round(value, 3) for name, value in zip(names, now, strict=True)}
    )


_Row = tuple[list[tuple[int, float]], bool, float]


def _best(one: Labelled, names: Sequence[str], weights: Sequence[float]) -> _Row:
    place = {name: number for number, name in enumerate(names)}
    rows = [[(place[name], value) for name, value in option.items() if value] for option in one.candidate.options]
    best = max(rows, key=lambda row: sum(weights[number] * value for number, value in row))
    return best, one.rescue, one.weight


def _newton(
    rows: Sequence[_Row], now: Sequence[float], start: Sequence[float], precision: Sequence[float]
) -> list[float]:
    size = len(now)
    slope = [-p * (w - s) for p, w, s in zip(precision, now, start, strict=True)]
    bend = [[precision[i] if i == j else 0.0 for j in range(size)] for i in range(size)]
    for row, rescue, weight in rows:
        odds = sum(now[number] * value for number, value in row)
        chance = 1 / (1 + math.exp(-max(-40.0, min(40.0, odds))))
        error, curve = weight * (float(rescue) - chance), weight * chance * (1 - chance)
        for number, value in row:
            slope[number] += error * value
            line = bend[number]
            for other, its in row:
                line[other] += curve * value * its
    return _solved(bend, slope)


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination with pivots; the prior makes the matrix positive definite."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for pivot in range(size):
        best = max(range(pivot, size), key=lambda number: abs(rows[number][pivot]))
        rows[pivot], rows[best] = rows[best], rows[pivot]
        for number in range(pivot + 1, size):
            factor = rows[number][pivot] / rows[pivot][pivot]
            if factor:
                rows[number] = [a - factor * b for a, b in zip(rows[number], rows[pivot], strict=True)]
    solution = [0.0] * size
    for number in range(size - 1, -1, -1):
        rest = sum(rows[number][other] * solution[other] for other in range(number + 1, size))
        solution[number] = (rows[number][size] - rest) / rows[number][number]
    return solution


def _projected(name: str, value: float) -> float:
    """A weight with its reasoned sign: what would turn becomes nothing."""
    direction = FEATURES[name].direction
    return 0.0 if value * direction < 0 else value


def log_odds(candidate: SettledAct, weights: Mapping[str, float]) -> float:
    """The sum of the option that speaks best for it."""
    sums = [sum(weights[name] * value for name, value in option.items()) for option in candidate.options]
    return max(sums, default=-40.0)
