"""`nearmiss mapping new`: proposes a mapping from a sample body and says what to do next. Overwrites nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from monitor.cli.engine_options import printable
from monitor.cli.main import FAILED, UNREADABLE
from monitor.core.model.events import to_text
from monitor.decode.jsontext import load
from monitor.decode.outcome import DecodeOutcome, Unreadable
from monitor.decode.registry import read_as
from monitor.located.nodes import parse_located
from monitor.located.problems import Problems
from monitor.packs.mappings.examples import RECEIVED_AT
from monitor.packs.mappings.grammar import NAME
from monitor.packs.mappings.loader import read_mapping
from monitor.packs.mappings.propose import LARGEST_SAMPLE, has_fields, propose, with_expectation


@click.command("new", short_help="Propose a mapping from a sample payload.")
@click.argument("sample", metavar="FILE")
@click.option("--name", help="The tool, as in /ingest/NAME.  [default: the name of FILE]")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="PATH",
              help="Write to PATH, which must not exist.  [default: standard output]")  # fmt: skip
def new(sample: str, name: str | None, output: Path | None) -> None:
    """Propose a mapping from FILE, a JSON body as the tool sends it; FILE may be - for standard input.

    The body becomes its example. Lines with TODO need your knowledge.
    """
    chosen = name or ("my-tool" if sample == "-" else "-".join(Path(sample).stem.lower().replace("_", "-").split()))
    if not NAME.match(chosen):
        raise click.BadParameter(
            f"{chosen!r} cannot be a name; expected lower-case words with hyphens", param_hint="--name"
        )
    body = _read(sample)
    try:
        value = load(body, LARGEST_SAMPLE)
    except Unreadable as error:
        click.echo(f"{sample}: {error.reason}: {error.detail}; expected one body in JSON", err=True)
        sys.exit(UNREADABLE)
    if not isinstance(value, dict | list):
        click.echo(f"{sample}: expected an object or an array; try the body as the tool sends it", err=True)
        sys.exit(UNREADABLE)
    if not has_fields(value):
        click.echo(f"{sample}: has no field with a value; try a body that the tool sent about an event", err=True)
        sys.exit(UNREADABLE)
    proposal = propose(chosen, value)
    text = with_expectation(proposal, _expectation(chosen, proposal, body))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        click.echo(f"{output} exists; nothing was written", err=True)
        sys.exit(FAILED)
    except OSError as error:
        click.echo(f"{output} cannot be written: {error.strerror or error}", err=True)
        sys.exit(FAILED)
    click.echo(str(output))
    click.echo(printable(f"Next: replace what says TODO, then: nearmiss mapping test {output}"), err=True)


def _read(sample: str) -> bytes:
    if sample == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(sample).read_bytes()
    except OSError as error:
        raise click.BadParameter(
            f"cannot read {sample!r}: {error.strerror or error}; expected a file, or - for standard input",
            param_hint="FILE",
        ) from None


def _expectation(name: str, proposal: str, body: bytes) -> str:
    """What the proposal makes of its own sample, as YAML on one line."""
    problems = Problems()
    node = parse_located(proposal.encode(), name, problems)
    # Read without its example, which has no expectation yet.
    if node is None:
        return "not_an_event"
    getattr(node, "entries", {}).pop("examples", None)
    read = read_mapping(node, problems)
    if read is None:
        return "not_an_event"
    outcome = read_as(read[0], name, body, {}, RECEIVED_AT)
    return _said(outcome)


def _said(outcome: DecodeOutcome) -> str:
    if not outcome.events:
        return str(outcome.skipped[0].reason if outcome.skipped else outcome.refusals[0].reason)
    events = []
    for event in outcome.events:
        shown = {"kind": event.kind, "service": event.service, "severity": event.severity, "subject": event.subject}
        if not event.marks:
            shown["time"] = to_text(event.time)
        events.append({key: value for key, value in shown.items() if value is not None})
    return msgspec.json.encode(events).decode()
