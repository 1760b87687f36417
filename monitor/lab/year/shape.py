"""Parameters of a synthetic year.

Knows nothing of stories.
"""

from __future__ import annotations

from typing import Literal

import msgspec

DAYS_OF_A_YEAR = 365
NEAR_MISSES_A_YEAR = 60
INCIDENTS_A_YEAR = 45
TRAPS_A_YEAR = 260
FEWEST_DAYS = 14

Names = Literal["own", "one"]


class YearShape(msgspec.Struct, frozen=True):
    """The same shape gives the same year.

    `busy` scales the traffic of every day, `names` says whether each tool has its own name for a service or all have
    one; `unsaid` is the share of recoveries that no tool reports.
    """

    days: int = DAYS_OF_A_YEAR
    services: int = 120
    seed: int = 1
    near_misses: int | None = None
    busy: float = 1.0
    names: Names = "own"
    unsaid: float = 0.25
    late: float = 0.004
    lost: float = 0.002
    copied: float = 0.01
    disordered: float = 0.02

    def of_a_year(self, count: int) -> int:
        """So many of a year's `count` fall into these days."""
        return max(1, round(count * self.days / DAYS_OF_A_YEAR))

    @property
    def planted(self) -> int:
        return self.near_misses if self.near_misses is not None else self.of_a_year(NEAR_MISSES_A_YEAR)
