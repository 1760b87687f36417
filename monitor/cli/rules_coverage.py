"""`nearmiss rules coverage`: which rules cannot match what arrived, and which words and names nobody explained.

Reads what it is given and prints; the core counts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from monitor.cli.engine_options import catalogue_option, printable, read_catalogue, stop_on_errors
from monitor.cli.main import UNREADABLE
from monitor.cli.rules_test import counted, rule_paths
from monitor.cli.streams import EARLIEST, LATEST, Moment, read_files, read_history
from monitor.core.matching.coverage import Arrived, Blind, StepArrivals
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.events import DAY, Instant, to_text
from monitor.core.resolving.unmatched import Unmatched
from monitor.ops.clock import SystemClock
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules

MOST_SHOWN = 20
LATELY = 30 * DAY


@click.command("coverage", short_help="List rules that cannot match what arrived.")
@rule_paths
@click.option("--events", "files", multiple=True, metavar="FILE",
              type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True),
              help="Events as JSON Lines, also compressed; - reads standard input (repeatable).")  # fmt: skip
@click.option("--database", metavar="URL",
              help="Read the service's history: sqlite:///PATH or postgresql://… Read-only.")  # fmt: skip
@click.option("--since", type=Moment(), metavar="T",
              help="Only events since this time; of a database the last 30 days without it.")  # fmt: skip
@catalogue_option
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def coverage(
    paths: tuple[Path, ...],
    files: tuple[str, ...],
    database: str | None,
    since: Instant | None,
    catalogue_paths: tuple[Path, ...],
    output: str,
) -> None:
    """List the rules in PATH... that cannot match what arrived, with the step that nothing satisfied.

    Lists also the names, environments, severities and people that nothing explains. Exits 3 if there is no event.
    """
    if bool(files) == (database is not None):
        raise click.UsageError("give --events FILE or --database URL, not both")
    loaded = [load_rules(path, with_examples=False) for path in paths or (shipped_rules(),)]
    stop_on_errors(problem for each in loaded for problem in each.problems)
    rules = [rule for each in loaded for rule in each.rules]
    arrivals = StepArrivals(Matcher(rules, read_catalogue(catalogue_paths), LastValues(), make_regex))
    if database is None:
        read_files("coverage", files, EARLIEST if since is None else since, LATEST, arrivals.take, set())
    else:
        first = Instant(SystemClock().now() - LATELY) if since is None else since
        read_history("coverage", database, first, LATEST, arrivals.take)
    found = arrivals.report()
    if output == "json":
        click.echo(msgspec.json.encode(found, enc_hook=to_text))
    else:
        _show(found)
    if not found.events:
        click.echo("no event to read; expected one JSON event on each line", err=True)
        sys.exit(UNREADABLE)


def _show(found: Arrived) -> None:
    for blind in found.blind:
        click.echo(f"{blind.rule}: {why(blind)}")
    unexplained = found.unexplained
    for what, words in (
        ("services", unexplained.services),
        ("environments", unexplained.environments),
        ("severities", unexplained.severities),
        ("people", unexplained.people),
    ):
        if words:
            click.echo(f"{what} not understood: {_listed(words)}")
    sources = ", ".join(f"{name} {count:,}" for name, count in list(found.sources.items())[:MOST_SHOWN])
    able = found.rules - len(found.blind)
    click.echo(f"{found.events:,} events ({sources}); {able} of {counted(found.rules, 'rule')} can match", err=True)


def why(blind: Blind) -> str:
    """What keeps a rule from matching, in a few words."""
    kinds = ", ".join(blind.kinds[:3]) + (", …" if len(blind.kinds) > len(blind.kinds[:3]) else "")
    if not blind.of_kind:
        return f"{blind.step}: nothing of its kinds arrived ({kinds})"
    return f"{blind.step}: {counted(blind.of_kind, 'event')} of its kinds arrived ({kinds}), none satisfied it"


def _listed(words: tuple[Unmatched, ...]) -> str:
    shown = [f"{printable(one.name)} ({one.events:,}, {', '.join(one.sources[:3])})" for one in words[:MOST_SHOWN]]
    more = len(words) - len(shown)
    return "; ".join(shown) + (f"; {more} more" if more > 0 else "")
