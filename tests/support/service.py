"""The real service as a process of its own, the way a user starts it: for tests that kill it, stop it and ask it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

from tests.support.waiting import until

START_SECONDS = 180.0
_ADDRESS = "nearmiss is at "
_SECONDS = 60.0


class Service:
    """`nearmiss run` on a free port of loopback. `process` is the one that was started last."""

    def __init__(self, directory: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.directory = directory
        self._arguments = arguments
        self._environment = {**without_settings(os.environ), **(environment or {})}
        self._log = directory / "service.log"
        self.process: subprocess.Popen[str] | None = None
        self.address = ""
        self.http = httpx.Client(timeout=_SECONDS, trust_env=False)

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor.cli.main", "run", "--port", "0", *self._arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith(_ADDRESS), f"the service did not start: {self.log()}"
        self.address = line.removeprefix(_ADDRESS).strip()
        until(self.is_ready, "the service is ready", within=START_SECONDS)
        return self

    def is_ready(self) -> bool:
        return self.get("/readyz").status_code == 200

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(self.address + path, **options)

    def post(self, path: str, content: bytes, **headers: str) -> httpx.Response:
        """Header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(self.address + path, content=content, headers=named)

    def near_misses(self) -> list[dict[str, Any]]:
        """Every record of the API, all pages."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.get(f"/api/v1/near-misses?limit=200{after}").json()
            found += page["items"]
            if not page["next"]:
                return found
            after = "&after=" + quote(page["next"])

    def metric(self, name: str) -> float:
        """A metric without labels, or with its labels written out."""
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        raise LookupError(f"no metric {name}")

    def kill(self) -> None:
        """As a power cut would: no handler runs."""
        assert self.process is not None
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """Ask it to stop, and tell its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def limit_file_size(self, size: int) -> None:
        """Let no file of the running service grow beyond `size` bytes, which writes meet as a full disk."""
        assert self.process is not None
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def peak_memory(self, *, anew: bool = False) -> int:
        """The most bytes of memory that the process has held, or holds now, from where the next peak counts `anew`."""
        assert self.process is not None
        here = Path(f"/proc/{self.process.pid}")
        if anew:
            (here / "clear_refs").write_text("5")
        lines = (here / "status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

    def starved(self) -> float:
        """Seconds for which the threads that it has now were ready to run and got no processor, all together."""
        assert self.process is not None
        seconds = 0.0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            with suppress(OSError):  # it has ended meanwhile
                seconds += int((thread / "schedstat").read_text().split()[1]) / 1e9
        return seconds

    def log(self) -> str:
        return self._log.read_text()

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process is not None:
            self.kill()
        self.http.close()

    def ended(self) -> int:
        """Wait until it ends by itself, and tell its exit code."""
        return self._reap()

    def _reap(self) -> int:
        assert self.process is not None
        code = self.process.wait(_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


@contextmanager
def demonstration(directory: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`nearmiss demo` and the address that it tells; what else it says goes to `told` in the directory."""
    with (directory / "told").open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "monitor.cli.main", "demo", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            env={"PATH": "/usr/bin:/bin", "TMPDIR": str(directory)},
        )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
        process.terminate()
        process.wait(_SECONDS)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def kafka_environment(bootstrap: str, **settings: str) -> dict[str, str]:
    """The settings for Kafka, by their names, as a service or a command takes them from the environment."""
    given = {"bootstrap": bootstrap, **settings}
    return {f"NEARMISS_KAFKA__{name.upper()}": value for name, value in given.items()}


def without_settings(environ: os._Environ[str]) -> dict[str, str]:
    """The environment without settings of whoever runs the tests."""
    return {name: value for name, value in environ.items() if not name.startswith("NEARMISS_")}
