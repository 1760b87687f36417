"""`nearmiss measure`: runs the engine over a made-up year and prints what it found and what it asked for nothing.

The figures are a measurement, not a failure; with `--require` they decide the exit status.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from monitor.cli.engine_options import printable, read_rules, rules_option
from monitor.cli.figures_view import comparison, console, show_calibration
from monitor.cli.main import FAILED
from monitor.core.model.events import Event
from monitor.decode.canonical import encode
from monitor.lab.baseline import TRIVIAL
from monitor.lab.curve import picture
from monitor.lab.measure import Draw, Measured, Run, play
from monitor.lab.year.agenda import NoRoom
from monitor.lab.year.organisation import catalogue_mapping
from monitor.lab.year.shape import DAYS_OF_A_YEAR, FEWEST_DAYS, Shape
from monitor.lab.year.stream import Year
from monitor.packs.regex import make_regex

_ONE_LINE = "any alert, note or record, then a human change nearby within a day"


@click.command("measure", short_help="Run the engine over a made-up year and judge what comes out.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed is another organisation and year.")
@click.option("--days", type=click.IntRange(FEWEST_DAYS, 3_660), default=DAYS_OF_A_YEAR, show_default=True)
@click.option("--services", type=click.IntRange(60, 1_000), default=120, show_default=True)
@click.option(
    "--busy",
    type=click.FloatRange(0.1, 10),
    default=1.0,
    show_default=True,
    help="How much happens every day; 3 with 200 services gives about 1.5 million events a year.",
)
@click.option("--near-misses", type=click.IntRange(1, 600), help="Near misses in it.  [default: 60 a year]")
@click.option(
    "--names",
    type=click.Choice(["own", "one"]),
    default="own",
    show_default=True,
    help="Whether each tool has its own name for a service, or all have one.",
)
@rules_option
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--examples", type=click.IntRange(0, 10_000), default=3, show_default=True, help="False drafts to show.")
@click.option("--require", is_flag=True, help="Exit with 1 where a figure is not what is asked.")
@click.option("--baseline/--no-baseline", default=True, show_default=True, help="Compare with one line and with luck.")
@click.option(
    "--curve",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Draw precision over recall there (SVG).",
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
    busy: float,
    near_misses: int | None,
    names: str,
    rules_path: Path | None,
    output: str,
    examples: int,
    require: bool,
    baseline: bool,
    curve: Path | None,
    keep: Path | None,
) -> None:
    """Make up an organisation and what its tools send, with near misses and incidents in it, and measure.

    Asked are a recall of at least 0.9, a precision of at least 0.8 at 3 live drafts a team and week, no draft on an
    impact, a right verdict in at least 0.95 and a Brier score of at most 0.1. What is not reached is named.
    """
    rules = read_rules(rules_path)
    shape = msgspec.convert(
        {
            "days": days,
            "services": services,
            "seed": seed,
            "busy": busy,
            "near_misses": near_misses,
            "names": names,
        },
        Shape,
    )
    try:
        year = Year(shape)
    except NoRoom as error:
        raise click.UsageError(f"{error}; try more --days, more --services or fewer --near-misses") from error
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    catalogue = year.organisation.catalogue
    run, draw = Run(rules, catalogue, make_regex, year.story_of), Draw(seed)
    steps: list[Callable[[list[Event]], object]] = [run.step]
    trivial = Run((TRIVIAL,), catalogue, make_regex, year.story_of) if baseline else None
    if trivial is not None:
        steps += [trivial.step, draw.step]
    with ExitStack() as stack:
        if keep is not None:
            file = stack.enter_context(keep.open("wb"))
            steps.append(lambda batch: file.writelines(encode(event) + b"\n" for event in batch))
        bar = stack.enter_context(_bar())
        task = bar.add_task("measure", total=days)
        events = play(year, steps, lambda day: bar.update(task, completed=day))
    measured = run.end(year.truths)
    one_line = None if trivial is None else trivial.end(year.truths)
    luck = None if trivial is None else draw.end(year.truths, measured.summary.drafts)
    if keep is not None:
        _keep_truth(keep, year)
    if curve is not None:
        curves = {"engine": measured.summary.curve}
        if one_line is not None:
            curves[_ONE_LINE] = one_line.summary.curve
        curve.write_text(picture(f"Precision over recall, seed {seed}, {days} days", curves))
    if output == "json":
        told = {
            "shape": shape,
            "events": events,
            **msgspec.to_builtins(measured),
            "unmet": measured.unmet(),
            "one_line": None if one_line is None else one_line.summary,
            "luck": luck,
        }
        click.echo(msgspec.json.encode(told))
    else:
        _print(measured, one_line, luck, examples, f"{days} days, seed {seed}: {events:,} events")
    if unmet := measured.unmet():
        for clause in unmet:
            click.echo(f"not reached: {clause}", err=True)
        if require:
            sys.exit(FAILED)


def _bar() -> Progress:
    return Progress(
        TextColumn("measure"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("day {task.completed} of {task.total}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _keep_truth(keep: Path, year: Year) -> None:
    """What really happened, and the catalogue to replay with: JSON, which every reader of YAML can read."""
    catalogue = keep.with_name(f"{keep.name}.catalogue.yaml")
    truth = keep.with_name(f"{keep.name}.truth.jsonl")
    mapping = catalogue_mapping(year.organisation.catalogue)
    catalogue.write_bytes(msgspec.json.format(msgspec.json.encode(mapping), indent=1) + b"\n")
    truth.write_bytes(b"".join(one.line() + b"\n" for one in sorted(year.truths, key=lambda one: one.at)))
    click.echo(f"kept {keep}, {catalogue.name} and {truth.name}", err=True)


def _print(
    measured: Measured, one_line: Measured | None, luck: tuple[float, float] | None, examples: int, what: str
) -> None:
    out = console()
    _print_false(out, measured, examples)
    for missed in measured.missed:
        out.print(printable(f"missed: {missed.story} on {missed.service}, {missed.at}"))
        for reason in missed.reasons or ("nothing took any of its events for a sign",):
            out.print(printable(f"    {reason}"))
    named = Table("named by", "standing", "of nothing")
    for name, (standing, of_nothing) in measured.of_rules.items():
        named.add_row(printable(name), str(standing), str(of_nothing))
    out.print(named)
    plots = Table("what happened", "as", "stories", "with a standing draft")
    for plot in measured.plots:
        plots.add_row(plot.plot, plot.label, str(plot.stories), str(plot.cited))
    out.print(plots)
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in measured.not_opened.items())
    out.print(f"not opened: {reasons or 'nothing'}")
    out.print(
        f"{what}, {measured.late:,} of them late; drafts: {measured.summary.drafts} live, {measured.digest} in the "
        f"digest ({measured.digest_true} true), {measured.withdrawn} withdrawn; "
        f"at most {measured.summary.asked_most} a team and week"
    )
    show_calibration(out, measured.summary)
    rows = {"engine": measured.summary}
    if one_line is not None:
        rows["one line"] = one_line.summary
    out.print(comparison(rows))
    if luck is not None:
        out.print(
            f"one line: {_ONE_LINE}. As many changes drawn blindly: recall {luck[1]:.2f}, precision {luck[0]:.2f}"
        )


def _print_false(out: Console, measured: Measured, examples: int) -> None:
    for draft in sorted(measured.false_drafts, key=lambda draft: -draft.contradicts)[:examples]:
        where = " ON AN IMPACT" if draft.contradicts else ""
        named = ", ".join(draft.rules)
        out.print(printable(f"false{where}: {draft.probability:.2f} {named} ({draft.mode}): {draft.title}"))
        for told in draft.told:
            out.print(printable(f"    {told.role}: {told.event}  [{told.story or 'every day'}]"))
    if (left := len(measured.false_drafts) - examples) > 0:
        out.print(f"… and {left} more false drafts (--examples shows more)")
