"""Finds the command that was asked for and loads only that one; turns errors that are expected into one clear line.

Knows the names of the commands and the exit codes, nothing of what the commands do.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import click

FINE = 0
FAILED = 1
WRONG_USAGE = 2
UNREADABLE = 3
INTERRUPTED = 130

Places = Mapping[str, tuple[str, str]]
"""Name → where the command is, and the line about it in the overview, so that the overview loads none of them."""

COMMANDS: Places = {
    "run": ("monitor.cli.run:command", "Run the service."),
    "demo": ("monitor.cli.demo:command", "Run the service with demo events."),
    "learn": ("monitor.cli.learn:command", "Import history before the first start."),
    "replay": ("monitor.cli.replay:command", "Find near misses in files of events."),
    "init": ("monitor.cli.init:command", "Write a catalogue and settings from your tools."),
    "evaluate": ("monitor.cli.evaluate:command", "Measure the rules on labelled cases."),
    "calibrate": ("monitor.cli.calibrate:command", "Fit the weights of the evidence to labelled material."),
    "measure": ("monitor.cli.measure:command", "Measure the rules on a synthetic year."),
    "decode": ("monitor.cli.decode:command", "Decode one payload of a tool."),
    "mapping": ("monitor.cli.mapping:group", "Create, check and test mappings for other tools."),
    "rules": ("monitor.cli.rules:group", "Check, test and explain rules."),
    "services": ("monitor.cli.services:group", "Find names that the catalogue does not explain."),
    "config": ("monitor.cli.config:group", "Check settings, rules and catalogue."),
    "feeds": ("monitor.cli.feeds:group", "Check the feeds that are pulled."),
    "note": ("monitor.cli.note:command", "Send a note that something is odd."),
    "report": ("monitor.cli.report:command", "Report something odd, or that nearly went wrong."),
    "ran": ("monitor.cli.ran:command", "Run a command and record it."),
    "sources": ("monitor.cli.sources:group", "Show what arrives, and test a source."),
    "rejects": ("monitor.cli.rejects:group", "List, show and requeue rejects."),
    "kafka": ("monitor.cli.kafka:group", "Check the Kafka cluster."),
    "topics": ("monitor.cli.topics:group", "Create topics, resume halted ones."),
    "rewind": ("monitor.cli.rewind:command", "Decide a period again."),
    "audit": ("monitor.cli.audit:group", "Verify and export the log of sign-ins and actions."),
    "password": ("monitor.cli.password:command", "Hash a password for an account."),
    "db": ("monitor.cli.db:group", "Create, upgrade and check the database."),
}


class Group(click.Group):
    """A group that says which commands it has when it is asked for another one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            close = get_close_matches(args[0], known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"
            if elsewhere := _elsewhere(ctx, args[0]):
                hint = f"did you mean {' or '.join(elsewhere)}?"
            raise click.UsageError(f"there is no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


def _elsewhere(ctx: click.Context, name: str) -> list[str]:
    """The commands of this very name in other places: a person remembers `check` better than what it belongs to.

    Loads every group, which only somebody who is lost has to wait for.
    """
    root = ctx.find_root().command
    found = []
    for first in root.list_commands(ctx) if isinstance(root, click.Group) else ():
        if first == name:
            found.append(f"nearmiss {first}")
        inner = root.get_command(ctx, first) if isinstance(root, click.Group) else None
        if isinstance(inner, click.Group) and name in inner.list_commands(ctx):
            found.append(f"nearmiss {first} {name}")
    return found


class LazyGroup(Group):
    """A group whose commands are imported when they are asked for: `places` says where each is, and a line about it."""

    def __init__(self, *args: Any, places: Places, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._places:
            return None
        module, attribute = self._places[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in self._places.items()])


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"nearmiss {version()}")
        ctx.exit()


def version() -> str:
    """The version that is installed."""
    # Imported here, because it is slow and only this question needs it.
    from importlib.metadata import version as installed

    return installed("nearmiss-monitor")


@click.group(
    cls=LazyGroup, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def cli() -> None:
    """Find near misses: what went wrong, was stopped in time, and hurt no user.

    Data goes to standard output, everything else to standard error. Exit codes: 0 success; 1 failure; 2 wrong usage
    or setting; 3 unreadable input. NEARMISS_DEBUG=1 prints tracebacks.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point; ends the process with an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # What a terminal of another encoding cannot show is no reason to fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and tell its exit code. Errors that a user can mend become one line each; defects stay loud."""
    try:
        result = cli.main(args=arguments, prog_name="nearmiss", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        return _unheard()
    except SystemExit as ending:
        # The reader of our output went away, as `head` does; click ends with 1 then.
        if not isinstance(ending.__context__, BrokenPipeError):
            raise
        return _unheard()
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        if os.environ.get("NEARMISS_DEBUG"):
            traceback.print_exception(error)
        for line in _said(error).splitlines() or [type(error).__name__]:
            click.echo(f"nearmiss: {line}", err=True)
        return code
    return result if isinstance(result, int) else FINE


def _unheard() -> int:
    """Nobody reads our output any more. Python would complain once more while it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return FINE


def _said(error: Exception) -> str:
    """The words of an error; of the system's about a file without their number, the file first."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _exit_code(error: Exception) -> int | None:
    """The exit code for an error that is expected to happen; None for a defect.

    Whoever raised one of our errors has imported its module already, so that nothing is loaded here only to ask.
    """
    for module, name, code in (
        ("monitor.settings", "BadSettings", WRONG_USAGE),
        ("monitor.core.faults", "Fault", FAILED),
        ("monitor.core.faults", "TooManyFaults", FAILED),
        ("monitor.ports", "NewerDatabase", FAILED),
        ("monitor.ports", "OutdatedDatabase", FAILED),
        ("monitor.ports", "MissingRight", FAILED),
        ("monitor.ports", "WrongDatabase", FAILED),
        ("monitor.ports", "Unavailable", FAILED),
        ("monitor.store.journal", "JournalLost", FAILED),
        ("monitor.kafka.errors", "KafkaProblem", FAILED),
    ):
        kind: Any = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return code
    if isinstance(error, OSError):
        return UNREADABLE if error.filename is not None else FAILED
    return None


if __name__ == "__main__":
    main()
