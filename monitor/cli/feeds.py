"""`nearmiss feeds`: shows what the feeds that are pulled would have said, without sending anything."""

from __future__ import annotations

import asyncio
import sys

import click

from monitor.cli.main import Group
from monitor.cli.settings_options import with_settings_of_group, with_shared_settings
from monitor.core.model.durations import say_duration
from monitor.core.model.events import DAY
from monitor.core.model.reasons import FeedStep
from monitor.feeds.prometheus import Prometheus, QueryFailed
from monitor.feeds.pull import MOST_STEPS, SETTLE
from monitor.feeds.queries import Feed
from monitor.feeds.states import state_of
from monitor.feeds.strip import BLIND, CLEAR, HURT, SEEING, blind, strip
from monitor.ops.clock import SystemClock
from monitor.settings import Settings

_FAILED = 1


@click.group("feeds", cls=Group, short_help="Check the feeds that are pulled.")
@with_settings_of_group
def group() -> None:
    """Check the feeds that are pulled."""


@group.command("check", short_help="Draw the last 24 hours of each feed.")
@with_shared_settings
def check(settings: Settings) -> None:
    """Draw the last 24 hours of each feed: clear, hurt, or blind and why. Sends no event.

    Exits 1 if a feed was blind all the time or a query failed.
    """
    if not settings.feeds:
        raise click.UsageError(
            "no feed is configured; expected feeds in the file of --config; try `feeds: [{service: checkout, "
            "prometheus: http://prometheus:9090, preset: blackbox}]`"
        )
    if not asyncio.run(_show([each.feed() for each in settings.feeds])):
        sys.exit(_FAILED)


async def _show(feeds: list[Feed]) -> bool:
    """Whether every feed saw something and every query was answered."""
    click.echo(f"24 hours, oldest first: {CLEAR} clear  {HURT} hurt  {BLIND} blind")
    is_good = True
    now = SystemClock().now() - SETTLE
    async with Prometheus() as prometheus:
        for feed in feeds:
            states, failures = await _day(prometheus, feed, now // feed.step * feed.step)
            environment = f" in {feed.name.environment}" if feed.name.environment else ""
            click.echo(f"\n{feed.name.service}{environment}  {feed.name.source}  {feed.name.evidence}")
            click.echo(strip(states))
            for reason, steps in blind(states):
                click.echo(f"  blind for {say_duration(steps * feed.step)}: {reason}")
            for failure in failures:
                click.echo(f"  {failure}")
            is_good &= not failures and any(state in SEEING for state in states)
    return is_good


async def _day(prometheus: Prometheus, feed: Feed, until: int) -> tuple[list[FeedStep], list[str]]:
    """The states of a day, and each different failure once."""
    states: list[FeedStep] = []
    failures: dict[str, None] = {}
    at = until - DAY // feed.step * feed.step
    while at < until:
        end = min(until, at + MOST_STEPS * feed.step)
        try:
            states += [state_of(parts, feed.limits) for parts in await prometheus.steps(feed, at, end)]
        except QueryFailed as error:
            failures[str(error)] = None
            states += [FeedStep.QUERY_FAILED] * ((end - at) // feed.step)
        at = end
    return states, list(failures)
