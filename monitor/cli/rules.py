"""`nearmiss rules`: checks rule files, runs their examples, and explains why something matched or did not.

Loads rules with the very loader that the service uses.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from monitor.cli.case_files import load_case
from monitor.cli.engine_options import catalogue_option, printable, read_catalogue, read_rules, rules_option
from monitor.cli.main import FAILED, UNREADABLE
from monitor.cli.why import print_why
from monitor.core.catalogue import Catalogue
from monitor.core.events import Event, EventId
from monitor.core.rule import Rule
from monitor.lab.explain import NoSuchEvent, explain_event
from monitor.lab.explain_draft import NoSuchDraft, explain_draft
from monitor.lab.replay import Source, events_of
from monitor.ops.lines import Unread, read_lines
from monitor.packs.describe import describe
from monitor.packs.example_run import Result, run_examples
from monitor.packs.loader import Loaded, load_rules
from monitor.packs.regex import make_regex
from monitor.packs.shipped import shipped_rules

_WIDTH_WITHOUT_TERMINAL = 160
_path_argument = click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))


@click.group("rules", short_help="Check, test and explain rules.")
def group() -> None:
    """Check, test and explain rules. Without a path the rules that come with the program are meant."""


@group.command("check", short_help="Print every problem of rule files.")
@_path_argument
def check(path: Path | None) -> None:
    """Read PATH (a rule file or a directory of them) and print every problem on a line of its own.

    Exits 1 when there is an error; warnings alone are fine.
    """
    loaded = load_rules(_given(path))
    _print_problems(loaded)
    warnings = len(loaded.problems) - len(loaded.errors)
    click.echo(
        f"{len(loaded.rules)} rules with {len(loaded.examples)} examples in {loaded.files} files;"
        f" {_counted(len(loaded.errors), 'error')}, {_counted(warnings, 'warning')}",
        err=True,
    )
    if loaded.errors:
        sys.exit(FAILED)


@group.command("test", short_help="Run the examples of rules.")
@_path_argument
@click.option("--rule", "names", multiple=True, metavar="NAME", help="Only the examples of this rule (repeatable).")
@click.option("--verbose", "-v", is_flag=True, help="Say for passed examples, too, what the engine did and why.")
def test(path: Path | None, names: tuple[str, ...], verbose: bool) -> None:
    """Run the examples of the rules in PATH, each rule alone, and print what came of them.

    Exits 1 when an example fails or a rule has an error.
    """
    loaded = load_rules(_given(path))
    _print_problems(loaded, errors_only=True)
    unknown = sorted(set(names) - set(loaded.places))
    if unknown:
        raise click.UsageError(f"no rule named {unknown[0]!r}; there are {', '.join(sorted(loaded.places))}")
    wanted = [example for example in loaded.examples if not names or example.rule in names]
    results = run_examples(loaded.rules, wanted, make_regex)
    _print_results(results, verbose)
    failed = sum(not result.passed for result in results)
    click.echo(f"{len(results) - failed} of {len(results)} examples pass", err=True)
    if failed or loaded.errors:
        sys.exit(FAILED)


@group.command("explain", short_help="Say why, and why not.")
@click.argument("names", nargs=-1, metavar="[RULE]...")
@click.option("--events", "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE",
              help="Events as JSON Lines (also compressed), or a case file (*.yaml).")  # fmt: skip
@click.option("--event", nargs=2, metavar="SOURCE ID", help="Why, and why not, for this event.")
@click.option("--draft", metavar="ID", help="Why this draft opened, and what it rests on.")
@rules_option
@catalogue_option
def explain(
    names: tuple[str, ...],
    file: str | None,
    event: tuple[str, str] | None,
    draft: str | None,
    rules_path: Path | None,
    catalogue_file: Path | None,
) -> None:
    """Say RULE in words; or, with --events, why an event or a draft of that stream matched or did not.

    With --event or --draft, naming rules leaves the others out of the tree.
    """
    rules = _named(read_rules(rules_path), names)
    if event is None and draft is None:
        if file is not None:
            raise click.UsageError("--events needs --event SOURCE ID or --draft ID")
        for rule in rules:
            print_why(describe(rule), marked=False)
        return
    if file is None:
        raise click.UsageError("--event and --draft need --events FILE, the stream that they are in")
    if event is not None and draft is not None:
        raise click.UsageError("--event and --draft cannot be explained at once; give one of them")
    events, catalogue = _stream(file, catalogue_file)
    try:
        if event is not None:
            print_why(explain_event(events, rules, catalogue, EventId(*event), make_regex))
        elif draft is not None:
            print_why(explain_draft(events, rules, catalogue, draft, make_regex))
    except (NoSuchEvent, NoSuchDraft) as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(FAILED)


def _given(path: Path | None) -> Path:
    return shipped_rules() if path is None else path


def _named(rules: Sequence[Rule], names: tuple[str, ...]) -> Sequence[Rule]:
    known = {rule.name: rule for rule in rules}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise click.UsageError(f"no rule named {unknown[0]!r}; there are {', '.join(sorted(known))}")
    return [known[name] for name in names] if names else rules


def _stream(file: str, catalogue_file: Path | None) -> tuple[list[Event], Catalogue]:
    """The events of a file and the catalogue that goes with them; a case file brings its own."""
    if Path(file).suffix in (".yaml", ".yml"):
        loaded = load_case(Path(file))
        for problem in loaded.problems:
            click.echo(printable(str(problem)), err=True)
        if loaded.case is None:
            sys.exit(UNREADABLE)
        own = loaded.case.catalogue if catalogue_file is None else read_catalogue(catalogue_file)
        return list(loaded.case.events), own
    events = events_of(Source(file, read_lines(file)), _Told())
    if not events:
        click.echo(f"{file}: no event could be read; expected one JSON event on each line", err=True)
        sys.exit(UNREADABLE)
    return events, read_catalogue(catalogue_file)


class _Told:
    """Says on standard error which lines could not be read."""

    def unread(self, name: str, unread: Unread) -> None:
        click.echo(printable(f"{name}:{unread.number}: {unread.reason}: {unread.detail}"), err=True)

    def progress(self, name: str, consumed: int, events: int) -> None:
        """The tree is what is waited for; reading takes no time worth a bar."""


def _print_problems(loaded: Loaded, *, errors_only: bool = False) -> None:
    for problem in loaded.errors if errors_only else loaded.problems:
        click.echo(printable(str(problem)))


def _print_results(results: Sequence[Result], verbose: bool) -> None:
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=_WIDTH_WITHOUT_TERMINAL)
    table = Table()
    for column in ("rule", "example", "expected", "came", ""):
        table.add_column(column, overflow="fold")
    for result in results:
        example = result.example
        expected: str = example.expect
        if example.reason is not None:
            expected += f": {example.reason}"
        if example.verdict is not None:
            expected += f", verdict {example.verdict}"
        cells = (example.rule, example.name, expected, result.got, "ok" if result.passed else "FAILED")
        table.add_row(*map(printable, cells))
    console.print(table)
    for result in results:
        if result.passed and not verbose:
            continue
        place = result.example.place
        said = result.failure or "passed"
        console.print(printable(f"{place}: {result.example.rule}: {result.example.name}: {said}"), soft_wrap=True)
        for draft in result.standing:
            console.print(printable(f"    draft: {draft.title}"), soft_wrap=True)
            for sentence in draft.explanation:
                console.print(printable(f"        {sentence}"), soft_wrap=True)
        for reason in result.reasons:
            console.print(printable(f"    not opened: {reason}"), soft_wrap=True)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
