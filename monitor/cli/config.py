"""`nearmiss config`: says whether the service would start with these settings, rules and catalogue, and with what.

Reads everything with the very loaders that the service uses; starts nothing and writes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from monitor.cli.engine_options import printable
from monitor.cli.main import FAILED, Group
from monitor.cli.settings_options import config_option
from monitor.located.checks import Check
from monitor.packs.mappings.loader import LoadedMappings
from monitor.packs.pack import load_pack
from monitor.packs.survey import CatalogueSurvey, PackSurvey, RuleSurvey, few, survey
from monitor.settings import BadSettings, Settings, load_settings


@click.group("config", cls=Group, short_help="Check settings, rules and catalogue.")
def group() -> None:
    """Check the configuration."""


@group.command("check", short_help="Print every problem and what would run.")
@config_option
@click.option("--rules", help="Directory of rules.  [default: from the settings]")
@click.option("--catalogue", multiple=True, help="Services: a file or a directory (repeatable).")
@click.option("--mappings", help="Directory of own mappings.  [default: that of the settings]")
@click.option("--strict", is_flag=True, help="Also fail on warnings.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Output format: a summary, or everything as JSON.")  # fmt: skip
def check(
    config: str | None, rules: str | None, catalogue: tuple[str, ...], mappings: str | None, strict: bool, output: str
) -> None:
    """Read settings (also of the environment), rules and catalogue, and print every problem on a line of its own.

    Then show what would run, with the content hashes of the running service. Exits 1 on errors.
    """
    flags = {"config": config, "rules": rules, "catalogue": catalogue or None, "mappings": mappings}
    settings, wrong = _settings(flags)
    given = settings or Settings(
        rules=None if rules is None else Path(rules),
        catalogue=tuple(map(Path, catalogue)),
        mappings=None if mappings is None else Path(mappings),
    )
    loaded = load_pack(given.rules, given.catalogue, given.mappings, given.weights)
    pulled = [(feed.service, feed.name.evidence) for feed in given.feeds]
    found = survey(loaded, given.retention.events, pulled, config or "settings")
    # Settings that cannot be read may well name a catalogue.
    is_unread = settings is None and not catalogue
    warnings_of_pack = [each for each in found.warnings if not (is_unread and each.check is Check.NO_CATALOGUE)]
    problems = (*loaded.problems, *warnings_of_pack)
    errors = len(wrong) + len(loaded.errors)
    warnings = len(problems) - len(loaded.errors)
    if output == "json":
        said = {"settings": wrong, "problems": problems, "rules": found.rules, "catalogue": found.catalogue}
        click.echo(msgspec.json.format(msgspec.json.encode(said)).decode())
    else:
        for line in (*wrong, *map(str, problems)):
            click.echo(printable(line), err=True)
        if wrong and settings is None:
            note = "the settings are invalid: only the rules and the catalogue of the command line were checked"
            click.echo(note, err=True)
        is_unread |= bool(loaded.catalogue.errors)
        for line in [*_lines(found, settings, is_unread), *_of_mappings(loaded.mappings)]:
            click.echo(printable(line))
    click.echo(
        f"{errors} error{'' if errors == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}", err=True
    )
    if errors or (strict and warnings):
        sys.exit(FAILED)


def _settings(flags: Mapping[str, object]) -> tuple[Settings | None, tuple[str, ...]]:
    try:
        return load_settings(flags), ()
    except BadSettings as error:
        return None, error.problems


def _lines(found: PackSurvey, settings: Settings | None, is_unread: bool) -> list[str]:
    """`is_unread`: there may be a catalogue, and it could not be read."""
    lines = []
    if settings is not None:
        kept = "PostgreSQL" if settings.database.startswith("postgresql") else "SQLite"
        source = "Kafka" if settings.kafka.is_used else f"the journal in {kept}"
        lines.append(f"service     listens on {settings.host}:{settings.port}, keeps records in {kept}, reads {source}")
    services = (
        ["catalogue   not read"] if is_unread and not found.catalogue.services else _of_catalogue(found.catalogue)
    )
    return [*lines, *_of_rules(found.rules), *services]


def _of_rules(rules: RuleSurvey) -> list[str]:
    return [
        f"rules       {rules.count} in {_so_many(rules.files, 'file')}, content {rules.content_hash}",
        f"  by mode   {_counted(rules.by_mode)}",
        f"  by family {_counted(rules.by_family)}",
    ]


def _of_catalogue(known: CatalogueSurvey) -> list[str]:
    if not known.services:
        return ["catalogue   none: every service counts as user-facing"]
    read = f"{_so_many(known.services, 'service')} in {_so_many(known.files, 'file')}"
    if known.left_out:
        read += f", {_so_many(known.left_out, 'document')} of other tools left out"
    vague = few(known.feeds_without_freshness) or "none"
    lines = [
        f"catalogue   {read}, content {known.content_hash}",
        f"  users see {len(known.user_facing)}: {few(known.user_facing)}",
        f"  domains   {len(known.domains)}: {few(known.domains)}",
        f"  owners    {len(known.owners)}: {few(known.owners)}",
        f"  lifecycle {_counted(known.by_lifecycle)}",
        f"  counts    {few(known.production) or 'every environment'}",
        f"  feeds     {known.feeds}; freshness taken from their cadence: {vague}",
        f"  unwatched {few(known.user_facing_without_feed) or 'none'} (user-facing, and no feed)",
        f"  no users  {few(known.no_path_to_users) or 'none'} (nothing that users see depends on them)",
    ]
    if known.automation:
        lines.append(f"  machines  {few(known.automation)}")
    return lines


def _of_mappings(own: LoadedMappings) -> list[str]:
    if not own.files:
        return []
    return [f"mappings    {few([tool.name for tool in own.tools]) or 'none'} in {_so_many(own.files, 'file')}"]


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {word}" for word, number in counts.items()) or "none"


def _so_many(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
