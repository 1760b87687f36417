"""`nearmiss learn`: gives a service that has not begun yet its past, so that habits are known before the first draft.

The history goes into the journal like everything that arrives, so that a replay and a backtest see it too; what began
in it opens nothing. Knows files and the order of steps; what of a repetition counts is the store's to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import click
import msgspec

from monitor.cli.settings_options import with_settings
from monitor.cli.streams import EARLIEST, LATEST, Moment, read_files
from monitor.core.model.events import DAY, SECOND, Event, Instant, to_text
from monitor.core.weighing.habits import LEARNING
from monitor.decode.lookalikes import OURS, reads_like_ours
from monitor.ops.clock import SystemClock
from monitor.pipeline.lease import LeaseSettings
from monitor.ports import Held
from monitor.settings import Settings
from monitor.store.database import Store, open_store

APPENDED = 2_000
"""Events of one append."""


class Learnt(msgspec.Struct):
    """What was imported. `known`: events that the journal had; `behind`: older than what it held before.

    `posing`: left out, since their source looks like one of this program.
    """

    events: int = 0
    known: int = 0
    behind: int = 0
    posing: int = 0
    first: Instant | None = None
    last: Instant | None = None


@click.command("learn", short_help="Import history before the first start.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True,
                type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True))  # fmt: skip
@click.option("--since", type=Moment(), metavar="T", help="Only events since this time: a date or RFC 3339 (UTC).")
@with_settings
def command(files: tuple[str, ...], since: Instant | None, settings: Settings) -> None:
    """Import past events (JSON Lines, also compressed; - reads standard input) before the service starts.

    A month shows how often each alert clears by itself and how often each service changes. What began in it opens no
    draft. Several files are merged by time; giving the same files again continues after an interruption. Exits 1 if
    the service has begun to read, and if there is nothing to import.
    """
    if settings.kafka.is_used:
        raise click.UsageError(
            "with Kafka the journal is a topic; expected kafka.bootstrap to be unset. Write the history into the topic "
            "before the engine's first start, and run `nearmiss rewind --to` with the present time after it"
        )
    with asyncio.Runner() as runner:
        stack = runner.run(_entered(AsyncExitStack()))
        try:
            learnt = _learn(runner, stack, settings.database, files, since)
        finally:
            runner.run(stack.aclose())
    _say(learnt)


async def _entered(stack: AsyncExitStack) -> AsyncExitStack:
    return await stack.__aenter__()


def _learn(
    runner: asyncio.Runner, stack: AsyncExitStack, url: str, files: Sequence[str], since: Instant | None
) -> Learnt:
    store = runner.run(stack.enter_async_context(open_store(url)))
    epochs = runner.run(_own(store))
    learnt = Learnt()
    try:
        held = runner.run(store.history.span())
        newest = None if held is None else held[1]

        def take(events: Sequence[Event]) -> None:
            for start in range(0, len(events), APPENDED):
                runner.run(_append(store, events[start : start + APPENDED], newest, learnt))

        read_files("learn", files, EARLIEST if since is None else since, LATEST, take, set())
        if learnt.last is not None:
            now = SystemClock().now()
            floor = Instant(max(now, learnt.last + SECOND))
            runner.run(store.rewind.rewind({}, floor, now))
    finally:
        runner.run(store.rewind.leave(epochs))
    return learnt


async def _own(store: Store) -> dict[str, int]:
    if await store.topics.positions():
        raise click.ClickException(
            "the service has begun to read: history that arrives now would be late. Import it into a new database, "
            "or let it learn as it goes"
        )
    try:
        return await store.rewind.own(round(LeaseSettings().ttl * SECOND))
    except Held as error:
        raise click.ClickException(
            f"a service is at work ({error.owner or 'on this machine'}); stop it first"
        ) from None


async def _append(store: Store, events: Sequence[Event], newest: Instant | None, learnt: Learnt) -> None:
    """What the journal held before the start stays in front: of what is older only the known can be there."""
    behind = [event for event in events if newest is not None and event.time < newest]
    # What this program wrote itself is history too; what only looks like it is not.
    posing = [event for event in events if reads_like_ours(event.source) and event.source.partition("/")[0] != OURS]
    out = {event.event_id for event in (*behind, *posing)}
    appended = await store.journal.append([event for event in events if event.event_id not in out])
    learnt.events += appended.accepted
    learnt.known += appended.duplicates
    learnt.behind += len(behind)
    learnt.posing += len(posing)
    for event in events:
        learnt.first = event.time if learnt.first is None else min(learnt.first, event.time)
        learnt.last = event.time if learnt.last is None else max(learnt.last, event.time)


def _say(learnt: Learnt) -> None:
    if learnt.first is None or learnt.last is None:
        raise click.ClickException("no event to import; expected one JSON event on each line")
    more = f", {learnt.known:,} known before" if learnt.known else ""
    more += f", {learnt.behind:,} older than what the journal held and left out" if learnt.behind else ""
    if learnt.posing:
        more += f", {learnt.posing:,} left out whose source looks like {OURS}/… and is not"
    click.echo(f"imported {learnt.events:,} events of {to_text(learnt.first)} to {to_text(learnt.last)}{more}")
    until = Instant(learnt.first + LEARNING)
    if until > learnt.last:
        days = LEARNING // DAY
        click.echo(f"{days} days are needed: it goes on learning until {to_text(until)}", err=True)
    click.echo("start the service: it reads them first, and opens no draft about what began in them")
