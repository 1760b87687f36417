"""The weights of the evidence as one value: features and thresholds, checked; and the probability that they give."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from monitor.core.model.near_miss import Reason
from monitor.core.weighing.features import FEATURES, reason_of

LARGEST_WEIGHT = 20.0
LEAST_SHOWN = 0.15
"""A reason that adds less to the log-odds is not worth a reviewer's second."""


class Weights(msgspec.Struct, frozen=True):
    """`live`, `digest`: the probabilities from which a draft opens in the queue, or in the digest.

    `provenance`: where the numbers come from, in one line.
    """

    weights: dict[str, float]
    live: float = 0.5
    digest: float = 0.4
    provenance: str = ""

    def __post_init__(self) -> None:
        problems = problems_of(self.weights, self.live, self.digest)
        if problems:
            raise ValueError("; ".join(problems))

    def log_odds(self, values: Mapping[str, float]) -> float:
        weights = self.weights
        return sum(weights[name] * value for name, value in values.items())

    def reasons(self, values: Mapping[str, float], details: Mapping[str, str]) -> tuple[Reason, ...]:
        """What speaks for and against, the strongest first; the bias is no reason."""
        found = [
            reason_of(name, value, self.weights[name], details.get(name, ""))
            for name, value in values.items()
            if name != "bias" and value
        ]
        shown = [reason for reason in found if abs(reason.weight) >= LEAST_SHOWN]
        return tuple(sorted(shown, key=lambda reason: (-abs(reason.weight), reason.feature)))


def problems_of(weights: Mapping[str, float], live: float, digest: float) -> list[str]:
    """What is wrong with a set of weights, each in one clause that names the feature."""
    found = [f"{name} is not a feature" for name in weights if name not in FEATURES]
    found += [f"{name} has no weight" for name in FEATURES if name not in weights]
    for name, weight in weights.items():
        feature = FEATURES.get(name)
        if feature is None:
            continue
        if not math.isfinite(weight) or abs(weight) > LARGEST_WEIGHT:
            found.append(f"{name} must be a number between -{LARGEST_WEIGHT:g} and {LARGEST_WEIGHT:g}, not {weight!r}")
        elif weight * feature.direction < 0:
            side = "negative" if feature.direction > 0 else "positive"
            found.append(
                f"{name} may not be {side}: it speaks {'for' if feature.direction > 0 else 'against'} a rescue"
            )
    if not 0 < digest <= live < 1:
        found.append(f"the thresholds must be 0 < digest <= live < 1, not digest {digest!r} and live {live!r}")
    return found


def reasoned(live: float = 0.5, digest: float = 0.4) -> Weights:
    """The weights as reasoned, before any fit."""
    return Weights({name: feature.reasoned for name, feature in FEATURES.items()}, live, digest, "reasoned")


def probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, log_odds))))


def log_odds_of(chance: float) -> float:
    return math.log(chance / (1 - chance))


def likelihood(value: float) -> str:
    """A probability as the word that people read."""
    if value >= 0.9:
        return "very likely"
    if value >= 0.7:
        return "likely"
    if value >= 0.5:
        return "more likely than not"
    return "possible" if value >= 0.25 else "unlikely"
