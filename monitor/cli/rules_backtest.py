"""`nearmiss rules backtest`: runs rules over a file or over the stored history, and two packs against each other.

Reads what it is given and prints; the lab runs the engines and compares.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import click
import msgspec

from monitor.cli.backtest_view import make_console, print_differences, print_report
from monitor.cli.engine_options import (
    catalogue_option,
    check_names,
    printable,
    read_catalogue,
    read_weights,
    weights_option,
)
from monitor.cli.index_option import IndexOption, replayed
from monitor.cli.main import FAILED, UNREADABLE
from monitor.cli.put_aside import run_without_culprits
from monitor.cli.rules_test import rule_paths
from monitor.cli.streams import EARLIEST, LATEST, Moment, read_files, read_history
from monitor.cli.watching import collect_garbage_rarely, unreadable
from monitor.core.model.events import Event, Instant
from monitor.core.model.faults import Culprit
from monitor.core.model.rule import Rule
from monitor.decode.times import time_as_text
from monitor.lab.backtest import Backtest, BacktestReport, Found
from monitor.lab.backtest_index import BacktestIndex, IndexWriter
from monitor.lab.difference import Difference, differences
from monitor.lab.replay import Summary
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import find_shared_names, load_rules
from monitor.packs.rules.shipped import shipped_rules


@click.command("backtest", short_help="Run rules over past events.")
@rule_paths
@click.option("--events", "files", multiple=True, metavar="FILE",
              type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True),
              help="Events as JSON Lines, also compressed; - reads standard input (repeatable).")  # fmt: skip
@click.option("--database", metavar="URL",
              help="Read the service's history: sqlite:///PATH or postgresql://… Read-only.")  # fmt: skip
@click.option("--since", type=Moment(), metavar="T", help="Only events since this time: a date or RFC 3339 (UTC).")
@click.option("--until", type=Moment(), metavar="T", help="Only events before this time.")
@click.option("--against", "other", type=click.Path(exists=True, path_type=Path), metavar="PATH",
              help="Earlier rules, to compare with those of PATH.")  # fmt: skip
@catalogue_option
@weights_option
@click.option(
    "--rule", "names", multiple=True, metavar="NAME", help=("Show only this rule (repeatable); all rules still run.")
)
@click.option("--index", "index_path", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
              help="Keep the run in FILE; with it, later runs replay only what a changed rule can affect.")  # fmt: skip
@click.option("--examples", type=click.IntRange(min=0), default=3, show_default=True, metavar="N",
              help="Drafts to show per rule and per kind of difference.")  # fmt: skip
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def backtest(
    paths: tuple[Path, ...],
    files: tuple[str, ...],
    database: str | None,
    since: Instant | None,
    until: Instant | None,
    other: Path | None,
    catalogue_paths: tuple[Path, ...],
    weights_path: Path | None,
    names: tuple[str, ...],
    index_path: Path | None,
    examples: int,
    output: str,
) -> None:
    """Run the rules in PATH... over past events, from files or from a database.

    Prints drafts, verdicts and withdrawals per rule, a chart by rule, team (catalogue owner, or the service) and ISO
    week, and examples. Shadow rules show what they would have opened. A database is read in order of event time; the
    service may be running.

    Exits 1 if a rule has an error or the engine failed at an event (which is skipped), 2 for a wrong option or
    catalogue, 3 if there is no event to read.
    """
    _check(files, database, since, until, compared=other is not None, indexed=index_path is not None)
    rules = _read(paths or (shipped_rules(),))
    before_rules = None if other is None else _read((other,))
    check_names(names, {rule.name for rule in (*rules, *(before_rules or ()))})
    catalogue = read_catalogue(catalogue_paths)
    weights = read_weights(weights_path)
    collect_garbage_rarely()
    span = (EARLIEST if since is None else since, LATEST if until is None else until)
    named: set[tuple[str, int]] = set()
    index = IndexOption(index_path, files, span, catalogue, weights)

    def run(aside: Collection[Culprit]) -> tuple[Backtest, Backtest | None, Summary]:
        def prepared(
            tested: Sequence[Rule], found: BacktestIndex | None = None, writer: IndexWriter | None = None
        ) -> Backtest:
            return Backtest(
                tested,
                catalogue,
                make_regex,
                is_compared=before_rules is not None,
                aside=aside,
                weights=weights,
                index=found,
                writer=writer,
            )

        after = index.prepared(rules, lambda found, writer: prepared(rules, found, writer), aside)
        before = None if before_rules is None else prepared(before_rules)

        def take(events: Sequence[Event]) -> None:
            opened = after.step(events)
            if before is not None:
                after.want(before.step(events))
                before.want(opened)

        if database is None:
            summary = read_files("backtest", files, *span, take, named)
        else:
            summary = read_history("backtest", database, *span, take)
        opened = after.end()
        if before is not None:
            after.want(before.end())
            before.want(opened)
        return after, before, summary

    with index:
        (after, before, summary), faults = run_without_culprits(run, files)
    report = after.report()
    changes = None if before is None else _chosen(differences(before, after), frozenset(names))
    if report.events or output == "json":
        _print(report, changes, frozenset(names), examples, output)
    click.echo(_sum_up(summary, report), err=True)
    if after.by_index:
        click.echo("\n".join(replayed(after.by_index, report.events)), err=True)
    if not report.events:
        click.echo("no events; expected one JSON event per line, or a period with events", err=True)
        sys.exit(UNREADABLE)
    if faults:
        sys.exit(FAILED)


def _check(
    files: Sequence[str],
    database: str | None,
    since: Instant | None,
    until: Instant | None,
    *,
    compared: bool,
    indexed: bool,
) -> None:
    """Raises click.UsageError for options that do not go together."""
    if bool(files) == (database is not None):
        raise click.UsageError("give --events FILE or --database URL, not both")
    if since is not None and until is not None and since >= until:
        raise click.UsageError("--since must be before --until")
    if indexed and (compared or not files or "-" in files):
        raise click.UsageError("--index needs --events with files, and no --against")


def _read(paths: Sequence[Path]) -> tuple[Rule, ...]:
    """The rules of several places. Prints every problem, and exits with 1 where one is an error."""
    loaded = [load_rules(path) for path in paths]
    errors = [*(problem for each in loaded for problem in each.errors), *find_shared_names(loaded)]
    for problem in errors:
        click.echo(printable(str(problem)), err=True)
    if errors:
        sys.exit(FAILED)
    return tuple(rule for each in loaded for rule in each.rules)


def _chosen(changes: tuple[Difference, ...], names: frozenset[str]) -> tuple[Difference, ...]:
    if not names:
        return changes
    return tuple(
        change
        for change in changes
        if any(names & set(one.rules) for one in (change.before, change.after) if one is not None)
    )


def _print(
    report: BacktestReport, changes: tuple[Difference, ...] | None, names: frozenset[str], examples: int, output: str
) -> None:
    if output == "json":
        click.echo(msgspec.json.encode(_as_data(report, changes, names)))
        return
    console = make_console()
    print_report(console, report, names, examples if changes is None else 0)
    if changes is not None:
        print_differences(console, changes, examples)


def _as_data(
    report: BacktestReport, changes: tuple[Difference, ...] | None, names: frozenset[str]
) -> dict[str, object]:
    """The published form: times in RFC 3339, everything that was found, also what was withdrawn."""
    data: dict[str, object] = {
        "events": report.events,
        "late": report.late,
        "weeks": list(report.weeks),
        "rules": [msgspec.to_builtins(rule) for rule in report.rules if not names or rule.name in names],
        "teams": msgspec.to_builtins(report.teams),
        "drafts": [_draft(found) for found in report.found if not names or names & set(found.rules)],
    }
    if changes is not None:
        data["differences"] = [
            {
                "kind": change.kind,
                "before": None if change.before is None else _draft(change.before),
                "after": None if change.after is None else _draft(change.after),
                "what": list(change.what),
                "why": change.why,
            }
            for change in changes
        ]
    return data


def _draft(found: Found) -> object:
    return msgspec.to_builtins(found, enc_hook=time_as_text)


def _sum_up(summary: Summary, report: BacktestReport) -> str:
    said = f"{report.events:,} {'event' if report.events == 1 else 'events'}"
    if summary.unread:
        said += f", {unreadable(summary.unread)}"
    modes = [found.mode for found in report.standing]
    said += f"; drafts: {modes.count('live')} to review, {modes.count('digest')} in the digest"
    said += f", {modes.count('shadow')} in shadow"
    return said + (f"; {report.late:,} events came later than the lateness" if report.late else "")
