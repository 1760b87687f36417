"""`nearmiss measure`: runs the rules over a made-up year and prints what they found and what they asked for nothing.

Exits with 1 where the figures are not what is asked, so that it can stand in a pipeline.
"""

from __future__ import annotations

import gc
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from monitor.cli.engine_options import printable, read_rules, rules_option
from monitor.cli.main import FAILED
from monitor.core.model.events import Event
from monitor.decode.canonical import encode
from monitor.decode.times import time_as_text
from monitor.lab.measure import LEAST_FOUND, LEAST_PRECISION, MOST_A_WEEK, Measured, run_year
from monitor.lab.year.agenda import NoRoom
from monitor.lab.year.organisation import catalogue_mapping
from monitor.lab.year.shape import DAYS_OF_A_YEAR, Shape
from monitor.lab.year.stream import Year
from monitor.packs.regex import make_regex

_WIDTH_WITHOUT_TERMINAL = 180
_FEWEST_DAYS = 30


@click.command("measure", short_help="Run the rules over a made-up year and judge what comes out.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed is another organisation and year.")
@click.option("--days", type=click.IntRange(_FEWEST_DAYS, 3_660), default=DAYS_OF_A_YEAR, show_default=True)
@click.option("--services", type=click.IntRange(60, 5_000), default=300, show_default=True)
@click.option("--planted", type=click.IntRange(1, 600), help="Near misses to hide in it.  [default: 60 a year]")
@rules_option
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--examples",
    type=click.IntRange(0, 10_000),
    default=3,
    show_default=True,
    help="How many false drafts of each rule the table shows.",
)
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the events there (JSON Lines), with catalogue and truth in files beside it.",
)
def command(
    seed: int,
    days: int,
    services: int,
    planted: int | None,
    rules_path: Path | None,
    output: str,
    examples: int,
    keep: Path | None,
) -> None:
    """Make up an organisation and what its tools would send, hide near misses and incidents in it, and measure.

    Asked are at most 3 live drafts for a team in a week, a precision of at least 0.8, at least 0.9 of the hidden near
    misses found, and no draft on an incident. Exits with 1 where a figure is not reached.
    """
    rules = read_rules(rules_path)
    try:
        year = Year(Shape(days=days, services=services, seed=seed, planted=planted))
    except NoRoom as error:
        raise click.UsageError(f"{error}; try more --days, more --services or fewer --planted") from error
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    with ExitStack() as stack:
        bar = Progress(
            TextColumn("measure"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("day {task.completed} of {task.total}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        stack.enter_context(bar)
        task = bar.add_task("measure", total=days)
        written = stack.enter_context(keep.open("wb")) if keep is not None else None
        measured = run_year(
            year,
            rules,
            make_regex,
            keep=None if written is None else lambda batch: _keep(written, batch),
            progress=lambda day: bar.update(task, completed=day),
        )
    if keep is not None:
        _keep_truth(keep, year)
    if output == "json":
        click.echo(msgspec.json.encode({**msgspec.to_builtins(measured), "unmet": measured.unmet()}))
    else:
        _print(measured, examples)
    if unmet := measured.unmet():
        for clause in unmet:
            click.echo(f"not reached: {clause}", err=True)
        sys.exit(FAILED)


def _keep(file: IO[bytes], batch: list[Event]) -> None:
    file.writelines(encode(event) + b"\n" for event in batch)


def _keep_truth(keep: Path, year: Year) -> None:
    """What really happened, and the catalogue to replay with: JSON, which every reader of YAML can read."""
    catalogue = keep.with_name(f"{keep.name}.catalogue.yaml")
    truth = keep.with_name(f"{keep.name}.truth.json")
    mapping = catalogue_mapping(year.organisation.catalogue)
    catalogue.write_bytes(msgspec.json.format(msgspec.json.encode(mapping), indent=1) + b"\n")
    told = msgspec.json.encode({"planted": year.planted, "incidents": year.harms}, enc_hook=time_as_text)
    truth.write_bytes(msgspec.json.format(told, indent=1) + b"\n")
    click.echo(f"kept {keep}, {catalogue.name} and {truth.name}", err=True)


def _print(measured: Measured, examples: int) -> None:
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=_WIDTH_WITHOUT_TERMINAL)
    _print_false(console, measured, examples)
    _print_missed(console, measured)
    rules = Table("rule", "standing", "of nothing", "withdrawn")
    for rule in measured.rules:
        rules.add_row(printable(rule.rule), str(rule.standing), str(rule.of_nothing), str(rule.withdrawn))
    console.print(rules)
    families = Table("family", "planted", "found")
    for family in measured.families:
        families.add_row(family.family, str(family.planted), str(family.found))
    console.print(families)
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in measured.not_opened.items())
    console.print(f"not opened: {reasons or 'nothing'}")
    console.print(
        f"{measured.days} days, seed {measured.seed}: {measured.events:,} events, {measured.late:,} of them late; "
        f"drafts: {measured.live} live, {measured.digest} in the digest, {measured.withdrawn} withdrawn"
    )
    asked = Table("figure", "asked", "measured")
    asked.add_row("live drafts of a team in a week, most", f"at most {MOST_A_WEEK}", f"{measured.a_week_most}")
    asked.add_row("the same, mean", "", f"{measured.a_week_mean:.3f}")
    asked.add_row(
        "precision",
        f"at least {LEAST_PRECISION}",
        f"{measured.precision:.2f} ({measured.live_true} of {measured.live})",
    )
    asked.add_row(
        "found of what was planted",
        f"at least {LEAST_FOUND}",
        f"{measured.found_share:.2f} ({measured.found} of {measured.planted})",
    )
    asked.add_row("standing drafts on incidents", "0", f"{measured.on_incidents} (of {measured.incidents} incidents)")
    console.print(asked)


def _print_false(console: Console, measured: Measured, examples: int) -> None:
    shown: dict[str, int] = {}
    for draft in measured.false_drafts:
        name = draft.rules[0]
        shown[name] = shown.get(name, 0) + 1
        if shown[name] > examples:
            continue
        where = " ON AN INCIDENT" if draft.incident else ""
        console.print(printable(f"false{where}: {', '.join(draft.rules)} ({draft.mode}): {draft.title}"))
        for told in draft.told:
            console.print(printable(f"    {told.role}: {told.event}  [{told.story or 'feed'}]"))
    left = sum(max(0, count - examples) for count in shown.values())
    if left:
        console.print(f"… and {left} more false drafts (--examples shows more)")


def _print_missed(console: Console, measured: Measured) -> None:
    for missed in measured.missed:
        console.print(f"missed: {missed.pattern} {missed.story} on {missed.service}, {missed.at}")
        for reason in missed.reasons or ("no rule took any of its events for a hazard",):
            console.print(printable(f"    {reason}"))
