"""PURE: the last day of a feed as a short text, kept beside its cursor so that a page can draw it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from monitor.core.model.reasons import FeedStep

_LETTERS: dict[FeedStep, str] = {
    FeedStep.CLEAR: "c",
    FeedStep.HURT: "h",
    FeedStep.NO_DATA: "n",
    FeedStep.NOT_A_NUMBER: "z",
    FeedStep.BELOW_FLOOR: "f",
    FeedStep.TOO_FEW_SAMPLES: "s",
    FeedStep.STALE: "t",
    FeedStep.BETWEEN: "b",
    FeedStep.QUERY_FAILED: "q",
    FeedStep.NO_RULE: "r",
    FeedStep.NOT_EVALUATED: "e",
    FeedStep.NO_WATCHDOG: "w",
    FeedStep.UNTOLD: "u",
}
_STEPS = {letter: step for step, letter in _LETTERS.items()}
_RUN = re.compile(r"([a-z])(\d{1,6})", re.ASCII)


def read(text: str, most: int) -> list[FeedStep]:
    """The newest `most` steps, oldest first; what is not understood is left out."""
    found: list[FeedStep] = []
    for letter, count in _RUN.findall(text):
        if letter in _STEPS:
            found += [_STEPS[letter]] * min(int(count), most)
    return found[-most:]


def write(steps: Iterable[FeedStep]) -> str:
    """Runs of equal steps, such as `c1380n60`."""
    return "".join(f"{_LETTERS[step]}{len(list(run))}" for step, run in groupby(steps))
