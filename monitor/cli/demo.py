"""`nearmiss demo`: the service on a database of its own, with some days of an invented web shop played into it."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from monitor.app.composition import PortTaken, listen
from monitor.cli.run import WrongSetting, read_pack, start
from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.events import Event
from monitor.demo.player import Player, Stopped
from monitor.demo.story import CATALOGUE, story
from monitor.lab.ledger import Ledger
from monitor.ops import logs
from monitor.ops.clock import SystemClock
from monitor.packs.language.regex import make_regex
from monitor.pipeline.current_pack import Pack
from monitor.settings import Settings, load_settings

DEFAULT_PORT = 8080
_HOST = "127.0.0.1"


@click.command("demo", short_help="Run the service with demo events.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on.  [default: 8080, else a free one]")
def command(port: int | None) -> None:
    """Start the service on loopback, play six days of an invented web shop into it, and leave drafts to review.

    The database is temporary: Ctrl-C deletes it and your decisions.
    """
    console = Console(stderr=True)
    logs.configure("console", "warning")
    listener = _listener(port, console)
    with tempfile.TemporaryDirectory(prefix="nearmiss-demo-") as directory:
        settings = _settings(Path(directory))
        pack = read_pack(settings)
        events = story(SystemClock().now())
        show = _Show(console, events, _expected(pack, events))
        start(settings, pack, listener, show.run)
    console.print("Stopped.")


def _settings(directory: Path) -> Settings:
    # What is set in the environment is meant for the real service: a demonstration must not write into its database.
    # Six days are no week of a team: with a budget, which drafts are folded would hang on the day of the week.
    given = {"database": f"sqlite:///{directory / 'demo.db'}", "catalogue": str(CATALOGUE), "review_budget": 0}
    return load_settings(given, environ={})


def _listener(port: int | None, console: Console) -> socket.socket:
    try:
        return listen(_HOST, DEFAULT_PORT if port is None else port)
    except PortTaken as error:
        if port is not None:
            raise WrongSetting(str(error)) from error
        console.print(f"Port {DEFAULT_PORT} is taken; using a free one.")
        return listen(_HOST, 0)


def _expected(pack: Pack, events: list[Event]) -> int:
    """How many drafts the stream leaves standing: the same engine says so beforehand."""
    ledger = Ledger()
    ledger.record(Engine(pack.rules, pack.catalogue, make_regex, EngineSettings(weights=pack.weights)).step(events))
    return len(ledger.standing())


class _Show:
    """What a person sees while the stream is played, and where to look afterwards."""

    def __init__(self, console: Console, events: list[Event], expected: int) -> None:
        self._console = console
        self._events = events
        self._expected = expected

    async def run(self, address: str, stop: asyncio.Event) -> None:
        """Play in a thread, since the service lives in this one; the thread looks at `stop` at each pause."""
        await asyncio.to_thread(self._play, Player(address, stop.is_set))

    def _play(self, player: Player) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        try:
            with Progress(*columns, console=self._console) as bar:
                task = bar.add_task("Playing six days of a web shop", total=len(self._events))
                player.play(self._events, lambda count: bar.advance(task, count))
                bar.update(task, description="Waiting for the engine")
                waiting = player.wait_for_drafts(self._expected)
                bar.update(task, description="Played six days of a web shop")
        except Stopped:
            return
        self._console.print(f"[bold]{waiting} drafts[/bold] wait for you at")
        click.echo(player.address)
        self._console.print("Ctrl-C stops it.")
