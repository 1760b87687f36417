"""`nearmiss evaluate`: runs a directory of labelled cases and prints how well the rules do.

The figures are a measurement, not a failure; the exit status tells only whether every case could be run.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from monitor.cli.case_files import find_case_files, load_case
from monitor.cli.engine_options import printable, read_rules, rules_option
from monitor.cli.main import FAILED
from monitor.cli.put_aside import told
from monitor.core.model.faults import TooManyFaults
from monitor.lab.baseline import TRIVIAL
from monitor.lab.evaluate import Figures, Outcome, figures, report, run_case
from monitor.packs.regex import make_regex

_WIDTH_WITHOUT_TERMINAL = 160


@click.command("evaluate", short_help="Run labelled cases and print precision, recall and contradictions.")
@click.argument(
    "directories",
    metavar="DIR…",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@rules_option
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(directories: tuple[Path, ...], rules_path: Path | None, output: str) -> None:
    """Run every case file in each DIR, each in its own engine from its own catalogue.

    Exits 0 whatever the figures are, and 1 when there is no case file or one could not be used (the others are still
    judged).
    """
    rules = read_rules(rules_path)
    found = {directory: find_case_files(directory) for directory in directories}
    paths = [path for each in found.values() for path in each]
    for directory in (directory for directory, each in found.items() if not each):
        click.echo(
            f"{directory}: no case files in it; expected *.yaml with a story and its label (docs/how-to/replay.md)",
            err=True,
        )
    outcomes, trivial, broken = [], [], 0
    errors = Console(stderr=True)
    for path in track(paths, "evaluate", console=errors, transient=True, disable=not errors.is_terminal):
        loaded = load_case(path)
        for problem in loaded.problems:
            click.echo(printable(str(problem)), err=True)
        if loaded.case is None:
            broken += 1
            continue
        try:
            outcome = run_case(loaded.case, rules, make_regex)
            trivial.append(run_case(loaded.case, (TRIVIAL,), make_regex))
        except TooManyFaults as error:
            click.echo(f"{path}: {printable(str(error))}", err=True)
            broken += 1
            continue
        outcomes.append(outcome)
        for fault in outcome.faults:
            told(fault, f"{path}: ")
        broken += bool(outcome.faults)
    if output == "json":
        click.echo(msgspec.json.encode(report(outcomes, trivial)))
    elif paths:
        _print_table(outcomes, trivial)
    if not all(found.values()):
        sys.exit(FAILED)
    if broken:
        click.echo(f"{broken} of {len(paths)} case files could not be used, or not whole", err=True)
        sys.exit(FAILED)


def _print_table(outcomes: list[Outcome], trivial: list[Outcome]) -> None:
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=_WIDTH_WITHOUT_TERMINAL)
    # Only the case gives way where the terminal is narrow.
    table = Table("case")
    for column in ("standing", "withdrawn", "false"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("ok", no_wrap=True)
    for outcome in outcomes:
        judged = outcome.judged
        counts = (str(judged.standing), str(judged.withdrawn), str(judged.false_drafts))
        table.add_row(_told(outcome), *counts, "yes" if judged.ok else "NO")
    console.print(table)
    for name, without in (("all cases", None), ("without labels of low confidence", "low")):
        console.print(f"{name}: {_say(figures(outcomes, 'low' if without else None))}")
    console.print("to compare, any alert, note or incident, then a change by a person nearby within a day:")
    for name, without in (("all cases", None), ("without labels of low confidence", "low")):
        console.print(f"    {name}: {_say(figures(trivial, 'low' if without else None))}")
    right = Counter(outcome.judged.label for outcome in outcomes if outcome.judged.ok)
    total = Counter(outcome.judged.label for outcome in outcomes)
    console.print("ok: " + ", ".join(f"{label} {right[label]} of {total[label]}" for label in sorted(total)))


def _told(outcome: Outcome) -> Text:
    """The name of a case, and below it: its label, what was cited of hazard and intervention, what was not opened."""
    judged, expect = outcome.judged, outcome.case.expect
    facts = [judged.label + ("" if outcome.case.confidence != "low" else " (low)")]
    if judged.label == "near_miss":
        cited = f"cited {judged.hazard_cited}/{len(expect.hazard)}"
        cited += f" + {judged.intervention_cited}/{len(expect.intervention)}"
        facts.append(cited + (", well" if judged.well_cited else ""))
    if reasons := ", ".join(f"{reason} {count}" for reason, count in _frequent(outcome)):
        facts.append(f"not opened: {reasons}")
    return Text(printable(judged.id), overflow="fold").append(f"\n{' · '.join(facts)}", style="dim")


def _frequent(outcome: Outcome) -> list[tuple[str, int]]:
    counts = outcome.ledger.not_opened
    return sorted(((str(reason), count) for reason, count in counts.items()), key=lambda item: (-item[1], item[0]))


def _say(found: Figures) -> str:
    shares = (
        ("precision", found.precision),
        ("recall", found.recall),
        ("contradictions", found.contradiction_rate),
        ("well cited", found.well_cited),
    )
    return ", ".join(f"{name} {'-' if share is None else f'{share:.2f}'}" for name, share in shares)
