"""`nearmiss topics`: creates the topics that the monitor writes to, spreads over new partitions, resumes halted topics.

Knows how to ask and how to show; what a topic should be like is decided elsewhere.
"""

from __future__ import annotations

import asyncio

import click

from monitor.cli.existing import open_existing
from monitor.cli.kafka import kafka_of
from monitor.cli.main import Group
from monitor.cli.settings_options import with_settings_of_group, with_shared_settings
from monitor.core.model.events import SECOND, to_text
from monitor.kafka.bound_topics import JOURNAL
from monitor.kafka.creation import DEFAULT_PARTITIONS, Created, create_topics
from monitor.kafka.errors import TooFewPartitions, WrongCluster
from monitor.kafka.places import offsets_at
from monitor.ops.clock import SystemClock
from monitor.pipeline.lease import LeaseSettings
from monitor.ports import Halt, Held
from monitor.settings import Settings
from monitor.store.database import open_for_reading


@click.group("topics", cls=Group, short_help="Create topics, use new partitions, resume halted topics.")
@with_settings_of_group
def group() -> None:
    """Create topics, use new partitions, and resume halted topics."""


@group.command("create", short_help="Create missing topics.")
@click.option(
    "--partitions",
    type=click.IntRange(1),
    default=DEFAULT_PARTITIONS,
    show_default=True,
    help="Of the journal's topic.",
)
@click.option("--replicas", type=click.IntRange(1), help="Replicas.  [default: 3, or all brokers]")
@click.option("--dry-run", is_flag=True, help="Only show what would be done; the broker validates it.")
@with_shared_settings
def create(settings: Settings, partitions: int, replicas: int | None, dry_run: bool) -> None:
    """Create the journal topic and the dead-letter topic (kafka.dead_letter) if missing.

    The journal is kafka.journal, or kafka.canonical with several engines. Existing topics are not changed;
    differences are reported.
    """
    kafka = kafka_of(settings)
    kafka = kafka.shared if kafka.canonical else kafka
    for done in asyncio.run(create_topics(kafka, partitions=partitions, replicas=replicas, dry_run=dry_run)):
        click.echo(_said(done, dry_run))


@group.command("spread", short_help="Use new partitions of kafka.canonical.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@with_shared_settings
def spread(settings: Settings, dry_run: bool) -> None:
    """Spread the engines' state over all current partitions of kafka.canonical.

    Stop ingest, let the engines read the rest, stop them, add the partitions, run this, then start everything. Exits
    1 without changes while a process is running or messages are unread.
    """
    kafka = kafka_of(settings)
    if not kafka.canonical:
        raise click.UsageError(
            "no engines share a topic; expected kafka.canonical to be set. Partitions of other topics need no step"
        )
    asyncio.run(_spread(settings, dry_run))


async def _spread(settings: Settings, dry_run: bool) -> None:
    topic = settings.kafka.canonical
    async with open_existing(settings.database) as store:
        known = await store.topics.known_spread(topic)
        if known is None:
            raise click.ClickException(f"{topic}: nobody has used it yet; the first start takes all its partitions")
        try:
            epochs = await store.rewind.own(round(LeaseSettings().ttl * SECOND))
        except Held as error:
            raise click.ClickException(
                f"a process is running ({error.owner or 'on this machine'}); expected that every process that ingests "
                "or has engines is stopped. Stop them and try again"
            ) from None
        try:
            cluster, places = await offsets_at(settings.kafka.shared, SystemClock().now())
            if (bound := await store.topics.cluster(JOURNAL)) is not None and bound != cluster:
                raise WrongCluster(settings.kafka.bootstrap, cluster, bound)
            found = len(places)
            if found < known:
                raise TooFewPartitions(topic, found, known)
            if found == known:
                click.echo(f"{topic}: its {known} partitions are all in use")
                return
            positions = await store.topics.positions()
            unread = {name: place.end - positions.get(name, place.first) for name, place in places.items()}
            if waiting := [f"{name} ({count})" for name, count in sorted(unread.items()) if count > 0]:
                raise click.ClickException(
                    f"not everything is read: {', '.join(waiting)}. Start the engines alone (`nearmiss run "
                    "--roles engine`) until `nearmiss kafka check` shows no lag, stop them, and try again"
                )
            if not dry_run:
                await store.topics.spread_anew(topic, found)
            click.echo(f"{topic}: {'would be' if dry_run else 'is'} spread over {found} partitions instead of {known}")
        finally:
            await store.rewind.leave(epochs)


@group.command("resume", short_help="Resume halted topics.")
@click.argument("topics", metavar="TOPIC...", nargs=-1, required=True)
@with_shared_settings
def resume(settings: Settings, topics: tuple[str, ...]) -> None:
    """Resume halted topics where they stopped; the running service notices within seconds.

    Exits 1 if one of them was not halted.
    """

    async def work() -> tuple[list[str], list[Halt]]:
        async with open_existing(settings.database) as store:
            wrong = [topic for topic in topics if not await store.topics.resume(topic)]
            return wrong, await store.topics.halts()

    wrong, halts = asyncio.run(work())
    for topic in topics:
        if topic not in wrong:
            click.echo(f"{topic}: will be read again")
    if wrong:
        known = ", ".join(halt.topic for halt in halts) or "none"
        raise click.ClickException(f"not halted: {', '.join(wrong)}; halted now: {known}")


@group.command("halted")
@with_shared_settings
def halted(settings: Settings) -> None:
    """List halted topics, since when and why."""

    async def work() -> list[Halt]:
        async with open_for_reading(settings.database) as store:
            return await store.topics.halts()

    halts = asyncio.run(work())
    if not halts:
        click.echo("no topic is halted", err=True)
    for halt in halts:
        click.echo(f"{halt.topic}  since {to_text(halt.at)}  {halt.detail}")


def _said(done: Created, dry_run: bool) -> str:
    plan = done.planned
    config = " ".join(f"{name}={value}" for name, value in sorted(plan.config.items()))
    shape = f"{plan.partitions} partitions, {plan.replicas} replicas, {config}"
    if done.is_new:
        return f"{plan.topic}: {'would be created' if dry_run else 'created'} ({shape})"
    if done.differs:
        return f"{plan.topic}: is there and stays as it is; it differs: {'; '.join(done.differs)}"
    return f"{plan.topic}: is there, as planned"
