"""Runs the engine of a command to its end: events at which it fails are named, put aside, and the rest is run again.

Knows how that is told to a person; what is run is the command's business.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import click

from monitor.cli.engine_options import printable
from monitor.core.model.faults import Culprit, Fault, TooManyFaults, shown, without_culprits

Whole = TypeVar("Whole")
_DEFECT = "this is a defect of nearmiss: please report it with the event and with what NEARMISS_DEBUG=1 prints"


def run_without_culprits(
    run: Callable[[Collection[Culprit]], Whole], files: Sequence[str] = ()
) -> tuple[Whole, tuple[Fault, ...]]:
    """What `run` gives, and what had to be put aside, which is told on standard error.

    `files`: what it reads, where it reads files. Raises click.ClickException where it cannot be run again.
    """

    def attempt(aside: Collection[Culprit]) -> Whole:
        try:
            return run(aside)
        except Fault as fault:
            if "-" not in files:
                raise
            told(fault)
            raise click.ClickException(
                "standard input cannot be read twice; save it to a file and pass that"
            ) from fault

    try:
        whole, faults = without_culprits(attempt)
    except TooManyFaults as error:
        raise click.ClickException(f"{printable(str(error))}; {_DEFECT}") from error
    for fault in faults:
        told(fault)
    return whole, faults


def told(fault: Fault, where: str = "") -> None:
    """Name on standard error what was put aside."""
    click.echo(f"{where}{printable(shown(fault.culprit))} was put aside: {printable(fault.why)}; {_DEFECT}", err=True)
    if os.environ.get("NEARMISS_DEBUG"):
        click.echo(fault.traceback, err=True)
