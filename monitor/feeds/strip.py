"""PURE: a day of a feed as one line of text, and how long it was blind for which reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from monitor.core.model.reasons import FeedStep

CELLS = 96
CLEAR, HURT, BLIND = "=", "!", "."
SEEING = frozenset({FeedStep.CLEAR, FeedStep.HURT})


def strip(states: Sequence[FeedStep], cells: int = CELLS) -> str:
    """Oldest first; a cell shows the worst of its steps: hurt before blind before clear."""
    cells = min(cells, len(states))
    bounds = [place * len(states) // cells for place in range(cells + 1)] if cells else []
    return "".join(_cell(states[start:end]) for start, end in pairwise(bounds))


def _cell(states: Sequence[FeedStep]) -> str:
    if FeedStep.HURT in states:
        return HURT
    return CLEAR if all(state is FeedStep.CLEAR for state in states) else BLIND


def seen(states: Sequence[FeedStep]) -> list[tuple[FeedStep, int]]:
    """How many steps were hurt, and how many clear, unless all were: a cell of a quarter of an hour hides a few."""
    counted = [(state, states.count(state)) for state in (FeedStep.HURT, FeedStep.CLEAR)]
    return [(state, steps) for state, steps in counted if steps and (state, steps) != (FeedStep.CLEAR, len(states))]


def blind(states: Sequence[FeedStep]) -> list[tuple[FeedStep, int]]:
    """How many steps each reason took, the most frequent first."""
    found = Counter(state for state in states if state not in SEEING)
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
