"""What looks like a near miss and is none: coincidence, routine, plan, and what belongs to an outage."""

from __future__ import annotations

from monitor.lab.year.traps import beside, planned
from monitor.lab.year.traps.trap import Trap

TRAPS: tuple[Trap, ...] = (*beside.TRAPS, *planned.TRAPS)
"""Drawn by their weight."""
