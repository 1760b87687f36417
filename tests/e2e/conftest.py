"""What the end-to-end tests share: the service as a process, and the demonstration stream as bytes to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.decode.canonical import encode
from monitor.demo.story import CATALOGUE, story
from monitor.ops.clock import SystemClock
from tests.support.service import Service

MakeService = Callable[..., Service]


@pytest.fixture
def make_service(tmp_path: Path) -> Iterator[MakeService]:
    """Makes services that keep their SQLite database in the test's directory; not started yet."""
    made: list[Service] = []

    def make(*arguments: str, environment: dict[str, str] | None = None) -> Service:
        database = () if "--database" in arguments else ("--database", f"sqlite:///{tmp_path / 'nearmiss.db'}")
        service = Service(tmp_path, *database, "--catalogue", str(CATALOGUE), *arguments, environment=environment)
        made.append(service)
        return service

    yield make
    for service in made:
        service.close()


@pytest.fixture(scope="session")
def lines() -> list[bytes]:
    """Six days of an invented web shop that end now, an event a line."""
    return [encode(event) for event in story(SystemClock().now())]
