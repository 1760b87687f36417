"""Traps: coincidence, routine, planned work, and aftermath of an outage."""

from __future__ import annotations

from monitor.lab.year.traps import beside, planned
from monitor.lab.year.traps.trap import Trap

TRAPS: tuple[Trap, ...] = (*beside.TRAPS, *planned.TRAPS)
"""Drawn by their weight."""
