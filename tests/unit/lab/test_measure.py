"""The measure of a made-up year: every figure follows from the drafts that stand and from what really happened."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from monitor.core.model.events import Event
from monitor.lab.baseline import TRIVIAL
from monitor.lab.measure import Draw, Measured, StreamRun, play
from monitor.lab.year.shape import YearShape
from monitor.lab.year.stream import Year
from monitor.packs.language.regex import make_regex

SHAPE = YearShape(days=28, near_misses=12, names="one")


@lru_cache(maxsize=1)
def measured() -> tuple[Measured, tuple[float, float], int]:
    year = Year(SHAPE)
    run, draw = StreamRun((TRIVIAL,), year.organisation.catalogue, make_regex, year.story_of), Draw(1)
    events = play(year, [run.step, draw.step])
    return run.end(year.truths), draw.end(year.truths, 50), events


def test_figures_agree_with_each_other() -> None:
    figures, _, _ = measured()
    summary = figures.summary
    live = [draft for draft in figures.false_drafts if draft.mode == "live"]
    assert summary.drafts - summary.true == len(live)
    assert summary.near_misses - summary.found == len(figures.missed)
    assert sum(standing for standing, _ in figures.of_rules.values()) == summary.drafts + figures.digest
    assert sum(plot.stories for plot in figures.plots if plot.label == "near_miss") == summary.near_misses == 12
    assert sum(plot.cited for plot in figures.plots if plot.label == "near_miss") == summary.found
    assert sum(one.drafts for one in summary.bins) == summary.drafts


def test_one_line_finds_something_and_asks_for_a_lot() -> None:
    figures, _, _ = measured()
    assert figures.summary.found >= 3
    assert (figures.summary.precision or 0) < 0.5
    assert figures.summary.curve[-1].recall <= 1


def test_luck_finds_nearly_nothing() -> None:
    _, (precision, recall), _ = measured()
    assert precision < 0.1
    assert recall < 0.3


def test_a_false_draft_says_from_which_story_it_was_made() -> None:
    figures, _, _ = measured()
    for draft in figures.false_drafts:
        assert draft.told
        assert not any(told.story.startswith("near miss") for told in draft.told)


def test_what_is_not_reached_is_named() -> None:
    figures, _, _ = measured()
    good = msgspec.structs.replace(
        figures.summary, precision_at_budget=0.8, recall=0.9, contradictions=0, verdict_right=0.95, brier=0.1
    )
    bad = msgspec.structs.replace(
        good, precision_at_budget=0.79, recall=0.89, contradictions=1, verdict_right=0.94, brier=0.11
    )
    assert msgspec.structs.replace(figures, summary=good).unmet() == []
    assert len(msgspec.structs.replace(figures, summary=bad).unmet()) == 5


def test_without_rules_nothing_is_found_and_nothing_asked() -> None:
    kept: list[Event] = []
    year = Year(YearShape(days=14, near_misses=2))
    run = StreamRun((), year.organisation.catalogue, make_regex, year.story_of)
    days: list[int] = []
    events = play(year, [run.step, kept.extend], days.append)
    figures = run.end(year.truths)
    assert (figures.summary.drafts, figures.summary.found) == (0, 0)
    assert events == len(kept)
    assert days[-1] == 13
