"""The index of a backtest on the command line: used where it serves, else written anew; and what was replayed by it.

Knows files and messages; what an index is, the lab says.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Self

import click

from monitor.cli.engine_options import printable
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.faults import Culprit
from monitor.core.model.rule import Rule
from monitor.core.weighing.weights import Weights
from monitor.lab.backtest import Backtest
from monitor.lab.backtest_index import BacktestIndex, IndexUnusable, IndexWriter, key_of
from monitor.lab.changed_rules import ChangedRun

MOST_NAMES = 5
Prepare = Callable[[BacktestIndex | None, IndexWriter | None], Backtest]
"""A backtest by an index, or one that writes one, or neither."""


def hash_of(file: str) -> str:
    """Of the bytes. Raises click.ClickException where they cannot be read."""
    try:
        with Path(file).open("rb") as opened:
            return hashlib.file_digest(opened, "blake2b").hexdigest()
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from error


class IndexOption:
    """What was given with `--index`, if anything was. What is written of an index goes where the run fails."""

    def __init__(
        self, path: Path | None, files: Sequence[str], period: Sequence[int], catalogue: Catalogue, weights: Weights
    ) -> None:
        """Raises click.ClickException where a file of events cannot be read."""
        self._path = path
        self._writer: IndexWriter | None = None
        if path is not None:
            self._key = key_of([*map(hash_of, files), *map(str, period)], catalogue, weights)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if error is not None:
            self._abandon()

    def _abandon(self) -> None:
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None

    def prepared(self, rules: Sequence[Rule], prepare: Prepare, aside: Collection[Culprit]) -> Backtest:
        """A backtest by the index where that serves, else one that writes it. Raises click.ClickException.

        Without what is put `aside` no index is used or written.
        """
        if self._path is None or aside:
            self._abandon()
            return prepare(None, None)
        if self._path.exists():
            try:
                return prepare(BacktestIndex(self._path, self._key), None)
            except IndexUnusable as why:
                click.echo(printable(f"{self._path}: not used, {why}; written again"), err=True)
        try:
            self._writer = IndexWriter(self._path, self._key, rules)
        except (OSError, sqlite3.Error) as error:
            raise click.ClickException(f"{self._path}: cannot be written: {error}") from error
        return prepare(None, self._writer)


def replayed(runs: Sequence[ChangedRun], events: int) -> list[str]:
    """How much was run by an index, a line a run: of the pack, and of the pack with its shadow rules live.

    `events`: of the whole stream.
    """
    shown, *promoted = runs
    lines = [_said("changed", shown.changed, shown, events)]
    lines += [_said("in shadow", run.changed - shown.changed, run, events) for run in promoted]
    return [*lines, "all else is as in the index"]


def _said(what: str, rules: Collection[str], run: ChangedRun, events: int) -> str:
    names = sorted(rules)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    told = f"{what}: " + (", ".join(names[:MOST_NAMES]) + more if names else "no rule")
    if not run.replayed:
        return printable(f"{told}; nothing to replay")
    days = "day" if len(run.days) == 1 else "days"
    share = f"{run.replayed:,} of {events:,} events, every service on {len(run.days):,} {days}"
    return printable(f"{told}; replayed {share}; their reasons are counted there only")
