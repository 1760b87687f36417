"""The weights as one value: which are refused, which reasons are shown, and what probability they give."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from monitor.core.weighing.features import FEATURES
from monitor.core.weighing.weights import (
    LARGEST_WEIGHT,
    Weights,
    log_odds_of,
    probability,
    problems_of,
    reasoned,
)


def problems(weights: Mapping[str, float] | None = None, live: float = 0.5, digest: float = 0.4) -> list[str]:
    return problems_of({**reasoned().weights, **(weights or {})}, live, digest)


def test_the_reasoned_weights_are_in_order_and_open_from_one_half_on() -> None:
    assert problems() == []
    assert (reasoned().live, reasoned().digest) == (0.5, 0.4)
    assert reasoned().weights == {name: feature.reasoned for name, feature in FEATURES.items()}


def test_every_feature_speaks_for_one_side_and_its_reasoned_weight_is_on_it() -> None:
    sides = {name: (feature.reasoned > 0) - (feature.reasoned < 0) for name, feature in FEATURES.items()}
    assert {name: feature.direction for name, feature in FEATURES.items()} == {**sides, "bias": 0}


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"reversal": 20.0}, None),
        ({"routine": -20.0}, None),
        ({"reversal": 20.5}, "reversal must be a number between -20 and 20, not 20.5"),
        ({"routine": -20.5}, "routine must be a number between -20 and 20, not -20.5"),
        ({"reversal": math.nan}, "reversal must be a number between -20 and 20, not nan"),
        ({"reversal": math.inf}, "reversal must be a number between -20 and 20, not inf"),
        ({"reversal": 0.0}, None),
        ({"reversal": -0.1}, "reversal may not be negative: it speaks for a rescue"),
        ({"routine": 0.1}, "routine may not be positive: it speaks against a rescue"),
        ({"bias": 3.0}, None),
        ({"luck": 1.0}, "luck is not a feature"),
    ],
)
def test_a_weight_is_bounded_and_keeps_the_side_it_speaks_for(weights: dict[str, float], said: str | None) -> None:
    assert problems(weights) == ([] if said is None else [said])
    assert LARGEST_WEIGHT == 20


def test_no_weight_may_be_missing_and_all_problems_are_told_at_once() -> None:
    some = {name: weight for name, weight in reasoned().weights.items() if name != "severity"}
    assert problems_of(some, 0.5, 0.4) == ["severity has no weight"]
    with pytest.raises(ValueError, match=r"severity has no weight; the thresholds must be 0 < digest <= live < 1"):
        Weights(some, live=0.3, digest=0.4)


@pytest.mark.parametrize(
    ("live", "digest", "is_good"),
    [(0.5, 0.5, True), (0.49, 0.5, False), (0.99, 0.01, True), (1.0, 0.5, False), (0.5, 0.0, False)],
)
def test_the_digest_opens_no_later_than_the_queue_and_neither_at_the_ends(
    live: float, digest: float, is_good: bool
) -> None:
    assert (problems(live=live, digest=digest) == []) is is_good


def test_what_speaks_is_the_sum_of_values_by_their_weights() -> None:
    weights = reasoned()
    assert weights.log_odds({}) == 0
    assert weights.log_odds({"reversal": 1.0, "routine": 0.5}) == pytest.approx(2.5 - 1.5)


def test_reasons_are_shown_the_strongest_first_and_none_that_says_little() -> None:
    values = {"bias": 1.0, "reversal": 1.0, "routine": 1.0, "severity": 0.1, "note": 0.1, "record": 0.0}
    assert [reason.feature for reason in reasoned().reasons(values, {})] == ["routine", "reversal", "severity"]
    assert [reason.feature for reason in reasoned().reasons({"severity": 0.09, "record": 0.15}, {})] == ["record"]
    alike = {"same_thing": 1.0, "corrective": 1.0, "record": 1.0}
    assert [reason.feature for reason in reasoned().reasons(alike, {})] == ["corrective", "record", "same_thing"]


def test_a_reason_says_its_detail_on_the_side_on_which_it_speaks() -> None:
    (late,) = reasoned().reasons({"recovered": -1.0}, {"recovered": "3 h later"})
    (soon,) = reasoned().reasons({"recovered": 1.0}, {"recovered": "3 min later"})
    assert (late.text, soon.text) == ("it recovered only 3 h later", "it recovered 3 min later")
    assert (late.weight, soon.weight) == (-1.2, 1.2)


def test_a_probability_never_overflows_and_its_log_odds_come_back() -> None:
    assert probability(3) == pytest.approx(0.9526, abs=1e-4)
    assert probability(1e9) == 1.0
    assert 0 < probability(-1e9) == probability(-40) < probability(-39)
    assert probability(log_odds_of(0.2)) == pytest.approx(0.2)
    assert log_odds_of(0.5) == 0


@pytest.mark.parametrize(
    ("name", "times"),
    [("recognised", 7.4), ("unrecovered", 0.45), ("called_harmless", 0.3), ("learning", 0.61)],
)
def test_what_no_whole_story_tells_multiplies_the_odds_by(name: str, times: float) -> None:
    """The others' weights show in the log odds of the whole stories."""
    assert math.exp(reasoned().log_odds({name: 1.0})) == pytest.approx(times, abs=0.05)
