"""`nearmiss db`: creates, upgrades and checks the database. Knows how to show what the store finds."""

from __future__ import annotations

import asyncio
import sys

import click
import msgspec

from monitor.cli.main import Group
from monitor.cli.settings_options import with_settings
from monitor.core.model.events import SECOND
from monitor.pipeline.lease import LeaseSettings
from monitor.ports import Held
from monitor.settings import Settings
from monitor.store.binding import Joint
from monitor.store.database import open_for_reading
from monitor.store.inspection import Inspection
from monitor.store.migrations import upgrade, versions

_FAILED = 1
_OWNER_LEASE = round(LeaseSettings().ttl * SECOND)
_UNITS = ("B", "KB", "MB", "GB", "TB")
_STEP = 1000


@click.group(cls=Group)
def group() -> None:
    """Create, upgrade and check the database."""


@group.command("upgrade", short_help="Create or upgrade the tables.")
@with_settings
def upgrade_command(settings: Settings) -> None:
    """Create the tables, or upgrade them to the version of this program.

    SQLite files are also upgraded at start. Running it again changes nothing.
    """
    for each in asyncio.run(upgrade(settings.database)):
        if each.before == each.after:
            click.echo(f"{each.history}: {each.after}, nothing to do")
        else:
            click.echo(f"{each.history}: {each.before or 'empty'} -> {each.after}")


@group.command("check", short_help="Check version and contents.")
@with_settings
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--full", is_flag=True, help="Also read every page and every draft; takes minutes on a large database.")
def check_command(settings: Settings, output: str, full: bool) -> None:
    """Check that the schema is current and the data is consistent; changes nothing.

    Shows size, rows and the engine's positions. Exits 1 if the schema is outdated, data is damaged, or a position
    does not fit the journal.
    """
    found, of_version = asyncio.run(_look(settings.database, full))
    if output == "json":
        plain = {"ok": not found.problems, "versions": of_version, **msgspec.to_builtins(found)}
        click.echo(msgspec.json.encode(plain))
    else:
        _show(found, of_version)
    if found.problems:
        sys.exit(_FAILED)


@group.command("accept-journal", short_help="Go on with a journal and records of different backups.")
@with_settings
@click.option("--yes", is_flag=True, help="Do it; without this the command only says what it costs.")
def accept_journal_command(settings: Settings, yes: bool) -> None:
    """Let the records belong to the journal that is there, after one of the two was restored without the other.

    A service refuses to start while the two do not fit, so that nothing is acknowledged that would never be read. Stop
    the service before. Nothing is removed.
    """
    joint = asyncio.run(_accept(settings.database, yes))
    if joint.problem is None:
        click.echo("journal and records fit; there is nothing to accept")
        return
    click.echo(f"{joint.problem}: {joint.cost}")
    if not yes:
        click.echo("nothing was changed; with --yes it is", err=True)
        sys.exit(_FAILED)
    click.echo("accepted; start the service")


async def _accept(database: str, yes: bool) -> Joint:
    async with open_for_reading(database) as store:
        joint = await store.binding.look()
        if joint.problem is not None and yes:
            try:
                epochs = await store.rewind.own(_OWNER_LEASE)
            except Held as error:
                raise click.ClickException(f"a service is at work on it ({error.owner}); stop it first") from None
            try:
                await store.binding.accept()
            finally:
                await store.rewind.leave(epochs)
        return joint


async def _look(database: str, full: bool) -> tuple[Inspection, dict[str, str]]:
    async with open_for_reading(database) as store:
        return await store.inspection.inspect(full=full), versions()


def _show(found: Inspection, of_version: dict[str, str]) -> None:
    click.echo(f"versions   {', '.join(of_version.values())}: up to date")
    click.echo(f"size       {_size(found.total_bytes)}, of it about {_size(found.events_bytes)} events")
    for table, rows in sorted(found.rows.items(), key=lambda each: -each[1]):
        if rows:
            click.echo(f"rows       {rows:>12,}  {table}")
    for partition, position in sorted(found.positions.items()):
        click.echo(f"position   {position:>12,}  {partition}")
    click.echo(f"to read    {found.unread:>12,}  entries of the journal")
    for remark in found.remarks:
        click.echo(f"note: {remark}")
    for problem in found.problems:
        click.echo(f"error: {problem}")
    if not found.problems:
        click.echo("no problems found")


def _size(count: float) -> str:
    for unit in _UNITS[:-1]:
        if count < _STEP:
            return f"{count:.0f} {unit}"
        count /= _STEP
    return f"{count:.1f} {_UNITS[-1]}"
