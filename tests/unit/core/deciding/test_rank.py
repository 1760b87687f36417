"""The rank: what is likely and was close comes first; an exposure is not ranked by the odds of a rescue."""

from __future__ import annotations

from monitor.core.deciding.draft_fields import EVEN_ODDS, rank_of
from tests.support.streams import make_event

HIGH = [make_event("alert.fired", 0, "a", severity="high")]
LOW = [make_event("alert.fired", 0, "a", severity="info")]


def test_of_two_alike_the_likelier_rescue_comes_first() -> None:
    assert rank_of(HIGH, 0, 1.0, False, 0.9) > rank_of(HIGH, 0, 1.0, False, 0.5)


def test_a_doubtful_grave_one_may_stand_behind_a_sure_mild_one() -> None:
    assert rank_of(LOW, 0, 1.0, False, 0.95) > rank_of(HIGH, 0, 1.0, False, 0.4)


def test_what_was_not_weighed_has_even_odds_and_an_exposure_no_less() -> None:
    assert rank_of(HIGH, 0, 1.0, False) == rank_of(HIGH, 0, 1.0, False, EVEN_ODDS)
    assert rank_of(HIGH, 0, 1.0, False, 0.1, exposure=True) == rank_of(HIGH, 0, 1.0, False, EVEN_ODDS)


def test_doubtful_evidence_lowers_it() -> None:
    assert rank_of(HIGH, 0, 0.5, False, 0.9) < rank_of(HIGH, 0, 1.0, False, 0.9)


def test_the_fourth_repeat_adds_nothing() -> None:
    ranks = [rank_of(HIGH, repeats, 1.0, False, 1.0) for repeats in range(5)]
    assert ranks == [4.0, 5.5, 7.0, 8.5, 8.5]


def test_a_catch_all_is_one_less_than_a_rule_of_its_own() -> None:
    assert rank_of(HIGH, 0, 1.0, False, 1.0) - rank_of(HIGH, 0, 1.0, True, 1.0) == 1


def test_closeness_to_the_limit_adds_at_most_two() -> None:
    shares = [make_event("alert.fired", 0, "a", severity="high", value=value, limit=10.0) for value in (5, 10, 20, 50)]
    assert [rank_of([each], 0, 1.0, False, 1.0) for each in shares] == [4.5, 5.0, 6.0, 6.0]


def test_the_rank_is_severity_closeness_repeats_and_a_rule_of_its_own() -> None:
    """High counts 3 and unknown severity 2; without a limit nothing is close; a rule of its own adds 1."""
    unknown = [make_event("alert.fired", 0, "a")]
    assert rank_of(HIGH, 0, 1.0, True, 1.0) == 3.0
    assert rank_of(unknown, 0, 1.0, True, 1.0) == 2.0
    assert rank_of([], 0, 1.0, True, 1.0) == 2.0
    assert rank_of(HIGH, 2, 0.5, False, 0.8) == round((3 + 3.0 + 1) * 0.5 * 0.8, 3)
