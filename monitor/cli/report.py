"""`nearmiss report`: that's weird, from a prompt, with the events around it, and what became of it."""

from __future__ import annotations

import os
import sys
from typing import Any
from uuid import uuid4

import click

from monitor.cli.telling import ADDRESS
from monitor.core.model.events import to_text
from monitor.ops.clock import SystemClock


@click.command(short_help="Report something odd, or that nearly went wrong.")
@click.argument("words", metavar="[TEXT]...", nargs=-1)
@click.option("--service", metavar="NAME", help="The service that it is about.")
@click.option("--environment", "--env", metavar="NAME", help="Its environment.")
@click.option("--near-miss", is_flag=True, help="It nearly went wrong.  [default: something odd, left as it was]")
@click.option(
    "--hurt",
    type=click.Choice(["no", "unknown", "yes"]),
    default="unknown",
    show_default=True,
    help="Whether users were hit.",
)
@click.option("--seen-at", metavar="TIME", help="When you saw it, RFC 3339 with an offset.  [default: now]")
@click.option("--around", is_flag=True, help="Only list the events around it, which --keep takes.")
@click.option("--keep", metavar="EVENT", multiple=True, help="An event around it to attach, as --around lists it.")
@click.option("--anonymous", is_flag=True, help="Store not even your role; the token is the only way back.")
@click.option("--token", metavar="TEXT", help="Of a report that is sent again.  [default: a new one]")
@click.option("--follow", metavar="TOKEN", help="Only say what became of a report.")
@click.option(
    "--to",
    metavar="URL",
    envvar="NEARMISS_MONITOR",
    default=ADDRESS,
    show_default=True,
    help="Address of the monitor, also NEARMISS_MONITOR. NEARMISS_ACCOUNT has the secret of an account.",
)
def command(
    words: tuple[str, ...],
    service: str | None,
    environment: str | None,
    near_miss: bool,
    hurt: str,
    seen_at: str | None,
    around: bool,
    keep: tuple[str, ...],
    anonymous: bool,
    token: str | None,
    follow: str | None,
    to: str,
) -> None:
    """Report that something is odd, such as `nearmiss report "the queue is stuck" --service payments`.

    At a terminal the events around it are listed, to keep or drop. The report becomes a draft once it is clear that no
    harm followed.
    """
    if follow is not None:
        found = _ask(to, "POST", "/reports/follow", json={"token": follow})
        record = f": {to.rstrip('/')}/near-misses/{found['record']}" if found["record"] else ""
        click.echo(f"{found['state']}, reported {found['reported_at']}{record}")
        return
    if service is None:
        raise click.UsageError('expected --service; try `nearmiss report "the queue is stuck" --service payments`')
    seen = seen_at or str(to_text(SystemClock().now()))
    if around:
        for number, line in enumerate(_around(to, service, seen), 1):
            click.echo(f"{number:>2}  {line[1]}\n    {line[0]}")
        return
    story = " ".join(words).strip()
    if not story:
        raise click.UsageError('expected a few words; try `nearmiss report "the queue is stuck" --service payments`')
    if not keep and sys.stdin.isatty():
        keep = _chosen(_around(to, service, seen))
    token = token or uuid4().hex
    body = {
        "token": token,
        "kind": "near_miss" if near_miss else "noticed_not_acted",
        "service": service,
        "story": story,
        "seen_at": seen,
        "hurt": hurt,
        "environment": environment,
        "anonymous": anonymous,
        "attached": list(keep),
    }
    done = _ask(to, "POST", "/reports", again=f"send it again with --token {token}", json=body)
    click.echo("known already" if done["duplicate"] else "stored")
    click.echo(f"follow it up: nearmiss report --follow {token}")


def _around(to: str, service: str, seen: str) -> list[tuple[str, str]]:
    """What names each event, and what it says."""
    found = _ask(to, "GET", "/reports/around", params={"service": service, "seen_at": seen})
    return [
        (f"{each['source']} {each['id']}", f"{each['time']} {each['kind']} {_shown(each['title'] or '')}")
        for each in found["items"]
    ]


def _chosen(offered: list[tuple[str, str]]) -> tuple[str, ...]:
    """Those that the person keeps: all unless some are dropped by their numbers."""
    if not offered:
        return ()
    for number, line in enumerate(offered, 1):
        click.echo(f"{number:>2}  {line[1]}")
    answer = click.prompt("Keep all of these? Enter, or the numbers to drop", default="", show_default=False)
    dropped = {int(each) for each in answer.replace(",", " ").split() if each.isdecimal() and len(each) < 10}
    return tuple(name for number, (name, _) in enumerate(offered, 1) if number not in dropped)


def _shown(text: str) -> str:
    """Without what could steer a terminal."""
    return "".join(each if each.isprintable() else " " for each in text)[:120]


def _ask(to: str, method: str, path: str, *, again: str = "", **options: Any) -> dict[str, Any]:
    # Imported here: `nearmiss --help` must not wait for it.
    from monitor.prompt.reporting import NotDone, ask

    try:
        return ask(to, os.environ.get("NEARMISS_ACCOUNT"), method, path, **options)
    except NotDone as error:
        raise click.ClickException(f"not sent: {error}" + (f"; {again}" if again else "")) from error
