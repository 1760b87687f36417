"""`nearmiss db`: creates, upgrades and checks the database. Knows the store's migrations and nothing of its tables."""

from __future__ import annotations

import asyncio

import click

from monitor.settings import Settings
from monitor.store.migrations import check, upgrade

_database = click.option(
    "--database",
    envvar="NEARMISS_DATABASE",
    default=str(Settings.model_fields["database"].default),
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="Where everything is kept: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME.",
)


@click.group()
def group() -> None:
    """Create and upgrade the database."""


@group.command("upgrade")
@_database
def upgrade_command(database: str) -> None:
    """Create the tables, or bring them to the version that this program needs.

    SQLite files are upgraded at start as well. Running it again changes nothing.
    """
    try:
        done = asyncio.run(upgrade(database))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--database") from None
    for each in done:
        if each.before == each.after:
            click.echo(f"{each.history}: {each.after}, nothing to do")
        else:
            click.echo(f"{each.history}: {each.before or 'empty'} -> {each.after}")


@group.command("check")
@_database
def check_command(database: str) -> None:
    """Say whether the tables are of the version that this program needs; exit code 1 when not."""
    try:
        asyncio.run(check(database))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--database") from None
    click.echo("up to date")
