"""`nearmiss feeds`: shows what the feeds that are pulled would have said, without sending anything."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from monitor.asking import Caller, QueryFailed, Web
from monitor.cli.main import Group
from monitor.cli.settings_options import with_settings_of_group, with_shared_settings
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.durations import say_duration
from monitor.core.model.events import DAY
from monitor.core.model.reasons import FeedStep
from monitor.feeds.discover import PRESETS, Discovery, discover, lines
from monitor.feeds.queries import PulledFeed
from monitor.feeds.states import state_of
from monitor.feeds.strip import BLIND, CLEAR, HURT, SEEING, blind, seen, strip
from monitor.feeds.tools import Tools
from monitor.ops.clock import SystemClock
from monitor.packs.catalogue.loader import load_catalogues
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
            "pull: {prometheus: http://prometheus:9090, preset: blackbox}}]`"
        )
    if not asyncio.run(_show([each.feed() for each in settings.feeds])):
        sys.exit(_FAILED)


@group.command("discover", short_help="Find feeds in a Prometheus and print the lines for them.")
@with_shared_settings
@click.argument("url")
@click.option("--catalogue", type=click.Path(path_type=Path), help="File or folder; default: that of the settings.")
@click.option("--authorization-file", help="File with the Authorization header.")
@click.option("--tenant", help="X-Scope-OrgID.")
def discover_feeds(
    settings: Settings, url: str, catalogue: Path | None, authorization_file: str | None, tenant: str | None
) -> None:
    """Find feeds in the Prometheus at URL, match them to services and print the lines for them. Writes nothing.

    Exits 1 if nothing was found, something could not be asked, or the catalogue has errors.
    """
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"{url!r} is no address; try http://prometheus:9090")
    loaded = load_catalogues([catalogue] if catalogue else settings.catalogue)
    for problem in loaded.problems:
        click.echo(str(problem), err=True)
    headers = {} if tenant is None else {"X-Scope-OrgID": tenant}
    found = asyncio.run(_discover(url, loaded.catalogue, Caller(headers, authorization_file)))
    for line in lines(found):
        click.echo(line)
    for failure in found.problems:
        click.echo(failure, err=True)
    if not found.feeds and not found.problems:
        series = ", ".join(preset.series for preset in PRESETS)
        click.echo(f"{url}: no feed found; it has none of {series}", err=True)
    if found.problems or not found.feeds or loaded.errors:
        sys.exit(_FAILED)


async def _discover(url: str, catalogue: Catalogue, caller: Caller) -> Discovery:
    async with Web() as web:
        return await discover(web, url, catalogue, caller)


async def _show(feeds: list[PulledFeed]) -> bool:
    """Whether every feed saw something and every query was answered."""
    click.echo(f"24 hours, oldest first: {CLEAR} clear  {HURT} hurt  {BLIND} blind")
    is_good = True
    now = SystemClock().now()
    async with Tools() as tools:
        for feed in feeds:
            states, failures = await _day(tools, feed, (now - feed.settle) // feed.step * feed.step)
            environment = f" in {feed.name.environment}" if feed.name.environment else ""
            click.echo(f"\n{feed.name.service}{environment}  {feed.name.source}  {feed.name.evidence}")
            click.echo(strip(states))
            for state, steps in seen(states):
                click.echo(f"  {state} for {say_duration(steps * feed.step)}")
            for reason, steps in blind(states):
                click.echo(f"  blind for {say_duration(steps * feed.step)}: {reason}")
            for failure in failures:
                click.echo(f"  {failure}")
            is_good &= not failures and any(state in SEEING for state in states)
    return is_good


async def _day(tools: Tools, feed: PulledFeed, until: int) -> tuple[list[FeedStep], list[str]]:
    """The states of a day, and each different failure once."""
    states: list[FeedStep] = []
    failures: dict[str, None] = {}
    at = until - DAY // feed.step * feed.step
    while at < until:
        end = min(until, at + feed.most * feed.step)
        try:
            states += [state_of(parts, feed.limits) for parts in await tools.steps(feed, at, end)]
        except QueryFailed as error:
            failures[str(error)] = None
            states += [FeedStep.QUERY_FAILED] * ((end - at) // feed.step)
        at = end
    return states, list(failures)
