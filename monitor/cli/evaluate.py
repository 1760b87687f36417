"""`nearmiss evaluate`: runs a directory of labelled cases and prints how well the rules do.

The figures are a measurement, not a failure; the exit status tells only whether every case could be run.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from monitor.cli.case_files import find_case_files, load_case
from monitor.cli.engine_options import printable, read_rules, read_weights, rules_option, weights_option
from monitor.cli.figures_view import PLAIN, comparison, console, dialect_table, show_calibration
from monitor.cli.main import FAILED
from monitor.cli.put_aside import told as tell_fault
from monitor.core.model.faults import TooManyFaults
from monitor.core.model.rule import Rule
from monitor.core.weighing.weights import Weights
from monitor.lab.baseline import BASELINE, TRIVIAL
from monitor.lab.cases import Case
from monitor.lab.curve import picture
from monitor.lab.dialects import DIALECTS
from monitor.lab.evaluate import (
    CaseOutcome,
    Figures,
    HeldOutFold,
    blind,
    compiled_rules,
    figures,
    in_dialect,
    organisation_of,
    report,
    run_case,
    summary,
)
from monitor.lab.evaluate import folds as make_folds
from monitor.lab.figures import RunFigures
from monitor.packs.language.regex import make_regex

_WIDTH_WITHOUT_TERMINAL = 180


@click.command("evaluate", short_help="Run labelled cases; print precision, recall and contradictions.")
@click.argument(
    "directories",
    metavar="DIR…",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@rules_option
@weights_option
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--dialects", is_flag=True, help="Judge the cases again as other organisations' tools would tell them.")
@click.option(
    "--folds",
    type=click.Choice(["organisation", "directory"]),
    help="Figures for each organisation (the first word of a case's id), or for each DIR.",
)
@click.option(
    "--curve",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write precision over recall to this file (SVG).",
)
def command(
    directories: tuple[Path, ...],
    rules_path: Path | None,
    weights_path: Path | None,
    output: str,
    dialects: bool,
    folds: str | None,
    curve: Path | None,
) -> None:
    """Run every case file in each DIR, each in its own engine from its own catalogue.

    Exits 0 for any figures, 1 if there is no case file or one is invalid (the others still run).
    """
    rules = read_rules(rules_path)
    weights = read_weights(weights_path)
    found = {directory: find_case_files(directory) for directory in directories}
    paths = [path for each in found.values() for path in each]
    for directory in (directory for directory, each in found.items() if not each):
        click.echo(
            f"{directory}: no case files in it; expected *.yaml with a story and its label (docs/how-to/replay.md)",
            err=True,
        )
    cases = _load(paths)
    outcomes, trivial = _judged(cases, rules, weights)
    spoken = _in_dialects(cases, outcomes, rules, weights) if dialects else {}
    directory_of = {case.id: str(path.parent) for path, case in cases}
    grouped = () if folds is None else _grouped(outcomes, folds, directory_of)
    if curve is not None:
        curves = {"engine": summary(outcomes).curve, BASELINE: summary(trivial).curve}
        curve.write_text(picture(f"Precision over recall, {len(outcomes)} cases", curves))
    if output == "json":
        told = report(outcomes, trivial) | {"drafts": summary(outcomes)}
        if dialects:
            told["dialects"] = spoken
        if folds is not None:
            told["folds"] = {fold.name: summary(fold.held_out) for fold in grouped}
        click.echo(msgspec.json.encode(told))
    elif paths:
        out = console(_WIDTH_WITHOUT_TERMINAL)
        _print_table(out, outcomes, trivial)
        _print_more(out, outcomes, trivial, spoken, grouped)
    if not all(found.values()):
        sys.exit(FAILED)
    if broken := len(paths) - sum(not outcome.faults for outcome in outcomes):
        click.echo(f"{broken} of {len(paths)} case files could not be used, or not whole", err=True)
        sys.exit(FAILED)


def _load(paths: list[Path]) -> list[tuple[Path, Case]]:
    """The cases that can be used; what is wrong with the others is said."""
    cases = []
    for path in paths:
        loaded = load_case(path)
        for problem in loaded.problems:
            click.echo(printable(str(problem)), err=True)
        if loaded.case is not None:
            cases.append((path, loaded.case))
    return cases


def _judged(
    cases: list[tuple[Path, Case]], rules: Sequence[Rule], weights: Weights
) -> tuple[list[CaseOutcome], list[CaseOutcome]]:
    """Each case by these rules and by the baseline; one at which the engine fails too often is named and left out."""
    outcomes, trivial = [], []
    compiled = compiled_rules(rules, make_regex)
    for path, case in _watched(cases, "evaluate"):
        try:
            outcome = run_case(case, rules, make_regex, weights, compiled)
            trivial.append(run_case(case, (TRIVIAL,), make_regex))
        except TooManyFaults as error:
            click.echo(f"{path}: {printable(str(error))}", err=True)
            continue
        outcomes.append(outcome)
        for fault in outcome.faults:
            tell_fault(fault, f"{path}: ")
    return outcomes, trivial


def _watched(cases: list[tuple[Path, Case]], what: str) -> Iterable[tuple[Path, Case]]:
    errors = Console(stderr=True)
    return track(cases, what, console=errors, transient=True, disable=not errors.is_terminal)


def _in_dialects(
    cases: list[tuple[Path, Case]], outcomes: list[CaseOutcome], rules: Sequence[Rule], weights: Weights
) -> dict[str, RunFigures]:
    rows = {PLAIN: summary(outcomes)}
    compiled = compiled_rules(rules, make_regex)
    for dialect in DIALECTS:
        watched = _watched(cases, dialect.key)
        rows[dialect.key] = summary(
            [run_case(in_dialect(case, dialect), rules, make_regex, weights, compiled) for _, case in watched]
        )
    return rows


def _grouped(outcomes: list[CaseOutcome], by: str, directory_of: dict[str, str]) -> tuple[HeldOutFold, ...]:
    if by == "organisation":
        return make_folds(outcomes, lambda outcome: organisation_of(outcome.case))
    return make_folds(outcomes, lambda outcome: directory_of[outcome.case.id])


def _print_more(
    out: Console,
    outcomes: list[CaseOutcome],
    trivial: list[CaseOutcome],
    spoken: dict[str, RunFigures],
    grouped: tuple[HeldOutFold, ...],
) -> None:
    show_calibration(out, summary(outcomes))
    out.print(comparison({"engine": summary(outcomes), "baseline": summary(trivial)}))
    precision, recall = blind(outcomes)
    out.print(f"as many changes drawn at random: recall {recall:.2f}, precision {precision:.2f}")
    if grouped:
        out.print(comparison({fold.name: summary(fold.held_out) for fold in grouped}, "held out"))
    if spoken:
        out.print(dialect_table(spoken, {dialect.key: dialect for dialect in DIALECTS}))


def _print_table(out: Console, outcomes: list[CaseOutcome], trivial: list[CaseOutcome]) -> None:
    # Only the case gives way where the terminal is narrow.
    table = Table("case")
    for column in ("standing", "withdrawn", "false"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("ok", no_wrap=True)
    for outcome in outcomes:
        judged = outcome.judged
        counts = (str(judged.standing), str(judged.withdrawn), str(judged.false_drafts))
        table.add_row(_told(outcome), *counts, "yes" if judged.ok else "NO")
    out.print(table)
    for name, without in (("all cases", None), ("without low-confidence labels", "low")):
        out.print(f"{name}: {_say(figures(outcomes, 'low' if without else None))}")
    out.print("baseline: any alert, note or incident, then a human change nearby within a day:")
    for name, without in (("all cases", None), ("without low-confidence labels", "low")):
        out.print(f"    {name}: {_say(figures(trivial, 'low' if without else None))}")
    right = Counter(outcome.judged.label for outcome in outcomes if outcome.judged.ok)
    total = Counter(outcome.judged.label for outcome in outcomes)
    out.print("ok: " + ", ".join(f"{label} {right[label]} of {total[label]}" for label in sorted(total)))


def _told(outcome: CaseOutcome) -> Text:
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


def _frequent(outcome: CaseOutcome) -> list[tuple[str, int]]:
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
