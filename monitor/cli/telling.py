"""What `nearmiss note` and `nearmiss ran` share: their options, who asks, and what is said when the monitor is away."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import click
import msgspec

from monitor.core.model.events import Actor, Event, Instant, Kind
from monitor.decode.canonical import encode
from monitor.ops.clock import SystemClock
from monitor.prompt.spool import Spool, spool_folder

ADDRESS = "http://127.0.0.1:8080"
_LEAST_PATIENCE = 0.1


class TellingOptions(msgspec.Struct, frozen=True):
    """The options of both commands."""

    service: str | None
    environment: str | None
    by: str | None
    source: str | None
    to: str
    patience: float
    anyway: bool = False


class Doubt(msgspec.Struct, frozen=True):
    """A service that the monitor does not know, and the one that is most likely meant."""

    service: str
    nearest: str | None

    def __str__(self) -> str:
        said = f"no service of the catalogue is called {self.service!r}"
        return f"{said}." if self.nearest is None else f"{said}; did you mean {self.nearest}?"


def telling_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that say what it is about and where the monitor is, as `told`."""

    @click.option("--service", metavar="NAME", help="The service that it is about.")
    @click.option("--environment", "--env", metavar="NAME", help="Its environment.")
    @click.option("--by", metavar="NAME", help="Who did it.  [default: the user of this shell]")
    @click.option("--source", metavar="NAME", help="Source of the event.  [default: cli/HOST]")
    @click.option(
        "--to",
        metavar="URL",
        envvar="NEARMISS_MONITOR",
        default=ADDRESS,
        show_default=True,
        help="Address of the monitor, also NEARMISS_MONITOR. Its secret for `events` is read from NEARMISS_TOKEN.",
    )
    @click.option(
        "--patience",
        metavar="SECONDS",
        type=click.FloatRange(0.1, 300),
        default=3.0,
        show_default=True,
        help="Wait at most this long for the monitor; what was not sent goes out next time.",
    )
    @click.option("--anyway", is_flag=True, help="Accept the service name as given.")
    def reading(
        service: str | None,
        environment: str | None,
        by: str | None,
        source: str | None,
        to: str,
        patience: float,
        anyway: bool,
        **more: Any,
    ) -> None:
        command(told=TellingOptions(service, environment, by, source, to, patience, anyway), **more)

    reading.__doc__ = command.__doc__
    return reading


def event_of(told: TellingOptions, kind: Kind, at: Instant, title: str, labels: dict[str, str]) -> Event:
    """An event by the person at this prompt; a new identity each time."""
    host = socket.gethostname()[:64] or "unknown"
    return Event(
        id=f"{kind}-{uuid4().hex}",
        source=told.source or f"cli/{host}",
        time=at,
        kind=kind,
        service=told.service,
        environment=told.environment,
        title=title,
        actor=Actor(id=told.by or _user(), kind="automation" if os.environ.get("CI") else "human"),
        labels={"host": host, **labels},
    )


def doubted(told: TellingOptions, event: Event) -> tuple[Doubt | None, TellingOptions]:
    """What is odd about the service as it was typed, and the options with what is left of the patience.

    None where the monitor knows it, where it cannot be asked now, and where the person insists.
    """
    if told.service is None or told.anyway:
        return None, told
    # Imported here: loading it must not delay the command that is run first.
    from monitor.prompt.sample import NoAnswer, check_sample

    clock = SystemClock()
    began = clock.monotonic()
    token = os.environ.get("NEARMISS_TOKEN")
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    doubt = None
    try:
        _, answer = check_sample(told.to, "events", encode(event), headers, told.patience)
        doubt = next(iter(msgspec.convert(answer.get("unknown", []), list[Doubt])), None)
    except (NoAnswer, msgspec.ValidationError):
        pass
    left = max(_LEAST_PATIENCE, told.patience - (clock.monotonic() - began))
    return doubt, msgspec.structs.replace(told, patience=left)


def tell(told: TellingOptions, event: Event) -> bool:
    """Keep the event, then send all that waits; true if the monitor took this one, and nothing else is to say.

    Never fails: what is wrong is said in a line on standard error.
    """
    spool = Spool(spool_folder(os.environ))
    try:
        if evicted := spool.add(event):
            say(f"the spool is full; its {evicted} oldest were dropped")
    except OSError as error:
        say(f"not kept: {error}; trying to send nothing")
        return False
    # Imported here: loading it must not delay the command that is run first.
    from monitor.prompt.delivery import deliver

    done = deliver(spool, told.to, os.environ.get("NEARMISS_TOKEN"), told.patience)
    for detail in done.rejected:
        say(f"not understood: {detail}")
    if done.why:
        say(f"{done.why}; {done.waiting} kept here and sent next time")
    elif done.sent > 1:
        waited = done.sent - 1
        say(f"{waited} that waited {'was' if waited == 1 else 'were'} sent too")
    return done.sent == 1 and not (done.rejected or done.why)


def _user() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def say(line: str) -> None:
    """A line on standard error."""
    click.echo(f"nearmiss: {line}", err=True)
