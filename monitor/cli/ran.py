"""`nearmiss ran`: runs a command, hands on its exit code, and tells the monitor who ran what, and how it ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence

import click

from monitor.cli.telling import TellingOptions, doubted, event_of, say, tell, telling_options
from monitor.ops.clock import SystemClock
from monitor.prompt.commandline import kind_of, program, shown

_NOT_FOUND, _NOT_EXECUTABLE, _SIGNALLED = 127, 126, 128


@click.command(
    short_help="Run a command and record it.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("words", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@telling_options
def command(words: tuple[str, ...], told: TellingOptions) -> None:
    """Run COMMAND unchanged, such as `nearmiss ran --service payments -- kubectl rollout undo deploy/payments`.

    Input, output and exit code are unchanged; passwords and tokens in the command are not sent. If the monitor
    is down, the event is stored on this machine and sent with the next one.
    """
    clock = SystemClock()
    began, since = clock.now(), clock.monotonic()
    code = _run(words)
    labels = {
        "command": shown(words),
        "program": program(words),
        "exit_code": str(code),
        "seconds": f"{clock.monotonic() - since:.1f}",
    }
    event = event_of(told, kind_of(words, code), began, labels["command"], labels)
    doubt, told = doubted(told, event)
    tell(told, event)
    if doubt is not None:
        say(f"{doubt} It was sent as it is written")
    sys.exit(code)


def _run(words: Sequence[str]) -> int:
    """The exit code, by the conventions of a shell."""
    try:
        process = subprocess.Popen(words)
    except FileNotFoundError:
        click.echo(f"nearmiss: {words[0]}: command not found", err=True)
        return _NOT_FOUND
    except OSError as error:
        click.echo(f"nearmiss: {words[0]}: {error.strerror}", err=True)
        return _NOT_EXECUTABLE
    # The terminal interrupts both; the command decides what to make of it. A request to end is handed on.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = process.wait()
    return _SIGNALLED - code if code < 0 else code
