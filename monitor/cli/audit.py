"""`nearmiss audit`: checks and exports the log of sign-ins and moves, a chain of hashes."""

from __future__ import annotations

import asyncio

import click
import msgspec

from monitor.cli.main import Group
from monitor.cli.settings_options import with_settings_of_group, with_shared_settings
from monitor.core.model.events import to_text
from monitor.settings import Settings
from monitor.store.access import broken_at
from monitor.store.database import open_for_reading


@click.group("audit", cls=Group, short_help="Verify and export the log of sign-ins and actions.")
@with_settings_of_group
def group() -> None:
    """The log of sign-ins, tokens and people's moves. Each line holds the hash of the line before it."""


@group.command("verify")
@click.option("--expect", metavar="HASH", help="A hash that was noted earlier and must still be in the log.")
@with_shared_settings
def verify(settings: Settings, expect: str | None) -> None:
    """Check that no line was changed, removed or put in; print the last hash.

    Note the hash elsewhere: with --expect, a log that was written again is noticed too. Exits 1 if the log is broken.
    """

    async def look() -> tuple[str | None, tuple[int, str]]:
        async with open_for_reading(settings.database) as store:
            head = await store.access.head()
            return await broken_at(store.access.chain(), head, expect), head

    problem, (lines, last) = asyncio.run(look())
    if problem is not None:
        raise click.ClickException(f"the log is broken: {problem}; compare it with the last export")
    click.echo(f"{lines} lines, whole; last hash {last}")


@group.command("export")
@with_shared_settings
def export(settings: Settings) -> None:
    """Write every line as JSON, oldest first, with its hash. It holds names of people."""

    async def write() -> None:
        async with open_for_reading(settings.database) as store:
            async for line in store.access.chain():
                click.echo(msgspec.json.encode({**msgspec.structs.asdict(line), "at": to_text(line.at)}))

    asyncio.run(write())
