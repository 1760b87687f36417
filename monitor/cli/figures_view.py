"""Shows figures of drafts on a terminal: one row a run to compare, and calibration in ten bins."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from monitor.lab.figures import Summary

WIDTH_WITHOUT_TERMINAL = 180
_BAR = 20


def console() -> Console:
    """A console that is wide where nobody looks: in a file or a pipe."""
    found = Console(markup=False, highlight=False)
    return found if found.is_terminal else Console(markup=False, highlight=False, width=WIDTH_WITHOUT_TERMINAL)


def said(share: float | None, digits: int = 2) -> str:
    return "-" if share is None else f"{share:.{digits}f}"


def show_calibration(out: Console, summary: Summary) -> None:
    """What drafts claimed, and how many of them were right."""
    table = Table("claimed", "drafts", "mean claimed", "right", "")
    for one in summary.bins:
        bar = "#" * round(one.right * _BAR)
        name = f"{one.least:.1f} to {one.least + 0.1:.1f}"
        table.add_row(name, str(one.drafts), said(one.claimed), said(one.right), bar)
    out.print(table)


def comparison(rows: Mapping[str, Summary]) -> Table:
    """One row a run: its name and the figures that are asked for."""
    table = Table("run", "recall", "precision", "at the budget", "verdict right", "contradictions", "Brier", "drafts")
    for name, one in rows.items():
        table.add_row(
            name,
            f"{said(one.recall)} ({one.found} of {one.near_misses})",
            f"{said(one.precision)} ({one.true} of {one.drafts})",
            said(one.precision_at_budget),
            said(one.verdict_right),
            f"{one.contradictions} (of {one.impacts})",
            said(one.brier, 3),
            str(one.drafts),
        )
    return table
