"""The measure of a made-up year: every figure follows from the drafts that stand and from what was planted."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from monitor.core.model.events import Event
from monitor.lab.measure import LEAST_FOUND, LEAST_PRECISION, Measured, run_year
from monitor.lab.year.shape import Shape
from monitor.lab.year.stream import Year
from monitor.packs.loader import load_rules
from monitor.packs.regex import make_regex
from monitor.packs.shipped import shipped_rules

SHAPE = Shape(days=42, planted=20)
RULES = load_rules(shipped_rules()).rules


@lru_cache(maxsize=1)
def measured() -> Measured:
    return run_year(Year(SHAPE), RULES, make_regex)


def test_figures_agree_with_each_other() -> None:
    figures = measured()
    live = [draft for draft in figures.false_drafts if draft.mode == "live"]
    assert figures.live - figures.live_true == len(live)
    assert figures.digest - figures.digest_true == len(figures.false_drafts) - len(live)
    assert figures.planted - figures.found == len(figures.missed)
    assert sum(rule.standing for rule in figures.rules) == figures.live + figures.digest
    assert sum(family.found for family in figures.families) == figures.found
    assert sum(family.planted for family in figures.families) == figures.planted == 20


def test_no_draft_stands_on_an_incident() -> None:
    assert measured().incidents >= 2
    assert measured().on_incidents == 0


def test_a_false_draft_says_from_which_noise_it_was_made() -> None:
    for draft in measured().false_drafts:
        assert draft.told
        assert all(told.story for told in draft.told)


def test_what_is_not_reached_is_named() -> None:
    good = msgspec.structs.replace(
        measured(), precision=LEAST_PRECISION, found_share=LEAST_FOUND, a_week_most=3, on_incidents=0
    )
    assert good.unmet() == []
    bad = msgspec.structs.replace(good, precision=0.5, found_share=0.5, a_week_most=9, on_incidents=1)
    assert len(bad.unmet()) == 4


def test_without_rules_nothing_is_found_and_nothing_asked() -> None:
    kept: list[Event] = []
    figures = run_year(Year(Shape(days=30, planted=2)), (), make_regex, keep=kept.extend)
    assert (figures.live, figures.found, figures.a_week_most) == (0, 0, 0)
    assert figures.events == len(kept)
    assert {reason for missed in figures.missed for reason in missed.reasons} == set()
