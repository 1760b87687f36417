"""A broker and a database for measurements, started by the tests' own means and ended with the block.

The database runs without fsync, as for the tests: figures compare ways with one another on one machine, not disks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.kafka import KafkaBroker, new_broker
from tests.support.postgres import PostgresServer


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A running server without databases of ours."""
    server = PostgresServer()
    with server.watched():
        server.initialise()
        server.start()
        yield server
        server.stop()


@contextmanager
def broker(folder: Path) -> Iterator[KafkaBroker]:
    """A running broker that keeps its files in `folder`."""
    running = new_broker(folder)
    running.start()
    try:
        yield running
    finally:
        running.stop()
