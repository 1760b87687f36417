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
