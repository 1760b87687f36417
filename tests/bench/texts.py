"""What hostile texts cost by their length: patterns over a run of what they begin with, and over one twice as long."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

from monitor.chat.slack_replies import said
from monitor.core.deciding.headline import for_people

LENGTH = 800
"""Below the bounds of the patterns, which would hide what grows as the square within them."""
WORK: tuple[tuple[Callable[[str], str], str], ...] = (
    *((for_people, run) for run in (" ", "(", "( ", "@ :")),
    *((said, run) for run in ("<", "<|", "<@", "< ")),
)


def measure(rounds: int = 3) -> float:
    """The highest ratio of all: about 2 where the cost grows as the text does, 4 where it is the square of it."""
    return max(_ratio(work, run, rounds) for work, run in WORK)


def _ratio(work: Callable[[str], str], run: str, rounds: int) -> float:
    short, long = (f"a{(run * length)[:length]}x" for length in (LENGTH, 2 * LENGTH))
    found = [(_cost(work, short), _cost(work, long)) for _ in range(rounds)]
    return min(each[1] for each in found) / max(min(each[0] for each in found), 1e-9)


def _cost(work: Callable[[str], str], text: str) -> float:
    began = process_time()
    for _ in range(20):
        work(text)
    return process_time() - began
