"""The patterns of all rules: each is compiled once, and what it said of a short text need not be worked out again.

Knows neither the rules nor the engine of regular expressions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from monitor.core.conditions import MakeRegex

TEXTS_REMEMBERED = 1024
"""For each pattern: names of alerts and subjects come again and again, and to look into one costs thirty look-ups."""
SHORT_TEXT = 200
"""Characters; what is longer is not remembered, so that it fills no memory."""


def remembering(make_regex: MakeRegex) -> MakeRegex:
    """The same patterns and the same answers. Raises what `make_regex` raises."""

    @cache
    def make(pattern: str) -> Callable[[str], bool]:
        search = make_regex(pattern)
        known = lru_cache(maxsize=TEXTS_REMEMBERED)(search)

        def found(text: str) -> bool:
            return known(text) if len(text) <= SHORT_TEXT else search(text)

        return found

    return make
