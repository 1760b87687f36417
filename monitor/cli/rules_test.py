"""`nearmiss rules test`: runs the examples of rules and shows what was expected beside what came.

Adds no judgement of its own; the same results can be written for a build server.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from monitor.cli.engine_options import check_names, printable
from monitor.cli.lines import say
from monitor.cli.main import FAILED
from monitor.packs.examples.junit import junit
from monitor.packs.examples.runner import Result, run_examples
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import find_shared_names, load_rules
from monitor.packs.rules.shipped import shipped_rules

rule_paths = click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, path_type=Path))


@click.command("test", short_help="Run the examples of rules.")
@rule_paths
@click.option("--rule", "names", multiple=True, metavar="NAME", help="Only examples of this rule (repeatable).")
@click.option("--verbose", "-v", is_flag=True, help="Show every example, with the engine's reasons.")
@click.option("--junit", "report", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Also write JUnit XML.")  # fmt: skip
def test(paths: tuple[Path, ...], names: tuple[str, ...], verbose: bool, report: Path | None) -> None:
    """Run the examples of the rules in PATH... (files or directories), each rule alone.

    Prints one line per rule, and expected, actual and the engine's reasons for each failure. Warns about unknown
    event fields in examples, which become labels. Exits 1 if an example fails or a rule file has an error.
    """
    loaded = [load_rules(path) for path in paths or (shipped_rules(),)]
    errors = [*(problem for each in loaded for problem in each.errors), *find_shared_names(loaded)]
    for problem in errors:
        click.echo(printable(str(problem)))
    check_names(names, {name for each in loaded for name in each.places})
    results: list[Result] = []
    empty: list[str] = []
    for each in loaded:
        wanted = [example for example in each.examples if not names or example.rule in names]
        for doubt in dict.fromkeys(doubt for example in wanted for doubt in example.doubts):
            click.echo(printable(str(doubt)))
        results += run_examples(each.rules, wanted, make_regex)
        having = {example.rule for example in each.examples}
        empty += [rule.name for rule in each.rules if rule.name not in having and (not names or rule.name in names)]
    if report is not None:
        report.write_bytes(junit(results, errors))
    _print(results, empty, verbose=verbose)
    failed = sum(not result.passed for result in results)
    said = f"{len(results) - failed} of {counted(len(results), 'example')} pass"
    said += f"; {counted(len(errors), 'error')} in rule files" if errors else ""
    click.echo(said, err=True)
    if failed or errors:
        sys.exit(FAILED)


def counted(count: int, word: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{count} {word}" + ("" if count == 1 else "s")


def _print(results: Sequence[Result], empty: Sequence[str], *, verbose: bool) -> None:
    console = Console(highlight=False)
    by_rule: dict[str, list[Result]] = {}
    for result in results:
        by_rule.setdefault(result.example.rule, []).append(result)
    for rule, own in by_rule.items():
        failed = sum(not result.passed for result in own)
        said = f"{failed} of {counted(len(own), 'example')} failed" if failed else counted(len(own), "example")
        say(console, f"{_mark(not failed)} {rule}: {said}", _style(not failed))
        for result in own:
            if verbose or not result.passed:
                _print_example(console, result)
    for rule in empty:
        say(console, f"- {rule}: no example")


def _print_example(console: Console, result: Result) -> None:
    example = result.example
    failure = "" if result.passed else f": {result.failure}"
    say(console, f"  {_mark(result.passed)} {example.name}{failure}", _style(result.passed))
    say(console, f"    {example.place}", "dim")
    for said in result.comparison:
        say(console, f"    {said}")


def _mark(held: bool) -> str:
    return "✔" if held else "✘"


def _style(held: bool) -> str:
    return "green" if held else "red"
