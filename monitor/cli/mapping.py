"""`nearmiss mapping`: the tools of who connects a tool without Python, by name; each is loaded when asked for."""

from __future__ import annotations

import click

from monitor.cli.main import LazyGroup, Places

_COMMANDS: Places = {
    "new": ("monitor.cli.mapping_new:new", "Propose a mapping from a sample payload."),
    "check": ("monitor.cli.mapping_check:check", "Print every problem of mapping files."),
    "test": ("monitor.cli.mapping_check:test", "Run the examples of mappings."),
}


@click.group("mapping", cls=LazyGroup, places=_COMMANDS, short_help="Create, check and test mappings for other tools.")
def group() -> None:
    """Create, check and test mappings, which decode tools without a decoder.

    Without a path, the shipped mappings are used.
    """
