"""`nearmiss replay`: plays files of events through the engine and prints the drafts that come out.

Standard output carries the drafts alone; progress, unreadable lines and the summary go to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.cli.engine_options import (
    catalogue_option,
    memory_option,
    printable,
    read_catalogue,
    read_rules,
    read_weights,
    rules_option,
    weights_option,
)
from monitor.cli.main import FAILED, UNREADABLE
from monitor.cli.put_aside import run_without_culprits
from monitor.cli.watching import FilesWatcher, collect_garbage_rarely, unreadable
from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.faults import Culprit
from monitor.core.model.near_miss import State
from monitor.lab.ledger import DraftEntry, Ledger
from monitor.lab.replay import Source, Summary, replay
from monitor.ops.lines import limits_for, read_lines
from monitor.packs.language.regex import make_regex

_WIDTH_WITHOUT_TERMINAL = 160


@click.command("replay", short_help="Replay files of events and print the drafts.")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True),
)
@rules_option
@catalogue_option
@weights_option
@memory_option
@click.option("--format", "output", type=click.Choice(["jsonl", "table"]), default="jsonl", show_default=True)
def command(
    files: tuple[str, ...],
    rules_path: Path | None,
    catalogue_paths: tuple[Path, ...],
    weights_path: Path | None,
    state_bytes: int | None,
    output: str,
) -> None:
    """Play FILE... (JSON Lines of events, plain or gzip, zstd, bz2, xz; - reads standard input) to the end.

    Prints one JSON object for each draft, also for those that were withdrawn, with the reason. Several files are
    merged by the time at which their events arrived. Lines that cannot be read are named on standard error and
    skipped; the exit status is 3 when no line could be read. An event at which the engine fails is named and left out,
    and the exit status is 1.
    """
    if files.count("-") > 1:
        raise click.UsageError("standard input (-) can be given only once")
    rules, catalogue = read_rules(rules_path), read_catalogue(catalogue_paths)
    how = EngineSettings(weights=read_weights(weights_path), state_bytes=state_bytes)
    collect_garbage_rarely()
    limits = limits_for(len(files))
    named: set[tuple[str, int]] = set()

    def play(aside: Collection[Culprit]) -> tuple[Ledger, Summary]:
        engine = Engine(rules, catalogue, make_regex, how, aside=aside)
        with FilesWatcher("replay", files, named) as watcher:
            sources = [Source(file, read_lines(file, limits)) for file in files]
            try:
                return replay(engine, sources, watcher, aside)
            except OSError as error:
                raise click.ClickException(f"{error.filename or 'input'}: {error.strerror or error}") from error

    (ledger, summary), faults = run_without_culprits(play, files)
    _write(ledger, "table" if output == "table" else "jsonl")
    click.echo(sum_up(summary, ledger), err=True)
    if summary.nothing_readable:
        click.echo("nothing could be read; expected one JSON event on each line", err=True)
        sys.exit(UNREADABLE)
    if faults:
        sys.exit(FAILED)


def _write(ledger: Ledger, output: Literal["jsonl", "table"]) -> None:
    if output == "jsonl":
        for entry in ledger.entries():
            click.echo(msgspec.json.encode(entry.line()))
        return
    if not ledger.states():
        click.echo("no drafts")
        return
    # Only the draft gives way where the terminal is narrow: a time or a state in pieces cannot be read.
    table = Table("opened (UTC)", "draft", "verdict", "state", show_lines=True)
    for column in (table.columns[0], *table.columns[2:]):
        column.no_wrap = True
    for entry in ledger.entries():
        opened = str(entry.line()["opened_at"] or "")[:16].replace("T", " ")
        table.add_row(opened, _told(entry), entry.draft.verdict, str(entry.state))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=_WIDTH_WITHOUT_TERMINAL)
    console.print(table)


def _told(entry: DraftEntry) -> Text:
    """The title, and below it what a person asks for next: where, by which rules, how close, and the id."""
    draft = entry.draft
    margin = "" if draft.margin is None else draft.margin.text
    why = f"{entry.state}: {entry.reason}" if entry.reason else ""
    facts = [draft.service or "", ", ".join(draft.rules), margin, why, draft.id]
    told = Text(printable(draft.title), overflow="fold")
    return told.append("\n" + printable(" · ".join(fact for fact in facts if fact)), style="dim")


def sum_up(summary: Summary, ledger: Ledger) -> str:
    states = ledger.states()
    said = f"{summary.events:,} {'event' if summary.events == 1 else 'events'}"
    if summary.unread:
        said += f", {unreadable(summary.unread)} ({_counted(summary.unread)})"
    if summary.left_out:
        said += f", left out by intention: {_counted(summary.left_out)}"
    said += f"; drafts: {states[State.DRAFT]} standing, {states[State.WITHDRAWN]} withdrawn"
    said += f", {states[State.MERGED]} merged" if states[State.MERGED] else ""
    if ledger.late:
        said += f"; {ledger.late:,} events came later than the lateness"
    if ledger.not_opened:
        said += f"; not opened: {_counted({str(reason): n for reason, n in ledger.not_opened.items()})}"
    return said


def _counted(counts: dict[str, int]) -> str:
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count:,}" for name, count in frequent)
