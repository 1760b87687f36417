"""`nearmiss run`: the service, from settings to a running process; what is wrong with them stops it before."""

from __future__ import annotations

import asyncio
import faulthandler
import socket
import threading
from contextlib import suppress

import click

from monitor.app.composition import Companion, PortTaken, compiled_pack, listen, serve
from monitor.cli.engine_options import stop_on_errors
from monitor.cli.settings_options import config_option, database_option
from monitor.kafka.errors import KafkaProblem
from monitor.ops import logs
from monitor.ops.tasks import TaskFailed
from monitor.packs.pack import load_pack
from monitor.pipeline.current_pack import Pack
from monitor.settings import Settings, load_settings

_log = logs.get_logger("app")
STACK = 2 * 1024**2
"""Bytes of each thread's stack. The usual 8 MiB of two dozen threads are half of a small address space, and bodies are
bounded in depth before anything follows it."""


class WrongSetting(click.ClickException):
    """What was asked for cannot be done with these settings."""

    exit_code = 2


@click.command("run", short_help="Run the service.")
@click.option("--host", help="Address to listen on; beyond loopback, accounts are required.  [default: 127.0.0.1]")
@click.option("--port", help="Port to listen on; 0 picks a free one.  [default: 8080]")
@database_option
@click.option("--rules", help="Directory of rules.  [default: the shipped rules]")
@click.option(
    "--catalogue", multiple=True, help=("Catalogue: a file or directory, nearmiss or Backstage format (repeatable).")
)
@click.option("--mappings", help="Directory of own mappings, which read the bodies of further tools.")
@click.option("--roles", help="Roles of this process: ingest, engine, review.  [default: all three]")
@config_option
def command(catalogue: tuple[str, ...], **flags: str | None) -> None:
    """Run the service: ingest events, find near misses, serve the review pages. SIGTERM or Ctrl-C stops it.

    Each option can also be set as NEARMISS_… in the environment. /readyz answers 200 when it is ready.
    """
    settings = load_settings({**flags, "catalogue": catalogue or None})
    logs.configure(settings.log_format, settings.log_level)
    start(settings, read_pack(settings), open_listener(settings), _announce)


def read_pack(settings: Settings) -> Pack:
    """Rules, catalogue and own mappings of the settings. Prints every problem; exits with 2 where one is an error."""
    loaded = load_pack(settings.rules, settings.catalogue, settings.mappings, settings.weights)
    stop_on_errors(loaded.problems)
    return compiled_pack(loaded)


def open_listener(settings: Settings) -> socket.socket:
    """Raises WrongSetting when the address is taken."""
    try:
        return listen(settings.host, settings.port)
    except PortTaken as error:
        raise WrongSetting(str(error)) from error


def start(settings: Settings, pack: Pack, listener: socket.socket, companion: Companion) -> None:
    """Run the service to its end. Raises click.ClickException with one line when a part of it dies.

    Whatever ends it says so: what it raised goes into the log, and a crash of the interpreter leaves its stacks.
    """
    faulthandler.enable()
    threading.stack_size(STACK)
    with listener:
        try:
            asyncio.run(serve(settings, pack, listener, companion))
        except KafkaProblem as error:
            raise WrongSetting(str(error)) from error
        except TaskFailed as error:
            why = str(error.__cause__ or "") or str(error)
            raise click.ClickException(f"stopped: {why}") from error
        except BrokenPipeError as error:
            # Elsewhere it means that nobody reads our output any more, which is a quiet end.
            raise click.ClickException(f"stopped: a connection broke: {error}") from error
        except BaseException as error:
            _log.critical("service_ended", why=repr(error))
            raise


async def _announce(address: str, _stop: asyncio.Event) -> None:
    with suppress(OSError):  # nobody reads it any more, such as `head` after its last line
        click.echo(f"nearmiss is at {address}")
