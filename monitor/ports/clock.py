"""The clock, as the parts are given it."""

from __future__ import annotations

from typing import Protocol

from monitor.core.model.events import Instant


class Clock(Protocol):
    """The only thing that knows the present."""

    def now(self) -> Instant: ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back and never jumps."""
        ...
