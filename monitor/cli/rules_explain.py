"""`nearmiss rules explain`: says a rule in words, and why an event or a draft came out as it did.

Loads the stream and prints the tree; what is in the tree is the lab's to know.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

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
from monitor.packs.regex import make_regex


@click.command("explain", short_help="Say why, and why not.")
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
    catalogue_paths: tuple[Path, ...],
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
    events, catalogue = _stream(file, catalogue_paths)
    try:
        if event is not None:
            print_why(explain_event(events, rules, catalogue, EventId(*event), make_regex))
        elif draft is not None:
            print_why(explain_draft(events, rules, catalogue, draft, make_regex))
    except (NoSuchEvent, NoSuchDraft) as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(FAILED)


def _named(rules: Sequence[Rule], names: tuple[str, ...]) -> Sequence[Rule]:
    known = {rule.name: rule for rule in rules}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise click.UsageError(f"no rule named {unknown[0]!r}; there are {', '.join(sorted(known))}")
    return [known[name] for name in names] if names else rules


def _stream(file: str, catalogue_paths: tuple[Path, ...]) -> tuple[list[Event], Catalogue]:
    """The events of a file and the catalogue that goes with them; a case file brings its own."""
    if Path(file).suffix in (".yaml", ".yml"):
        loaded = load_case(Path(file))
        for problem in loaded.problems:
            click.echo(printable(str(problem)), err=True)
        if loaded.case is None:
            sys.exit(UNREADABLE)
        own = loaded.case.catalogue if not catalogue_paths else read_catalogue(catalogue_paths)
        return list(loaded.case.events), own
    events = events_of(Source(file, read_lines(file)), _Told())
    if not events:
        click.echo(f"{file}: no event could be read; expected one JSON event on each line", err=True)
        sys.exit(UNREADABLE)
    return events, read_catalogue(catalogue_paths)


class _Told:
    """Says on standard error which lines could not be read."""

    def unread(self, name: str, unread: Unread) -> None:
        click.echo(printable(f"{name}:{unread.number}: {unread.reason}: {unread.detail}"), err=True)

    def progress(self, name: str, consumed: int, events: int) -> None:
        """The tree is what is waited for; reading takes no time worth a bar."""
