"""`nearmiss rewind`: sends the engine back in time, so that it decides again what began since then.

Knows how to find the positions of a time and whom to ask; what of a replay counts is the store's to decide.
"""

from __future__ import annotations

import asyncio

import click
import msgspec

from monitor.cli.existing import open_existing
from monitor.cli.settings_options import with_settings
from monitor.core.model.events import DAY, SECOND, Instant, to_text
from monitor.decode.outcome import Unreadable
from monitor.decode.times import read_time
from monitor.located.form import DURATION_HELP, duration, say_duration
from monitor.ops.clock import SystemClock
from monitor.pipeline.lease import LeaseSettings
from monitor.ports import Held
from monitor.settings import Settings
from monitor.store.database import Store
from monitor.store.journal import PARTITION

WARM_UP = 14 * DAY
_KAFKA = "kafka"


class RewindStep(msgspec.Struct, frozen=True):
    """One partition: where the engine stands and where it would read on; `is_short`: older entries are gone."""

    partition: str
    before: int | None
    after: int
    is_short: bool


class Route(msgspec.Struct, frozen=True):
    """All partitions, and the cluster that they are in, where they are in one."""

    steps: tuple[RewindStep, ...]
    cluster: str | None = None


def _time(_context: click.Context, _parameter: click.Parameter, value: str) -> Instant:
    try:
        return read_time(value, "TIME")[0]
    except Unreadable as error:
        raise click.BadParameter(error.detail) from None


def _duration(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    found = duration(value)
    if found is None or found < 0:
        raise click.BadParameter(f"{value!r}: expected {DURATION_HELP}")
    return found


@click.command("rewind", short_help="Decide a period again.")
@click.option("--to", "to", required=True, metavar="TIME", callback=_time, help="Such as 2026-03-01T00:00:00Z.")
@click.option(
    "--warm-up",
    default=say_duration(WARM_UP),
    show_default=True,
    callback=_duration,
    help="How much before TIME is read first, without deciding it again.",
)
@click.option("--fence", is_flag=True, help="Even while an engine runs: take its lease away.")
@click.option("--new-cluster", is_flag=True, help="Bind the database to another cluster.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@with_settings
def command(to: Instant, warm_up: int, fence: bool, new_cluster: bool, dry_run: bool, settings: Settings) -> None:
    """Decide everything that began at TIME or later again, with the current rules.

    The engine first reads the --warm-up before TIME to rebuild its state; stories that began in it keep their
    decisions. A draft that comes out again is the same record, with its decision. One that would no longer come out
    stays. Stop the service first; its next start reads from there. Exits 1 if an engine is running, or if the journal
    does not reach back to TIME.
    """
    if new_cluster and not settings.kafka.is_used:
        raise click.UsageError("--new-cluster is for topics, and Kafka is not used; expected kafka.bootstrap to be set")
    asyncio.run(_rewind(settings, to, warm_up, fence=fence, new_cluster=new_cluster, dry_run=dry_run))


async def _rewind(
    settings: Settings, to: Instant, warm_up: int, *, fence: bool, new_cluster: bool, dry_run: bool
) -> None:
    async with open_existing(settings.database) as store:
        route = await _route(settings, store, Instant(to - warm_up), new_cluster)
        reached = await _route(settings, store, to, new_cluster)
        if any(step.is_short for step in reached.steps):
            gone = ", ".join(step.partition for step in reached.steps if step.is_short)
            raise click.ClickException(
                f"{gone}: what came at {to_text(to)} is no longer there; expected a later time, or entries "
                "that are restored"
            )
        if dry_run:
            _say(route, to, "would read on")
            return
        epochs = await _own(store, fence)
        try:
            positions = {step.partition: step.after for step in route.steps}
            clusters = {_KAFKA: route.cluster} if route.cluster is not None else {}
            await store.rewind.rewind(positions, to, SystemClock().now(), clusters)
        finally:
            await store.rewind.leave(epochs)
        _say(route, to, "reads on")


async def _own(store: Store, fence: bool) -> dict[str, int]:
    lease = 0 if fence else round(LeaseSettings().ttl * SECOND)
    try:
        return await store.rewind.own(lease)
    except Held as error:
        raise click.ClickException(
            f"an engine is at work ({error.owner or 'on this machine'}); stop the service and try again, or give "
            "--fence to take its ownership away: it then stops by itself without writing"
        ) from None


async def _route(settings: Settings, store: Store, start: Instant, new_cluster: bool) -> Route:
    """From where to read so as to see everything from `start` on; never further on than where the engine stands."""
    known = await store.topics.positions()
    if not known:
        raise click.ClickException("no engine has read anything yet; nothing to rewind")
    if settings.kafka.is_used:
        return await _in_topics(settings, store, start, known, new_cluster)
    before = known.get(PARTITION)
    place = await store.rewind.place(start)
    after = before or 1 if place.position is None else min(place.position, before or place.position)
    is_short = place.oldest is not None and place.oldest > start and after > 1
    return Route((RewindStep(PARTITION, before, after, is_short),))


async def _in_topics(
    settings: Settings, store: Store, start: Instant, known: dict[str, int], new_cluster: bool
) -> Route:
    # Imported here: where Kafka is not used, nothing of it is loaded.
    from monitor.kafka.errors import WrongCluster
    from monitor.kafka.places import offsets_at

    # Where engines share a topic, all that was carried over lies in it already.
    kafka = settings.kafka.shared if settings.kafka.canonical else settings.kafka
    cluster, offsets = await offsets_at(kafka, start)
    bound = await store.topics.cluster(_KAFKA)
    if bound is not None and bound != cluster and not new_cluster:
        raise WrongCluster(settings.kafka.bootstrap, cluster, bound)
    steps = []
    # An engine that owns a part keeps the positions of it under "part:topic/partition" too.
    for name, before in known.items():
        offset = offsets.get(name.rpartition(":")[2])
        if offset is None:
            continue
        after = offset.at if new_cluster else min(offset.at, max(before, offset.first))
        steps.append(RewindStep(name, before, after, offset.first > 0 and offset.at == offset.first < offset.end))
    for name, offset in offsets.items():
        if name not in known and new_cluster:
            steps.append(RewindStep(name, None, offset.at, False))
    return Route(tuple(steps), cluster if new_cluster else None)


def _say(route: Route, to: Instant, verb: str) -> None:
    for step in route.steps:
        short = " (older entries were removed)" if step.is_short else ""
        click.echo(f"{step.partition}: {'new' if step.before is None else step.before} -> {step.after}{short}")
    click.echo(f"the engine {verb} from there when it starts; what began before {to_text(to)} keeps its decisions")
