"""`nearmiss rules check` and `nearmiss rules schema`: what is wrong with rule files, and what an editor should know.

Loads rules with the very loader that the service uses.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from monitor.cli.engine_options import printable
from monitor.cli.main import FAILED
from monitor.cli.rules_test import counted, rule_paths
from monitor.located.problems import Problem
from monitor.packs.advice.sent_by_mappings import sends_of_mappings
from monitor.packs.advice.unsendable import find_unsendable
from monitor.packs.advice.vocabulary import shipped_vocabulary
from monitor.packs.mappings.loader import load_mappings
from monitor.packs.rules.json_schema import schema as json_schema
from monitor.packs.rules.loader import find_shared_names, load_rules
from monitor.packs.rules.shipped import shipped_rules


@click.command("check", short_help="Print every problem of rule files.")
@rule_paths
@click.option("--allow-custom", "custom", multiple=True, metavar="NAME",
              help="A label that your own senders set; repeat for more.")  # fmt: skip
@click.option("--mappings", type=click.Path(exists=True, path_type=Path), metavar="PATH",
              help="Your own mappings: what their examples give counts as sent.")  # fmt: skip
def check(paths: tuple[Path, ...], custom: tuple[str, ...], mappings: Path | None) -> None:
    """Read PATH... (rule files or directories) and print every problem.

    A condition is dead if no known tool sends what it asks for (docs/reference/vocabulary.md).

    Exits 1 on errors; warnings alone are fine.
    """
    read = paths or (shipped_rules(),)
    loaded = [load_rules(path) for path in read]
    problems = [*(problem for each in loaded for problem in each.problems), *find_shared_names(loaded)]
    problems += _dead(read, custom, mappings)
    for problem in problems:
        click.echo(printable(str(problem)))
    errors = sum(problem.is_error for problem in problems)
    click.echo(
        f"{counted(sum(len(each.rules) for each in loaded), 'rule')} with"
        f" {counted(sum(len(each.examples) for each in loaded), 'example')}"
        f" in {counted(sum(each.files for each in loaded), 'file')};"
        f" {counted(errors, 'error')}, {counted(len(problems) - errors, 'warning')}",
        err=True,
    )
    if errors:
        sys.exit(FAILED)


def _dead(paths: tuple[Path, ...], custom: tuple[str, ...], mappings: Path | None) -> list[Problem]:
    """Demands that nothing sends, and what is wrong with the mappings that were named."""
    known, names = shipped_vocabulary(), [name.removeprefix("labels.") for name in custom]
    if mappings is None:
        return [problem for path in paths for problem in find_unsendable(path, known, names)]
    own = load_mappings(mappings)
    known = known.with_tools(sends_of_mappings(own))
    return [*own.problems, *(problem for path in paths for problem in find_unsendable(path, known, names))]


@click.command("schema", short_help="Print the JSON Schema of rules, for editors.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write to FILE instead.")  # fmt: skip
def schema(output: Path | None) -> None:
    """Print the JSON Schema of rule files, for completion and validation in editors.

    It covers structure only; `rules check` finds more.
    """
    text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
