"""A day as a line of text."""

from __future__ import annotations

from monitor.core.model.reasons import FeedStep
from monitor.feeds.strip import blind, seen, strip

C, H, N, S = FeedStep.CLEAR, FeedStep.HURT, FeedStep.NO_DATA, FeedStep.STALE


def test_a_cell_shows_the_worst_of_its_steps() -> None:
    assert strip([C, C, C, N, N, H, C, C], 4) == "=.!="
    assert strip([C, H], 96) == "=!"
    assert strip([]) == ""


def test_reasons_are_counted_the_most_frequent_first() -> None:
    assert blind([C, N, S, S, H]) == [(S, 2), (N, 1)]


def test_what_a_cell_hides_is_counted() -> None:
    assert seen([N, N, C, H, C]) == [(H, 1), (C, 2)]
    assert seen([C, C]) == []
    assert seen([N]) == []
