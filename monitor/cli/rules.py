"""`nearmiss rules`: the tools of a rule's author, by name; each is in a module of its own and loaded when asked for."""

from __future__ import annotations

import click

from monitor.cli.main import LazyGroup, Places

_COMMANDS: Places = {
    "new": ("monitor.cli.rules_new:new", "Create a rule from a template."),
    "check": ("monitor.cli.rules_check:check", "Print every problem of rule files."),
    "test": ("monitor.cli.rules_test:test", "Run the examples of rules."),
    "explain": ("monitor.cli.rules_explain:explain", "Explain why, and why not."),
    "backtest": ("monitor.cli.rules_backtest:backtest", "Run rules over past events."),
    "coverage": ("monitor.cli.rules_coverage:coverage", "List rules that cannot match what arrived."),
    "schema": ("monitor.cli.rules_check:schema", "Print the JSON Schema of rules, for editors."),
}


@click.group("rules", cls=LazyGroup, places=_COMMANDS, short_help="Create, check, test, explain and backtest rules.")
def group() -> None:
    """Create, check, test, explain and backtest rules.

    Without a path, the shipped rules are used.
    """
