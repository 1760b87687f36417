"""`nearmiss decode`: shows what one body of a tool gives, before its times are compared with a clock.

Reads a file or standard input, prints, and sets the exit code; all reading of bodies is in `monitor.decode`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.cli.main import FAILED, UNREADABLE
from monitor.core.model.events import Instant
from monitor.decode.canonical import encode
from monitor.decode.outcome import Unreadable
from monitor.decode.registry import SOURCES, decode, meant_tools, use_own
from monitor.decode.times import read_time
from monitor.ops.clock import SystemClock


def _headers(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    headers = {}
    for value in values:
        name, found, text = value.partition("=")
        if not found or not name.strip():
            raise click.BadParameter(f"{value!r} is no header; expected NAME=VALUE, such as X-GitHub-Event=push")
        headers[name.strip()] = text
    return headers


def _received_at(ctx: click.Context, param: click.Parameter, value: str | None) -> Instant:
    if value is None:
        return SystemClock().now()
    try:
        return read_time(value, "time")[0]
    except Unreadable as error:
        raise click.BadParameter(error.detail) from None


@click.command(short_help="Decode one payload of a tool.")
@click.argument("source")
@click.argument("file")
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_headers,
    help="A header of the delivery (repeatable).",
)
@click.option(
    "--received-at",
    metavar="TIME",
    callback=_received_at,
    help="Receipt time, for a body without a time (RFC 3339; default: now).",
)
@click.option(
    "--mappings",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="Own mappings: a file, or a directory of them.",
)
def command(source: str, file: str, headers: dict[str, str], received_at: Instant, mappings: Path | None) -> None:
    """Print the events that one body of SOURCE gives, as JSON Lines. FILE may be - for standard input.

    SOURCE is where the body would be posted, such as pagerduty or github/acme/checkout. Rejects are explained on
    standard error with exit code 3, intended omissions with exit code 0.
    """
    if mappings is not None:
        _use(mappings)
    if source.partition("/")[0] not in SOURCES:
        raise click.BadParameter(f"nothing reads {source!r}; {meant_tools(source)}", param_hint="SOURCE")
    outcome = decode(source, _read(file), headers, received_at)
    for event in outcome.events:
        click.echo(encode(event))
    for skipped in outcome.skipped:
        click.echo(f"no event ({skipped.index}): {skipped.reason}: {skipped.detail}", err=True)
    if more := outcome.ignored_count - len(outcome.skipped):
        click.echo(f"no event: {more:,} more", err=True)
    for refusal in outcome.refusals:
        click.echo(f"rejected ({refusal.index}): {refusal.reason}: {refusal.detail}", err=True)
    if more := outcome.refused_count - len(outcome.refusals):
        click.echo(f"rejected: {more:,} more", err=True)
    if outcome.refusals:
        sys.exit(UNREADABLE)


def _use(mappings: Path) -> None:
    """Imported here: without own mappings nothing of YAML is needed."""
    from monitor.cli.engine_options import printable
    from monitor.packs.mappings.loader import load_mappings

    loaded = load_mappings(mappings)
    for problem in loaded.errors:
        click.echo(printable(str(problem)), err=True)
    if loaded.errors:
        sys.exit(FAILED)
    use_own(loaded.tools)


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise click.BadParameter(
            f"cannot read {file!r}: {error.strerror or error}; expected a file, or - for standard input",
            param_hint="FILE",
        ) from None
