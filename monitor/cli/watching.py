"""Shows how far a long run has come: a bar on standard error where that is a terminal, and what could not be read.

Knows nothing of what is run.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from typing import Self

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from monitor.cli.engine_options import printable
from monitor.core.model.events import Instant, to_text
from monitor.ops.lines import Unread, size_of


def collect_garbage_rarely() -> None:
    """Almost everything in such a run lives as long as the run and has no cycles; looking through it costs a third."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def unreadable(counts: Mapping[str, int]) -> str:
    """How many lines could not be read, of `counts` by reason."""
    lines = sum(counts.values())
    return f"{lines:,} unreadable {'line' if lines == 1 else 'lines'}"


class _Bar:
    """A bar that is there on a terminal only."""

    def __init__(self, progress: Progress, name: str, total: float | None) -> None:
        self._bar = progress
        self._task: TaskID | None = None
        if sys.stderr.isatty():
            self._task = self._bar.add_task(name, total=total, events=0, at="")

    def __enter__(self) -> Self:
        if self._task is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._bar.stop()

    def _move(self, completed: float, events: int, at: str = "") -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=completed, events=events, at=at)

    def _say(self, said: str) -> None:
        if self._task is None:
            click.echo(said, err=True)
        else:
            self._bar.console.print(said, markup=False, highlight=False, soft_wrap=True)


class FilesWatcher(_Bar):
    """Watches the reading of files, by their bytes; names unreadable lines as they come.

    `named`: the lines that were named before, when the same files were read; grows.
    """

    def __init__(self, name: str, files: Sequence[str], named: set[tuple[str, int]]) -> None:
        self._named = named
        sizes = [size_of(file) for file in files]
        self._consumed: dict[str, int] = {}
        self._events: dict[str, int] = {}
        columns = (TextColumn(name), BarColumn(), DownloadColumn(), _EVENTS, TimeRemainingColumn())
        progress = Progress(*columns, console=Console(stderr=True), transient=True)
        super().__init__(progress, name, None if None in sizes else sum(size or 0 for size in sizes))

    def progress(self, name: str, consumed: int, events: int) -> None:
        self._consumed[name], self._events[name] = consumed, events
        self._move(sum(self._consumed.values()), sum(self._events.values()))

    def unread(self, name: str, unread: Unread) -> None:
        if (name, unread.number) in self._named:
            return
        if len(self._named) < _MOST_NAMED:
            self._named.add((name, unread.number))
        self._say(printable(f"{name}:{unread.number}: {unread.reason}: {unread.detail}"))


class HistoryWatcher(_Bar):
    """Watches the reading of events between two times, by the time that was reached."""

    def __init__(self, name: str, since: Instant, until: Instant) -> None:
        self._since = since
        columns = (TextColumn(name), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[at]}"), _EVENTS)
        progress = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        super().__init__(progress, name, max(until - since, 1))

    def reached(self, at: Instant, events: int) -> None:
        self._move(at - self._since, events, (to_text(at) or "")[:10])


_MOST_NAMED = 100_000
_EVENTS = TextColumn("{task.fields[events]:,} events")
