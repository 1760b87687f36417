"""Where the events of a command come from: files, or what a database keeps; both as batches, with a bar meanwhile.

Only reads. What is done with the batches is for the command to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import click

from monitor.cli.watching import FilesWatcher, HistoryWatcher
from monitor.core.model.events import Event, Instant, to_instant
from monitor.decode.restate import Restating
from monitor.lab.replay import FUTURE_TOLERANCE, Reading, Source, Summary
from monitor.ops.clock import SystemClock
from monitor.ops.lines import limits_for, read_lines
from monitor.store.connections import Locations
from monitor.store.database import open_for_reading

_BATCH = 2000
EARLIEST = Instant(-(2**62))
LATEST = Instant(2**62)
Take = Callable[[Sequence[Event]], object]


class Moment(click.ParamType[Instant]):
    """A time of an option: a date, or RFC 3339; without an offset it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Instant:
        if isinstance(value, Instant):
            return value
        try:
            try:
                day = date.fromisoformat(value)
                moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
            except ValueError:
                moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; expected a date such as 2026-03-01, or 2026-03-01T12:00:00Z", param, ctx)
        return to_instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def read_files(
    name: str, files: Sequence[str], since: Instant, until: Instant, take: Take, named: set[tuple[str, int]]
) -> Summary:
    """Give the events of files, merged by arrival, batch by batch. Raises click.ClickException, one line.

    `named`: the unreadable lines that were named before; grows.
    """
    if files.count("-") > 1:
        raise click.UsageError("standard input (-) can be given only once")
    whole = since <= EARLIEST and until >= LATEST
    limits = limits_for(len(files))
    with FilesWatcher(name, files, named) as watcher:
        reading = Reading([Source(file, read_lines(file, limits)) for file in files], watcher)
        try:
            for batch in reading.batches():
                take(batch if whole else [event for event in batch if since <= event.time < until])
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'input'}: {error.strerror or error}") from error
    return reading.summary


def read_history(name: str, url: str, since: Instant, until: Instant, take: Take) -> Summary:
    """Give the events that a database keeps with `since` <= time < `until`, in the order in which they happened.

    Raises click.BadParameter for an address that is none, and what `open_for_reading` raises.
    """

    async def read() -> int:
        total = 0
        async with open_for_reading(url) as store:
            span = await store.history.span(since, until)
            if span is None:
                return 0
            batch: list[Event] = []
            restating, clock = Restating(FUTURE_TOLERANCE), SystemClock()

            def give() -> None:
                found = restating.correct(batch, clock.now())
                take([found.get(place, event) for place, event in enumerate(batch)] if found else batch)

            with HistoryWatcher(name, *span) as watcher:
                async for event in store.history.events(since, until):
                    batch.append(event)
                    if len(batch) >= _BATCH:
                        give()
                        total += len(batch)
                        watcher.reached(batch[-1].time, total)
                        batch = []
                give()
            return total + len(batch)

    check_address(url)
    return Summary(asyncio.run(read()), {})


def check_address(url: str) -> None:
    """Raises click.BadParameter for an address that is none."""
    try:
        Locations(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--database") from None
