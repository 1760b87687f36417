"""`nearmiss password`: makes the hash of a password, for an account in the settings."""

from __future__ import annotations

import click

from monitor.review.auth import SHORTEST_SECRET, hash_of


@click.command("password", short_help="Hash a password for an account.")
@click.password_option(help="Asked for, without an echo, where it is not given.")
def command(password: str) -> None:
    """Make the hash that goes into `accounts.NAME.secret` in place of the password."""
    if len(password) < SHORTEST_SECRET:
        raise click.ClickException(f"expected at least {SHORTEST_SECRET} characters; try a few words")
    click.echo(hash_of(password))
