"""Samples log lines that outsiders can cause at will: one of a kind now and then, with a count of the others."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

EVERY_SECONDS = 10.0
_MOST_KINDS = 256


class _Monotonic(Protocol):
    def monotonic(self) -> float: ...


class Sampler:
    """Remembers when a line of each kind was written last."""

    def __init__(self, clock: _Monotonic, every: float = EVERY_SECONDS) -> None:
        self._clock = clock
        self._every = every
        self._kinds: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, kind: str) -> int | None:
        """How many lines of this kind were left out since the last one; None: leave this one out too."""
        now = self._clock.monotonic()
        known = self._kinds.get(kind)
        if known is not None and now - known[0] < self._every:
            self._kinds[kind] = (known[0], known[1] + 1)
            return None
        self._kinds[kind] = (now, 0)
        self._kinds.move_to_end(kind)
        if len(self._kinds) > _MOST_KINDS:
            self._kinds.popitem(last=False)
        return 0 if known is None else known[1]
