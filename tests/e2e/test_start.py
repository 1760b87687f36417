"""The service starts with what it was given, or says in one line what is wrong and how to mend it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeService
from tests.support.service import demonstration
from tests.support.waiting import until


def _run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor.cli.main", "run", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = _run("--port", str(port), "--database", f"sqlite:///{tmp_path / 'n.db'}")
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_open_address_without_accounts_is_refused(tmp_path: Path) -> None:
    done = _run("--host", "0.0.0.0", "--port", "0", "--database", f"sqlite:///{tmp_path / 'n.db'}")
    assert done.returncode == 2
    assert "account" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_problem_of_a_rule_is_told_before_anything_starts(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "broken.yaml").write_text("rule: broken\nhazrd: {}\nfamily: unheard-of\n")
    done = _run("--rules", str(rules), "--port", "0", "--database", f"sqlite:///{tmp_path / 'n.db'}")
    assert done.returncode == 2
    assert "broken.yaml:2" in done.stderr
    assert "broken.yaml:3" in done.stderr
    assert not (tmp_path / "n.db").exists()


def test_the_endpoints_of_operators_answer(make_service: MakeService) -> None:
    service = make_service().start()
    assert service.get("/healthz").status_code == 200
    assert service.get("/readyz").json() == {"ready": True, "checks": {"store": "ok", "engine": "ok", "memory": "ok"}}
    metrics = service.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    for series in (
        'nearmiss_events_rejected_total{reason="not_json"} 0.0',
        'nearmiss_drafts_opened_total{rule="flag-flipped-back"} 0.0',
        'nearmiss_events_received_total{source="pagerduty"} 0.0',
        "nearmiss_intake_paused 0.0",
    ):
        assert series in metrics.text
    assert "/ingest/{source}" in service.get("/api/v1/openapi.json").text
    assert service.stop() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_demonstration_leaves_drafts_to_judge_and_stops_cleanly(how: signal.Signals, tmp_path: Path) -> None:
    told = tmp_path / "told"
    with demonstration(tmp_path) as (demo, address):
        assert address.startswith("http://127.0.0.1:"), told.read_text()
        until(lambda: "13 drafts" in told.read_text(), "the number of drafts is told")
        demo.send_signal(how)
        assert demo.wait(30) == 0
    # Nothing of it stays behind.
    assert [path for path in tmp_path.iterdir() if path != told] == []
