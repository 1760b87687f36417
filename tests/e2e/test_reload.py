"""Rules and catalogue change under a running service: by signal, by watching, and broken in between."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.demo.story import CATALOGUE
from monitor.packs.rules.shipped import shipped_rules
from tests.support.service import Service
from tests.support.waiting import until

SLOWLY = "1h"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A directory with three rules, and a catalogue."""
    rules, catalogue = tmp_path / "rules", tmp_path / "catalogue.yaml"
    rules.mkdir()
    for file in sorted(shipped_rules().glob("oops/*.yaml"))[:3]:
        shutil.copy(file, rules / file.name)
    shutil.copy(CATALOGUE, catalogue)
    return rules, catalogue


def started(tmp_path: Path, files: tuple[Path, Path], watch: str) -> Service:
    rules, catalogue = files
    database = f"sqlite:///{tmp_path / 'nearmiss.db'}"
    arguments = ("--database", database, "--rules", str(rules), "--catalogue", str(catalogue))
    return Service(tmp_path, *arguments, environment={"NEARMISS_WATCH_EVERY": watch}).start()


def pack(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = service.get("/api/v1/pack").json()
    return found


def hang_up(service: Service) -> None:
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)


def write(file: Path, text: str) -> None:
    """At once: a service that watches never sees it half written."""
    beside = file.with_suffix(".beside")
    beside.write_text(text)
    beside.replace(file)


def changed(text: str) -> str:
    """A rule with another title."""
    assert text.count('\ntitle: "') == 1
    return text.replace('\ntitle: "', '\ntitle: "Now: ')


def test_a_signal_reads_everything_again(tmp_path: Path, files: tuple[Path, Path]) -> None:
    service = started(tmp_path, files, SLOWLY)
    try:
        first = pack(service)
        assert first["rules"] == 3
        rules = sorted(files[0].glob("*.yaml"))
        rules[0].write_text(changed(rules[0].read_text()))
        rules[1].unlink()
        hang_up(service)
        until(lambda: pack(service)["rules"] == 2, "the rule that was taken out is gone")
        assert pack(service)["rules_hash"] != first["rules_hash"]
        assert pack(service)["catalogue_hash"] == first["catalogue_hash"]
        until(lambda: "engine_renewed" in service.log(), "the engine goes by them")
        assert service.metric("nearmiss_rules_loaded") == 2
        assert f'nearmiss_pack_info{{catalogue="{first["catalogue_hash"]}",rules="{first["rules_hash"]}"}}' not in (
            service.get("/metrics").text
        )
        hang_up(service)
        until(lambda: "pack_unchanged" in service.log(), "the same again is no reload")
        assert service.stop() == 0
    finally:
        service.close()


def test_a_broken_file_keeps_the_last_good_rules_until_it_is_mended(tmp_path: Path, files: tuple[Path, Path]) -> None:
    service = started(tmp_path, files, "100ms")
    try:
        first = pack(service)
        rule = min(files[0].glob("*.yaml"))
        good = rule.read_text()
        write(rule, good.replace("hazard:", "hazrd:"))
        until(lambda: pack(service)["failed_at"], "the mistake is noticed")
        now = pack(service)
        assert (now["rules"], now["rules_hash"]) == (3, first["rules_hash"])
        assert any("hazrd" in problem and rule.name in problem for problem in now["problems"])
        assert service.metric("nearmiss_pack_last_reload_success") == 0
        assert service.metric("nearmiss_pack_reload_failures_total") == 1
        assert "edited files are invalid" in service.get("/").text
        assert service.is_ready()
        write(rule, changed(good))
        until(lambda: pack(service)["rules_hash"] != first["rules_hash"], "the mended file is taken")
        until(lambda: service.metric("nearmiss_pack_last_reload_success") == 1, "that is shown")
        assert pack(service)["problems"] == []
        assert "edited files are invalid" not in service.get("/").text
        catalogue = files[1]
        write(catalogue, catalogue.read_text() + "automation: [a-new-robot]\n")
        until(lambda: pack(service)["failed_at"], "a key that is given twice is noticed in the catalogue, too")
        assert service.stop() == 0
    finally:
        service.close()


def test_rules_that_come_while_it_runs_find_what_comes_then(
    tmp_path: Path, files: tuple[Path, Path], lines: list[bytes]
) -> None:
    """The whole way: a stream, a rule that is added in its middle, and the draft that only it finds."""
    kept = files[0] / "flag-flipped-back.yaml"
    shutil.copy(shipped_rules() / "oops" / "flag-flipped-back.yaml", tmp_path / "later.yaml")
    kept.unlink(missing_ok=True)
    service = started(tmp_path, files, "100ms")
    try:
        before = pack(service)["rules_hash"]
        write(kept, (tmp_path / "later.yaml").read_text())
        until(lambda: pack(service)["rules_hash"] != before, "the new rule is taken")
        for start in range(0, len(lines), 1000):
            body = b"\n".join(lines[start : start + 1000])
            assert service.post("/ingest/events", body, content_type="application/x-ndjson").status_code == 202
        until(lambda: any("flag-flipped-back" in each["rules"] for each in service.near_misses()), "its draft is there")
        opened = 'nearmiss_drafts_opened_total{rule="flag-flipped-back"}'
        until(lambda: f"{opened} " in service.get("/metrics").text and service.metric(opened) >= 1, "it is counted")
        assert service.stop() == 0
    finally:
        service.close()


def test_closing_the_terminal_ends_it(tmp_path: Path, files: tuple[Path, Path]) -> None:
    """The same signal, and nobody left who could have meant a reload."""
    terminal, inner = pty.openpty()
    command = [sys.executable, "-m", "monitor.cli.main", "run", "--port", "0", "--rules", str(files[0]),
               "--database", f"sqlite:///{tmp_path / 'nearmiss.db'}"]  # fmt: skip
    script = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *command],
        stdin=inner,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
        env={**os.environ, "NEARMISS_WATCH_EVERY": SLOWLY},
    )
    try:
        os.close(inner)
        assert process.stdout is not None
        assert "nearmiss is at" in process.stdout.readline()
        os.close(terminal)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


PROBE = """mapping: my-probe
fields: {service: check, id: [id], time: at}
events: [{kind: alert.fired, when: {state: down}}]
examples: [{name: down, body: {state: down}, expect: [{kind: alert.fired}]}]
"""


def test_own_mappings_are_taken_changed_and_kept_when_broken(tmp_path: Path, files: tuple[Path, Path]) -> None:
    own = tmp_path / "mappings"
    own.mkdir()
    file = own / "probe.yaml"
    file.write_text(PROBE)
    database = f"sqlite:///{tmp_path / 'nearmiss.db'}"
    arguments = ("--database", database, "--rules", str(files[0]), "--mappings", str(own))
    service = Service(tmp_path, *arguments, environment={"NEARMISS_WATCH_EVERY": "100ms"}).start()

    def send(identity: str, state: str) -> dict[str, Any]:
        body = {"state": state, "check": "shop", "id": identity, "at": "2026-03-01T10:00:00Z"}
        found: dict[str, Any] = service.post("/ingest/my-probe/acme", json.dumps(body).encode()).json()
        return found

    try:
        assert send("1", "down")["accepted"] == 1
        assert [each["reason"] for each in send("2", "failing")["ignored"]] == ["unknown_type"]
        file.write_text(PROBE.replace("state: down}}]", "state: [down, failing]}}]"))
        until(lambda: send("3", "failing")["accepted"] == 1, "the change is taken without a restart")
        file.write_text("mapping: my-probe\nevents: [\n")
        until(lambda: pack(service)["failed_at"], "the mistake is noticed")
        assert send("4", "failing")["accepted"] == 1, "what is broken changes nothing"
        file.unlink()
        (own / "other.yaml").write_text(PROBE.replace("my-probe", "other-probe"))
        until(lambda: service.post("/ingest/my-probe/acme", b"{}").status_code == 404, "what is gone is gone")
        assert service.stop() == 0
    finally:
        service.close()
