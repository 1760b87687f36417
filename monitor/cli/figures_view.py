"""Shows figures of drafts on a terminal: one row a run to compare, and calibration in ten bins."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from monitor.lab.dialects import Dialect
from monitor.lab.figures import RunFigures

_BAR = 20
PLAIN = "as they are"
"""The row that dialects are compared with."""


def console(width: int) -> Console:
    """A console that is so wide where there is no terminal: in a file or a pipe."""
    found = Console(markup=False, highlight=False)
    return found if found.is_terminal else Console(markup=False, highlight=False, width=width)


def said(share: float | None, digits: int = 2) -> str:
    return "-" if share is None else f"{share:.{digits}f}"


def show_calibration(out: Console, summary: RunFigures) -> None:
    """What drafts claimed, and how many of them were right."""
    table = Table("claimed", "drafts", "mean claimed", "right", "")
    for one in summary.bins:
        bar = "#" * round(one.right * _BAR)
        name = f"{one.least:.1f} to {one.least + 0.1:.1f}"
        table.add_row(name, str(one.drafts), said(one.claimed), said(one.right), bar)
    out.print(table)


def comparison(rows: Mapping[str, RunFigures], what: str = "run") -> Table:
    """One row a run: its name and the figures that are asked for."""
    table = Table(what, "recall", "precision", "at the budget", "verdict right", "contradictions", "Brier", "drafts")
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


def dialect_table(rows: Mapping[str, RunFigures], dialects: Mapping[str, Dialect]) -> Table:
    """One row a dialect, below the events as they are; what falls too far, or contradicts more, is marked."""
    plain = rows[PLAIN]
    table = Table("events", "recall", "change", "precision", "verdict right", "contradictions", "Brier", "")
    for name, one in rows.items():
        change = (one.recall or 0.0) - (plain.recall or 0.0)
        spoken = dialects.get(name)
        most_fall = None if spoken is None else spoken.most_fall
        marks = ["recall falls"] if most_fall is not None and change < -most_fall else []
        marks += ["more contradictions"] if one.contradictions > plain.contradictions else []
        table.add_row(
            name if spoken is None else f"{name}: {spoken.told}",
            f"{said(one.recall)} ({one.found} of {one.near_misses})",
            "" if spoken is None else f"{change:+.2f}",
            f"{said(one.precision)} ({one.true} of {one.drafts})",
            said(one.verdict_right),
            f"{one.contradictions} (of {one.impacts})",
            said(one.brier, 3),
            ", ".join(marks),
        )
    return table
