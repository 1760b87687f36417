"""`nearmiss mapping`: the tools of who connects a tool without Python, by name; each is loaded when asked for."""

from __future__ import annotations

import click

from monitor.cli.main import LazyGroup, Places

_COMMANDS: Places = {
    "new": ("monitor.cli.mapping_new:new", "Propose a mapping from a sample body."),
    "check": ("monitor.cli.mapping_check:check", "Print every problem of mapping files."),
    "test": ("monitor.cli.mapping_check:test", "Run the examples of mappings."),
}


@click.group("mapping", cls=LazyGroup, places=_COMMANDS, short_help="Write, check and test mappings of further tools.")
def group() -> None:
    """Write, check and test mappings, which read the bodies of tools that have no decoder.

    Without a path the mappings that come with the program are meant.
    """
