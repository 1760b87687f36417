"""Figures from plain facts about drafts: budget, calibration, Brier, the curve and its picture."""

from __future__ import annotations

import re

import pytest

from monitor.lab.curve import picture
from monitor.lab.figures import CurvePoint, Scored, best_of_budget, brier, curve, reliability, summarise


def one(id: str, probability: float, *found: str, week: int = 0, contradicts: bool = False) -> Scored:
    return Scored(id, probability, 0.0, frozenset(found), contradicts, asked=("team", week))


def test_the_budget_takes_the_surest_of_each_week() -> None:
    drafts = [one("a", 0.2), one("b", 0.9, "x"), one("c", 0.5), one("d", 0.7, "y"), one("e", 0.1, week=1)]
    assert [each.id for each in best_of_budget(drafts, 2)] == ["b", "d", "e"]


def test_the_brier_score_is_the_mean_square_of_claim_against_truth() -> None:
    assert brier([one("a", 1.0, "x"), one("b", 0.5)]) == pytest.approx(0.125)
    assert brier([]) is None


def test_bins_are_tenths_and_certainty_belongs_to_the_last() -> None:
    bins = reliability([one("a", 1.0, "x"), one("b", 0.95), one("c", 0.31)])
    assert [(found.least, found.drafts, found.right) for found in bins] == [(0.3, 1, 0.0), (0.9, 2, 0.5)]
    assert bins[1].claimed == pytest.approx(0.975)


def test_the_curve_has_a_point_for_each_probability_that_was_claimed() -> None:
    drafts = [one("a", 0.9, "x"), one("b", 0.5), one("c", 0.5, "y")]
    assert curve(drafts, 4) == (CurvePoint(0.9, 1.0, 0.25), CurvePoint(0.5, 2 / 3, 0.5))


def test_two_drafts_of_one_near_miss_find_it_once() -> None:
    summary = summarise([one("a", 0.9, "x"), one("b", 0.8, "x")], near_misses=2, impacts=1, found=1)
    assert (summary.precision, summary.recall, summary.true) == (1.0, 0.5, 2)
    assert summary.curve[-1].recall == 0.5


def test_without_drafts_there_is_no_precision_but_a_recall() -> None:
    summary = summarise([], near_misses=2, impacts=0, found=0)
    assert (summary.precision, summary.recall, summary.brier, summary.bins) == (None, 0.0, None, ())


def test_the_picture_is_well_formed_and_names_its_lines() -> None:
    drawn = picture('Precision "over" recall', {"engine": [CurvePoint(0.9, 1.0, 0.5)], "one <line>": []})
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert {"engine", "one &lt;line&gt;", "recall", "precision"} <= set(texts)
    assert drawn.count("<polyline") == 2
    assert drawn.startswith("<svg")
    assert drawn.endswith("</svg>\n")
