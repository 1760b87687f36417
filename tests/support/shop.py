"""Real servers of Debian's packages on loopback: a Prometheus, an Alertmanager, a blackbox exporter."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.ports import free_port
from tests.support.waiting import until

START_SECONDS = 120.0


@contextmanager
def running(directory: Path, arguments: Sequence[str], address: str, ready: str = "/-/ready") -> Iterator[str]:
    """A server until the end; gives its address once it answers."""
    log = directory / f"{Path(arguments[0]).name}.log"
    with log.open("w") as out:
        process = subprocess.Popen(arguments, stdout=out, stderr=out, cwd=directory)
    try:

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return httpx.get(address + ready, trust_env=False).is_success
            except httpx.TransportError:
                return False

        until(is_ready, f"{arguments[0]} is ready", within=START_SECONDS)
        yield address
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def newer_alertmanager() -> Path:
    """An Alertmanager with the event recorder, which `make recorder` builds. Skips where it was not built."""
    found = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nearmiss/alertmanager-0.35.0"
    if not found.exists():
        pytest.skip("no Alertmanager from 0.33 on: its event recorder was not tried; run: make recorder (needs Go)")
    return found


NOBODY = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


@contextmanager
def alertmanager(
    directory: Path, settings: Mapping[str, Any] = NOBODY, program: str = "prometheus-alertmanager", *more: str
) -> Iterator[str]:
    """An Alertmanager, which notifies nobody unless its settings say so; they are in `alertmanager.yml`."""
    config = directory / "alertmanager.yml"
    config.write_text(yaml.safe_dump(dict(settings)), encoding="utf-8")
    port = free_port()
    arguments = [
        program,
        *more,
        f"--config.file={config}",
        f"--storage.path={directory / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with running(directory, arguments, f"http://127.0.0.1:{port}") as address:
        yield address


@contextmanager
def blackbox_exporter(directory: Path) -> Iterator[str]:
    """A blackbox exporter with the module `http_2xx`."""
    config = directory / "blackbox.yml"
    config.write_text("modules: {http_2xx: {prober: http, http: {preferred_ip_protocol: ip4}}}\n")
    port = free_port()
    arguments = [
        "prometheus-blackbox-exporter",
        f"--config.file={config}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(directory, arguments, f"http://127.0.0.1:{port}", ready="/-/healthy") as address:
        yield address
