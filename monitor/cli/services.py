"""`nearmiss services`: which names of services, environments and severities the catalogue does not explain.

Reads what it is given and prints; the core counts and proposes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from monitor.cli.engine_options import catalogue_option, printable, read_catalogue
from monitor.cli.main import UNREADABLE, Group
from monitor.cli.settings_options import config_option
from monitor.cli.streams import EARLIEST, LATEST, Moment, read_files, read_history
from monitor.core.model.events import Instant
from monitor.core.resolving.unmatched import UnmatchedReport, UnmatchedWords, catalogue_lines
from monitor.settings import load_settings


@click.group("services", cls=Group, short_help="Find names that the catalogue does not explain.")
def group() -> None:
    """Find names that the catalogue does not explain."""


@group.command("suggest", short_help="Print catalogue lines for names that match no service.")
@click.argument("files", metavar="[FILE]...", nargs=-1,
                type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True))  # fmt: skip
@click.option("--database", metavar="URL",
              help="Read this history: sqlite:///PATH or postgresql://… Read-only.")  # fmt: skip
@click.option("--since", type=Moment(), metavar="T", help="Only events since this time: a date or RFC 3339 (UTC).")
@catalogue_option
@config_option
@click.option("--format", "output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
def suggest(
    files: tuple[str, ...],
    database: str | None,
    since: Instant | None,
    catalogue_paths: tuple[Path, ...],
    config: str | None,
    output: str,
) -> None:
    """Read events and list the names in them that match no service, with the service that each resembles.

    Prints YAML to paste into the catalogue: aliases, new services, and words for environments and severities that no
    table explains. Nothing is joined until you do so. Without FILE, the history and the catalogue are those of the
    settings. Exits 3 when there is no event to read.
    """
    if files and database is not None:
        raise click.UsageError("give FILE or --database URL, not both")
    if config is not None or not files:
        settings = load_settings({"config": config, "database": database})
        database = None if files else settings.database
        catalogue_paths = catalogue_paths or settings.catalogue
    words = UnmatchedWords(read_catalogue(catalogue_paths))
    first = EARLIEST if since is None else since
    if database is None:
        read_files("suggest", files, first, LATEST, words.take, set())
    else:
        read_history("suggest", database, first, LATEST, words.take)
    report = words.report()
    if output == "json":
        click.echo(msgspec.json.encode(report))
    else:
        for line in catalogue_lines(report):
            click.echo(printable(line))
    click.echo(_sum_up(report), err=True)
    if not report.events:
        click.echo("no event to read; expected one JSON event on each line", err=True)
        sys.exit(UNREADABLE)


def _sum_up(report: UnmatchedReport) -> str:
    said = (
        f"{report.events:,} events; not explained: services {len(report.services)}, "
        f"environments {len(report.environments)}, severities {len(report.severities)}"
    )
    if report.unnamed:
        said += f"; {report.unnamed:,} events name no service"
    if report.joined:
        pairs = ", ".join(f"{one.name!r} is {one.nearest}" for one in report.joined[:5])
        said += f"; joined by spelling: {printable(pairs)}"
    return said
