"""Plots of near misses; with user impact the same plots are incidents."""

from __future__ import annotations

from monitor.lab.year.plots import gap, margin, oops, saved, weird
from monitor.lab.year.plots.plot import Plot

PLOTS: tuple[Plot, ...] = (*oops.PLOTS, *margin.PLOTS, *gap.PLOTS, *weird.PLOTS, *saved.PLOTS)
"""Drawn by their weight."""
