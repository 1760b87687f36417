"""`nearmiss mapping check` and `nearmiss mapping test`: what is wrong with mapping files, and what their examples give.

Loads mappings with the very loader that the service uses.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.cli.engine_options import printable
from monitor.cli.main import FAILED
from monitor.cli.rules_test import counted
from monitor.located.problems import Problem
from monitor.packs.mappings.examples import MappingResult
from monitor.packs.mappings.loader import LoadedMappings, load_mappings, run_examples
from monitor.packs.mappings.shipped_tools import SHIPPED

mapping_paths = click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, path_type=Path))


@click.command("check", short_help="Print every problem of mapping files.")
@mapping_paths
def check(paths: tuple[Path, ...]) -> None:
    """Read PATH... (mapping files or directories) and print every problem.

    Exits 1 on errors; warnings alone are fine.
    """
    loaded = [load_mappings(path) for path in paths or (SHIPPED,)]
    problems = [problem for each in loaded for problem in each.problems]
    for problem in problems:
        click.echo(printable(str(problem)))
    errors = sum(problem.is_error for problem in problems)
    examples = sum(len(own) for each in loaded for own in each.examples.values())
    click.echo(
        f"{counted(sum(len(each.tools) for each in loaded), 'mapping')} with {counted(examples, 'example')}"
        f" in {counted(sum(each.files for each in loaded), 'file')};"
        f" {counted(errors, 'error')}, {counted(len(problems) - errors, 'warning')}",
        err=True,
    )
    if errors:
        sys.exit(FAILED)


@click.command("test", short_help="Run the examples of mappings.")
@mapping_paths
@click.option("--verbose", "-v", is_flag=True, help="Show the events of every example.")
def test(paths: tuple[Path, ...], verbose: bool) -> None:
    """Run the examples of the mappings in PATH... (files or directories).

    Prints one line per mapping, and expected and actual for each failure. Exits 1 if an example fails or a file has
    an error.
    """
    loaded = [load_mappings(path) for path in paths or (SHIPPED,)]
    errors = [problem for each in loaded for problem in each.errors]
    for problem in errors:
        click.echo(printable(str(problem)))
    results = [result for each in loaded for result in run_examples(each)]
    for each in loaded:
        _print(each, results, verbose=verbose)
    _end(results, errors)


def _print(loaded: LoadedMappings, results: list[MappingResult], *, verbose: bool) -> None:
    for tool in loaded.tools:
        own = [result for result in results if result.mapping == tool.name]
        failed = sum(not result.passed for result in own)
        said = f"{failed} of {counted(len(own), 'example')} failed" if failed else counted(len(own), "example")
        click.echo(f"{'✘' if failed else '✔' if own else '-'} {tool.name}: {said}")
        for result in own:
            if verbose or not result.passed:
                _print_example(result)


def _print_example(result: MappingResult) -> None:
    failure = "" if result.passed else f": {result.failure}"
    click.echo(printable(f"  {'✔' if result.passed else '✘'} {result.example.name}{failure}"))
    click.echo(printable(f"    {result.example.place}"))
    for line in result.came:
        click.echo(printable(f"    {line}"))


def _end(results: list[MappingResult], errors: list[Problem]) -> None:
    failed = sum(not result.passed for result in results)
    said = f"{len(results) - failed} of {counted(len(results), 'example')} pass"
    said += f"; {counted(len(errors), 'error')} in mapping files" if errors else ""
    click.echo(said, err=True)
    if failed or errors:
        sys.exit(FAILED)
