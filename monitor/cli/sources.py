"""`nearmiss sources`: what arrives, and what is missing; `check` sends a sample through the real address."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

import click
import msgspec
from rich.console import Console

from monitor.cli.lines import say
from monitor.cli.main import Group
from monitor.cli.settings_options import with_settings_of_group, with_shared_settings
from monitor.core.model.durations import say_duration
from monitor.decode.proofs import proof
from monitor.decode.registry import meant_tools, tool_of
from monitor.intake.senders import IntakeAccess
from monitor.ops.clock import SystemClock
from monitor.ops.source_report import SourceReport, SourceRow, lag_words
from monitor.packs.pack import load_pack
from monitor.prompt.sample import NoAnswer, check_sample
from monitor.review.sources import as_json, read_report
from monitor.settings import Settings
from monitor.store.database import open_for_reading

_FAILED = 1
_TAKEN = 200


@click.group("sources", cls=Group, invoke_without_command=True, short_help="Show what arrives, and test a source.")
@with_settings_of_group
def group() -> None:
    """Show what arrives and what is missing, and try a source out. Without a command: `list`."""
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        context.invoke(show)


@group.command("list", short_help="Show each source against its own usual.")
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_shared_settings
def show(settings: Settings, output: str) -> None:
    """Show each source of the last two weeks: last delivery, rate against its own usual, clock, what gave no event.

    Then the user-facing services that nobody watches, and the rules for which nothing arrives. Exits 1 if a source is
    silent for longer than usual.
    """

    async def read() -> SourceReport:
        loaded = load_pack(settings.rules, settings.catalogue, settings.mappings, settings.weights)
        async with open_for_reading(settings.database) as store:
            now = SystemClock().now()
            expected = settings.access().expected
            return await read_report(store.sources, loaded.catalogue.catalogue, loaded.rules.rules, expected, now)

    report = asyncio.run(read())
    if output == "json":
        click.echo(msgspec.json.encode(as_json(report)))
    else:
        _print(Console(), report)
    if any(row.state.is_silent for row in report.sources):
        sys.exit(_FAILED)


def _print(console: Console, report: SourceReport) -> None:
    if not report.sources:
        say(console, f"nothing has arrived {report.ever()}; try `nearmiss sources check`")
    for row in report.sources:
        say(console, _line(row, report))
        for each in row.reasons:
            mark = "" if each.is_understood else " (not understood)"
            say(console, f"  {each.count} {each.reason}{mark}{': ' if each.detail else ''}{each.detail}")
    for service in report.services:
        if not service.sources:
            say(console, f"{service.service} cannot be judged: {service.why}")
    if report.silent_rules:
        say(console, f"{len(report.silent_rules)} of {report.rules} rules wait for kinds of events that nothing sends")


def _line(row: SourceRow, report: SourceReport) -> str:
    state = row.state
    usual = "usual unknown" if state.usual_day is None else f"usually {state.usual_day:,.0f}"
    if state.last_at is None:
        return f"{state.source}: nothing {report.ever()}; try `nearmiss sources check {state.source}`"
    last = f"last {say_duration(report.at - state.last_at)} ago"
    said = f"{state.source}: {last}; {state.last_day:,} in 24 h, {usual}"
    if state.lag is not None:
        said += f"; {lag_words(state.lag)}"
    return said + (f"; SILENT, usually at most {say_duration(state.allowed or 0)}" if state.is_silent else "")


@group.command("check", short_help="Send a sample through the real address and show what comes out.")
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@click.option(
    "--to",
    metavar="URL",
    envvar="NEARMISS_MONITOR",
    help="Address of the monitor, also NEARMISS_MONITOR.  [default: this machine, the configured port]",
)
@with_shared_settings
def check(settings: Settings, names: tuple[str, ...], to: str | None) -> None:
    """Send the sample of each SOURCE, such as github or pagerduty/acme, and show what the monitor makes of it.

    It is signed with the configured secret, passes the same checks as a real delivery, and nothing of it is kept.
    Without SOURCE, every source that has a secret or is open. Exits 1 if one does not come through.
    """
    wanted = names or tuple(sorted({*settings.secrets, *settings.open_sources}))
    if not wanted:
        raise click.UsageError(f"name a source; {meant_tools('')}")
    console = Console()
    address = to or f"http://127.0.0.1:{settings.port}"
    done = [_try(console, address, name, settings.access()) for name in wanted]
    if not all(done):
        sys.exit(_FAILED)


def _try(console: Console, address: str, name: str, access: IntakeAccess) -> bool:
    tool = tool_of(name)
    if tool is None:
        say(console, f"{name}: no tool of this name; {meant_tools(name)}", "red")
        return False
    body = tool.sample.body.encode()
    headers = {"content-type": "application/json", **tool.sample.headers}
    secrets = access.secrets_of(name)
    if secrets:
        proved = next(filter(None, (proof(tool.scheme, each, body, SystemClock().now()) for each in secrets)), None)
        if proved is None:
            say(
                console,
                f"{name}: only {tool.title} itself can sign; look for its last delivery in `nearmiss sources list`",
            )
            return True
        headers |= proved
    try:
        status, answer = check_sample(address, name, body, headers)
    except NoAnswer as error:
        say(console, f"{name}: {error} Try --to URL", "red")
        return False
    if status != _TAKEN:
        say(console, f"{name}: answered {status}: {answer.get('detail', '')}", "red")
        return False
    for event in answer.get("events", []):
        say(console, f"{name}: {_event(event)}")
    for each in (*answer.get("rejected", []), *answer.get("ignored", [])):
        say(console, f"{name}: {each['reason']}: {each['detail']}", "red")
    return bool(answer.get("events")) and not answer.get("rejected")


def _event(event: Mapping[str, object]) -> str:
    return "  ".join(str(event[key]) for key in ("kind", "service", "environment", "title") if event.get(key))
