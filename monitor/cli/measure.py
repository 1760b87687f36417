"""`nearmiss measure`: runs the engine over a made-up year and prints what it found and what it asked for nothing.

The figures are a measurement, not a failure; with `--require` they decide the exit status.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from monitor.cli.engine_options import printable, read_rules, read_weights, rules_option, weights_option
from monitor.cli.figures_view import PLAIN, comparison, console, dialect_table, show_calibration
from monitor.cli.main import FAILED
from monitor.core.model.events import Event
from monitor.core.model.rule import Rule
from monitor.core.weighing.weights import Weights
from monitor.decode.canonical import encode
from monitor.lab.baseline import BASELINE, TRIVIAL
from monitor.lab.curve import picture
from monitor.lab.dialects import DIALECTS
from monitor.lab.figures import RunFigures
from monitor.lab.measure import Draw, Measured, StreamRun, Tape, play
from monitor.lab.year.agenda import NoRoom
from monitor.lab.year.organisation import catalogue_mapping
from monitor.lab.year.shape import DAYS_OF_A_YEAR, FEWEST_DAYS, YearShape
from monitor.lab.year.stream import Year
from monitor.packs.language.regex import make_regex

_WIDTH_WITHOUT_TERMINAL = 180


@click.command("measure", short_help="Measure the rules on a synthetic year.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed is another organisation and year.")
@click.option("--days", type=click.IntRange(FEWEST_DAYS, 3_660), default=DAYS_OF_A_YEAR, show_default=True)
@click.option("--services", type=click.IntRange(60, 1_000), default=120, show_default=True)
@click.option(
    "--busy",
    type=click.FloatRange(0.1, 10),
    default=1.0,
    show_default=True,
    help="Events per day, relative; 2 with 150 services gives about 1.3 million a year.",
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
@weights_option
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--examples", type=click.IntRange(0, 10_000), default=3, show_default=True, help="False drafts to show.")
@click.option("--require", is_flag=True, help="Exit 1 if a target is missed.")
@click.option("--dialects", is_flag=True, help="Run the events again as other tools would send them.")
@click.option(
    "--baseline/--no-baseline", default=True, show_default=True, help="Compare with a one-line rule and a random draw."
)
@click.option(
    "--curve",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write precision over recall to this file (SVG).",
)
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the events to this file (JSON Lines), with catalogue and truth next to it.",
)
def command(
    seed: int,
    days: int,
    services: int,
    busy: float,
    near_misses: int | None,
    names: str,
    rules_path: Path | None,
    weights_path: Path | None,
    output: str,
    examples: int,
    require: bool,
    dialects: bool,
    baseline: bool,
    curve: Path | None,
    keep: Path | None,
) -> None:
    """Generate an organisation and what its tools send, with near misses and incidents in it, and measure.

    Targets: recall at least 0.9, precision at least 0.8 at 3 live drafts per team and week, no draft on impact,
    verdict right in at least 0.95, Brier score at most 0.1. Missed targets are listed.
    """
    rules = read_rules(rules_path)
    asked = {"days": days, "services": services, "seed": seed, "busy": busy, "near_misses": near_misses, "names": names}
    shape = msgspec.convert(asked, YearShape)
    try:
        year = Year(shape)
    except NoRoom as error:
        raise click.UsageError(f"{error}; try more --days, more --services or fewer --near-misses") from error
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    played = _play(year, rules, read_weights(weights_path), baseline=baseline, dialects=dialects, keep=keep)
    if keep is not None:
        _keep_truth(keep, year)
    if curve is not None:
        rows = {"engine": played.engine.summary, BASELINE: played.baseline}
        curves = {name: one.curve for name, one in rows.items() if one is not None}
        curve.write_text(picture(f"Precision over recall, seed {seed}, {days} days", curves))
    if output == "json":
        told = {"shape": shape, **msgspec.to_builtins(played), "unmet": played.engine.unmet()}
        click.echo(msgspec.json.encode(told))
    else:
        _print(played, examples, f"{days} days, seed {seed}: {played.events:,} events")
    if unmet := played.engine.unmet():
        for clause in unmet:
            click.echo(f"not reached: {clause}", err=True)
        if require:
            sys.exit(FAILED)


class Played(msgspec.Struct, frozen=True):
    """All that one call measured. `random_draw`: precision and recall."""

    events: int
    engine: Measured
    baseline: RunFigures | None
    random_draw: tuple[float, float] | None
    dialects: dict[str, RunFigures]


def _play(
    year: Year, rules: Sequence[Rule], weights: Weights, *, baseline: bool, dialects: bool, keep: Path | None
) -> Played:
    catalogue = year.organisation.catalogue
    run, draw = StreamRun(rules, catalogue, make_regex, year.story_of, weights), Draw(year.shape.seed)
    trivial = StreamRun((TRIVIAL,), catalogue, make_regex, year.story_of) if baseline else None
    steps: list[Callable[[list[Event]], object]] = [run.step]
    if trivial is not None:
        steps += [trivial.step, draw.step]
    with ExitStack() as stack:
        if keep is not None:
            file = stack.enter_context(keep.open("wb"))
            steps.append(lambda batch: file.writelines(encode(event) + b"\n" for event in batch))
        tape = stack.enter_context(Tape()) if dialects else None
        if tape is not None:
            steps.append(tape.step)
        bar = stack.enter_context(_bar())
        task = bar.add_task("measure", total=year.shape.days)
        events = play(year, steps, lambda day: bar.update(task, completed=day))
        engine = run.end(year.truths)
        spoken = {} if tape is None else {PLAIN: engine.summary, **_in_dialects(tape, year, rules, weights)}
    return Played(
        events=events,
        engine=engine,
        baseline=None if trivial is None else trivial.end(year.truths).summary,
        random_draw=None if trivial is None else draw.end(year.truths, engine.summary.drafts),
        dialects=spoken,
    )


def _in_dialects(tape: Tape, year: Year, rules: Sequence[Rule], weights: Weights) -> dict[str, RunFigures]:
    """One run a dialect over what was recorded; the truth stays what it was."""
    rows = {}
    for dialect in DIALECTS:
        catalogue = dialect.recatalogue(year.organisation.catalogue, frozenset(tape.tools))
        run = StreamRun(rules, catalogue, make_regex, year.story_of, weights)
        for batch in tape.batches():
            run.step(dialect.speak(batch))
        rows[dialect.key] = run.end(year.truths).summary
    return rows


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


def _print(played: Played, examples: int, what: str) -> None:
    measured = played.engine
    out = console(_WIDTH_WITHOUT_TERMINAL)
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
    rows = {"engine": measured.summary} | ({"baseline": played.baseline} if played.baseline is not None else {})
    out.print(comparison(rows))
    if played.random_draw is not None:
        precision, recall = played.random_draw
        out.print(
            f"baseline: {BASELINE}; as many changes drawn at random: recall {recall:.2f}, precision {precision:.2f}"
        )
    if played.dialects:
        out.print(dialect_table(played.dialects, {dialect.key: dialect for dialect in DIALECTS}))


def _print_false(out: Console, measured: Measured, examples: int) -> None:
    for draft in sorted(measured.false_drafts, key=lambda draft: -draft.contradicts)[:examples]:
        where = " ON AN IMPACT" if draft.contradicts else ""
        named = ", ".join(draft.rules)
        out.print(printable(f"false{where}: {draft.probability:.2f} {named} ({draft.mode}): {draft.title}"))
        for told in draft.told:
            out.print(printable(f"    {told.role}: {told.event}  [{told.story or 'every day'}]"))
    if (left := len(measured.false_drafts) - examples) > 0:
        out.print(f"… and {left} more false drafts (--examples shows more)")
