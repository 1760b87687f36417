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
from monitor.packs.json_schema import schema as json_schema
from monitor.packs.loader import find_shared_names, load_rules
from monitor.packs.shipped import shipped_rules


@click.command("check", short_help="Print every problem of rule files.")
@rule_paths
def check(paths: tuple[Path, ...]) -> None:
    """Read PATH... (rule files or directories) and print every problem.

    Exits 1 on errors; warnings alone are fine.
    """
    loaded = [load_rules(path) for path in paths or (shipped_rules(),)]
    problems = [*(problem for each in loaded for problem in each.problems), *find_shared_names(loaded)]
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
