"""A real Prometheus for tests: Debian's package on a free port, with samples that promtool wrote before."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.ports import free_port
from tests.support.waiting import until

MISSING = "Prometheus is not installed; install it with: apt-get install prometheus (or run: make test)"

Samples = Iterable[tuple[int, float]]
"""Second and value, ascending."""


class RealPrometheus:
    """One server in a folder. `rules` is its file of rules, as JSON, which YAML includes; `more`: further settings."""

    def __init__(self, folder: Path, rules: str = "", more: str = "") -> None:
        if shutil.which("prometheus") is None or shutil.which("promtool") is None:
            pytest.skip(MISSING)
        self._folder = folder
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None
        self.rules_file = folder / "rules.json"
        if rules:
            self.rules_file.write_text(rules, encoding="utf-8")
        (folder / "data").mkdir(parents=True)
        self._port = free_port()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def fill(self, series: Mapping[str, Samples]) -> None:
        """Samples by series with its labels, as blocks on disk; before the server runs."""
        lines: dict[str, list[str]] = {}
        for name, samples in series.items():
            lines.setdefault(name.partition("{")[0], []).extend(f"{name} {value} {at}" for at, value in samples)
        body = "".join(f"# TYPE {metric} unknown\n" + "\n".join(found) + "\n" for metric, found in lines.items())
        file = self._folder / "samples.txt"
        file.write_text(body + "# EOF\n", encoding="utf-8")
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(file), str(self._folder / "data")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def running(self) -> Iterator[RealPrometheus]:
        """Until it is left; answers once this begins."""
        config = self._configure(self._more)
        with (self._folder / "log").open("w") as log:
            process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={config}",
                    f"--storage.tsdb.path={self._folder / 'data'}",
                    "--storage.tsdb.retention.time=10y",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                    # After a reload a Prometheus knows no Alertmanager for some seconds, and what fires then is lost.
                    "--rules.alert.resend-delay=1s",
                    "--log.level=warn",
                ],
                stdout=log,
                stderr=log,
            )
        self._process = process
        try:
            until(self._is_ready, "Prometheus is ready")
            yield self
        finally:
            process.terminate()
            process.wait(30)

    def reload(self, more: str) -> None:
        """Take other further settings while it runs."""
        assert self._process is not None
        self._configure(more)
        self._process.send_signal(signal.SIGHUP)

    def _configure(self, more: str) -> Path:
        config = self._folder / "prometheus.yml"
        rules = f"rule_files: ['{self.rules_file}']\n" if self.rules_file.exists() else ""
        config.write_text(
            f"global: {{scrape_interval: 30s, evaluation_interval: 30s}}\n{rules}{more}", encoding="utf-8"
        )
        return config

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/-/ready", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False
