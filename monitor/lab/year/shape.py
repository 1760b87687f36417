"""How large a made-up stretch of time is, and how many true stories lie in it. Values only."""

from __future__ import annotations

import msgspec

DAYS_OF_A_YEAR = 365
PLANTED_A_YEAR = 60
HARMS_A_YEAR = 25


class Shape(msgspec.Struct, frozen=True):
    """`planted` and `harms` default to their rate in a year; shares are of all events that could suffer so."""

    days: int = DAYS_OF_A_YEAR
    services: int = 300
    seed: int = 1
    planted: int | None = None
    harms: int | None = None
    disordered: float = 0.03
    late: float = 0.003
    lost: float = 0.004
    copied: float = 0.01

    @property
    def near_misses(self) -> int:
        return self._of_a_year(PLANTED_A_YEAR) if self.planted is None else self.planted

    @property
    def incidents(self) -> int:
        return self._of_a_year(HARMS_A_YEAR) if self.harms is None else self.harms

    def _of_a_year(self, count: int) -> int:
        return max(1, round(count * self.days / DAYS_OF_A_YEAR))
