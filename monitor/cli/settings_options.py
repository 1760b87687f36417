"""The options that say which database and which settings a command works with, written once for all commands.

Knows how they are given; what the settings mean is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from monitor.settings import load_settings

database_option = click.option(
    "--database", help="sqlite:///PATH or postgresql://…  [default: sqlite:///var/nearmiss.db]"
)
config_option = click.option("--config", help="YAML file with settings.")


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command `--database` and `--config`, and what they and the environment come to as `settings`.

    The command raises BadSettings, before it does anything, where these are wrong.
    """

    @database_option
    @config_option
    @wraps(command)
    def reading(*args: Any, database: str | None, config: str | None, **options: Any) -> None:
        command(*args, settings=load_settings({"database": database, "config": config}), **options)

    return reading


def with_settings_of_group(group: Callable[[], None]) -> Callable[..., None]:
    """Gives a group `--database` and `--config`, for the commands below it that have `with_shared_settings`."""

    @database_option
    @config_option
    @click.pass_context
    @wraps(group)
    def keeping(context: click.Context, database: str | None, config: str | None) -> None:
        context.obj = {"database": database, "config": config}
        group()

    return keeping


def with_shared_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Like `with_settings`, for a command of a group: its options count before or after the command's name.

    What stands after it is nearer to the command, and goes before.
    """

    @database_option
    @config_option
    @wraps(command)
    def reading(*args: Any, database: str | None, config: str | None, **options: Any) -> None:
        given: dict[str, str | None] = click.get_current_context().obj
        nearer = {"database": database or given["database"], "config": config or given["config"]}
        command(*args, settings=load_settings(nearer), **options)

    return reading
