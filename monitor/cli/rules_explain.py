"""`nearmiss rules explain`: says a rule in words, and why an event or a draft came out as it did.

Loads the stream and prints the tree; what is in the tree is the lab's to know.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from monitor.cli.case_files import load_case
from monitor.cli.engine_options import (
    catalogue_option,
    check_names,
    memory_option,
    printable,
    read_catalogue,
    read_rules,
    read_weights,
    rules_option,
    weights_option,
)
from monitor.cli.main import FAILED, UNREADABLE
from monitor.cli.streams import check_address
from monitor.cli.why import print_why
from monitor.core.deciding.engine import EngineSettings
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, Event, EventId, Instant
from monitor.core.model.near_miss import Cited, State
from monitor.core.model.reasons import Withdrawn
from monitor.core.model.rule import Rule
from monitor.lab.explain import NoSuchEvent, explain_event
from monitor.lab.explain_draft import NoSuchDraft, explain_draft
from monitor.lab.ledger import DraftEntry
from monitor.lab.replay import Source, events_of
from monitor.ops.lines import Unread, read_lines
from monitor.packs.language.describe import describe
from monitor.packs.language.regex import make_regex
from monitor.ports import NotFound, Record
from monitor.store.connections import Locations
from monitor.store.database import Store, open_for_reading

AROUND = 35 * DAY
"""How much of what is kept is read before and after an event or a draft in question."""


@click.command("explain", short_help="Explain why, and why not.")
@click.argument("names", nargs=-1, metavar="[RULE]...")
@click.option("--events", "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE",
              help="Events as JSON Lines (also compressed), or a case file (*.yaml).")  # fmt: skip
@click.option("--database", metavar="URL",
              help="The service's events and drafts: sqlite:///PATH or postgresql://…")  # fmt: skip
@click.option("--event", nargs=2, metavar="SOURCE ID", help="Explain this event.")
@click.option("--draft", metavar="ID", help="Explain this draft and its evidence.")
@click.option("--verbose", "-v", is_flag=True, help="For an event: every condition of every rule.")
@rules_option
@catalogue_option
@weights_option
@memory_option
def explain(
    names: tuple[str, ...],
    file: str | None,
    database: str | None,
    event: tuple[str, str] | None,
    draft: str | None,
    verbose: bool,
    rules_path: Path | None,
    catalogue_paths: tuple[Path, ...],
    weights_path: Path | None,
    state_bytes: int | None,
) -> None:
    """Describe RULE in words, or explain why an event or a draft matched or not.

    The stream is a file (--events) or the service's history (--database, read-only: the weeks around it). For an
    event the tree shows every rule with a step of its kind: the condition that fails and the actual value, nearby
    actions or hazards, windows, and the engine's reason. Naming rules limits the tree to them.

    Exits 1 if there is no such event or draft, 2 on wrong usage, 3 if no event can be read.
    """
    rules = _named(read_rules(rules_path), names)
    if event is None and draft is None:
        if file is not None or database is not None:
            raise click.UsageError("--events needs --event SOURCE ID or --draft ID, and so does --database")
        for rule in rules:
            print_why(describe(rule), marked=False)
        return
    if (file is None) == (database is None):
        raise click.UsageError("--event and --draft need --events FILE or --database URL")
    if event is not None and draft is not None:
        raise click.UsageError("give --event or --draft, not both")
    try:
        if database is not None:
            stored = _stored(database, None if event is None else EventId(*event), draft)
            events, catalogue, kept = stored.events, read_catalogue(catalogue_paths), stored.kept
        else:
            assert file is not None
            (events, catalogue), kept = _stream(file, catalogue_paths), None
        if event is not None:
            full = verbose or bool(names)
            weights = read_weights(weights_path)
            how = EngineSettings(weights=weights, state_bytes=state_bytes)
            print_why(explain_event(events, rules, catalogue, EventId(*event), make_regex, full=full, how=how))
        elif draft is not None:
            print_why(explain_draft(events, rules, catalogue, draft, make_regex, kept, read_weights(weights_path)))
    except (NoSuchEvent, NoSuchDraft) as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(FAILED)


class _Stored(msgspec.Struct):
    """What a database has around an event or a draft."""

    events: list[Event]
    kept: DraftEntry | None = None


def _stored(url: str, event_id: EventId | None, draft_id: str | None) -> _Stored:
    """Raises NoSuchEvent, NoSuchDraft, and what `open_for_reading` raises."""

    async def read() -> _Stored:
        async with open_for_reading(url) as store:
            if event_id is not None:
                event = await store.history.find(event_id)
                if event is None:
                    raise NoSuchEvent(f"no event {event_id.source} {event_id.id} in {Locations(url)}")
                return _Stored(await _around(store, event.time, event.time))
            try:
                record = await store.near_misses.get(draft_id or "")
            except NotFound:
                raise NoSuchDraft(f"no draft {draft_id!r} in {Locations(url)}") from None
            draft = record.draft
            return _Stored(await _around(store, draft.first_sign_at, draft.window_to), _entry(record))

    check_address(url)
    return asyncio.run(read())


async def _around(store: Store, first: Instant, last: Instant) -> list[Event]:
    since, until = Instant(first - AROUND), Instant(last + AROUND)
    return [event async for event in store.history.events(since, until)]


def _entry(record: Record) -> DraftEntry:
    withdrawn = record.state == State.WITHDRAWN and record.reason in set(Withdrawn)
    return DraftEntry(
        record.draft,
        record.state,
        Withdrawn(record.reason) if withdrawn and record.reason else None,
        impact=tuple(Cited("impact", event) for event in record.impact_evidence),
        merged_into=record.merged_into,
    )


def _named(rules: Sequence[Rule], names: tuple[str, ...]) -> Sequence[Rule]:
    known = {rule.name: rule for rule in rules}
    check_names(names, known)
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
    events = events_of(Source(file, read_lines(file)), _UnreadLines())
    if not events:
        click.echo(f"{file}: no event could be read; expected one JSON event on each line", err=True)
        sys.exit(UNREADABLE)
    return events, read_catalogue(catalogue_paths)


class _UnreadLines:
    """Says on standard error which lines could not be read."""

    def unread(self, name: str, unread: Unread) -> None:
        click.echo(printable(f"{name}:{unread.number}: {unread.reason}: {unread.detail}"), err=True)

    def progress(self, name: str, consumed: int, events: int) -> None:
        """The tree is what is waited for; reading takes no time worth a bar."""
