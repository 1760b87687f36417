"""`nearmiss note` and `nearmiss ran` against a running service, and without one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from monitor.core.model.events import Event, Instant
from monitor.prompt.delivery import deliver
from monitor.prompt.spool import REFUSED, Spool
from tests.support.service import Service, without_settings

NOWHERE = "http://127.0.0.1:1"
PATIENT = ("--patience", "60")
"""A busy machine may need longer to answer than people at a prompt should wait."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("prompt")
    catalogue = directory / "catalogue.yaml"
    catalogue.write_text("services: {payments: {user_facing: true, aliases: [till]}, checkout: {}}\n")
    (directory / "nearmiss.yaml").write_text(
        f"secrets: {{events: [the-secret]}}\nbody_limit: 2KiB\ncatalogue: [{catalogue}]\n"
    )
    running = Service(
        directory,
        "--database",
        f"sqlite:///{directory / 'nearmiss.db'}",
        "--config",
        str(directory / "nearmiss.yaml"),
    )
    try:
        yield running.start()
    finally:
        running.close()


def nearmiss(home: Path, to: str, *arguments: str, shown: str = "the-secret") -> subprocess.CompletedProcess[str]:
    told = {"HOME": str(home), "XDG_STATE_HOME": str(home), "NEARMISS_MONITOR": to, "NEARMISS_TOKEN": shown}
    return subprocess.run(
        [sys.executable, "-m", "monitor.cli.main", *arguments],
        check=False,
        # On CI it would be automation that acts.
        env={name: value for name, value in without_settings(os.environ).items() if name != "CI"} | told,
        capture_output=True,
        text=True,
        timeout=60,
    )


def waiting(home: Path) -> list[Path]:
    return Spool(home / "nearmiss/spool").waiting()


def test_what_could_not_be_sent_is_sent_next_time(service: Service, tmp_path: Path) -> None:
    before = service.metric("nearmiss_events_accepted_total")
    ran = nearmiss(
        tmp_path, NOWHERE, "ran", "--service", "payments", "--", "sh", "-c", "echo out; echo err >&2; exit 7"
    )
    assert (ran.returncode, ran.stdout) == (7, "out\n")
    assert ran.stderr.startswith("err\n")
    assert "1 kept here and sent next time" in ran.stderr
    (kept,) = waiting(tmp_path)
    event = msgspec.json.decode(kept.read_bytes())
    assert (event["kind"], event["service"], event["labels"]["exit_code"]) == ("change.failed", "payments", "7")
    assert event["actor"]["kind"] == "human"

    wrong = nearmiss(tmp_path, service.address, "note", "odd: x", *PATIENT, shown="guessed")
    assert wrong.returncode == 0
    assert "answered 401" in wrong.stderr
    assert "NEARMISS_TOKEN" in wrong.stderr
    assert "2 kept" in wrong.stderr

    note = nearmiss(tmp_path, service.address, "note", "odd: the queue", "is stuck", "--service", "payments", *PATIENT)
    assert (note.returncode, note.stderr) == (0, "nearmiss: 2 that waited were sent too\n")
    assert waiting(tmp_path) == []
    assert service.metric("nearmiss_events_accepted_total") == before + 3
    assert nearmiss(tmp_path, service.address, "note", "odd: y", *PATIENT).stderr == "nearmiss: noted\n"


def test_a_misspelt_service_is_not_noted_unless_one_insists(service: Service, tmp_path: Path) -> None:
    before = service.metric("nearmiss_events_accepted_total")
    note = ("note", "odd: the queue is stuck", *PATIENT)
    refused = nearmiss(tmp_path, service.address, *note, "--service", "paymnts")
    assert refused.returncode == 2
    assert "no service of the catalogue is called 'paymnts'; did you mean payments?" in refused.stderr
    assert "try `--service payments`, or `--anyway`" in refused.stderr
    assert waiting(tmp_path) == []
    assert service.metric("nearmiss_events_accepted_total") == before
    insisted = nearmiss(tmp_path, service.address, *note, "--service", "paymnts", "--anyway")
    assert (insisted.returncode, insisted.stderr) == (0, "nearmiss: noted\n")


@pytest.mark.parametrize("name", ["payments", "Payments", "till", "payments-prod"])
def test_a_service_by_any_of_its_names_is_noted_in_silence(service: Service, tmp_path: Path, name: str) -> None:
    note = nearmiss(tmp_path, service.address, "note", "odd: x", "--service", name, *PATIENT)
    assert (note.returncode, note.stderr) == (0, "nearmiss: noted\n")


def test_a_service_that_is_like_no_other_is_noted_and_said_to_be_new(service: Service, tmp_path: Path) -> None:
    note = nearmiss(tmp_path, service.address, "note", "odd: x", "--service", "telescope", *PATIENT)
    assert note.returncode == 0
    assert note.stderr == "nearmiss: no service of the catalogue is called 'telescope'.\nnearmiss: noted\n"


def test_a_command_for_a_misspelt_service_runs_and_is_told_with_a_hint(service: Service, tmp_path: Path) -> None:
    before = service.metric("nearmiss_events_accepted_total")
    ran = nearmiss(
        tmp_path, service.address, "ran", "--service", "paymnts", *PATIENT, "--", "sh", "-c", "echo out; exit 3"
    )
    assert (ran.returncode, ran.stdout) == (3, "out\n")
    assert ran.stderr.startswith("nearmiss: no service of the catalogue is called 'paymnts'; did you mean payments?")
    assert service.metric("nearmiss_events_accepted_total") == before + 1
    quiet = nearmiss(tmp_path, service.address, "ran", "--service", "paymnts", "--anyway", *PATIENT, "--", "true")
    assert (quiet.returncode, quiet.stderr) == (0, "")


def test_a_name_is_not_asked_about_for_longer_than_one_waits(tmp_path: Path) -> None:
    note = nearmiss(tmp_path, NOWHERE, "note", "odd: x", "--service", "paymnts")
    assert note.returncode == 0
    assert "1 kept here" in note.stderr
    assert len(waiting(tmp_path)) == 1


def test_a_command_runs_whatever_is_wrong_with_the_spool(tmp_path: Path) -> None:
    (tmp_path / "nearmiss").write_text("a file where the folder should be")
    ran = nearmiss(tmp_path, "not an address", "ran", "echo", "--version", "hello")
    assert (ran.returncode, ran.stdout) == (0, "--version hello\n")
    assert "not kept" in ran.stderr
    missing = nearmiss(tmp_path, NOWHERE, "ran", "--", "no-such-command")
    assert missing.returncode == 127
    assert "command not found" in missing.stderr


def test_the_line_for_a_console_is_taken_as_it_stands_on_the_page(service: Service) -> None:
    page = Path("docs/how-to/tell-what-people-did.md").read_text(encoding="utf-8")
    (line,) = (block for block in re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE) if "curl" in block)
    line = line.replace("http://127.0.0.1:8080", service.address).replace("--max-time 3", "--max-time 60")
    told = {"PATH": os.environ["PATH"], "USER": "dev-one", "NEARMISS_TOKEN": "the-secret"}
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=told, check=False, timeout=90)
    assert done.returncode == 0, done.stderr
    answer = msgspec.json.decode(done.stdout)
    assert (answer["accepted"], answer["rejected"]) == (1, [])


def test_what_is_too_large_does_not_keep_the_others_waiting(service: Service, tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number, title in enumerate(("a", "b" * 3000, "c")):
        spool.add(Event(id=f"large-{number}", source="cli/host", time=Instant(number), kind="note.added", title=title))
    done = deliver(spool, service.address, "the-secret", 60)
    assert (done.sent, done.waiting, done.why) == (2, 0, "")
    assert "413" in done.rejected[0]
    assert [path.suffix for path in tmp_path.iterdir()] == [REFUSED]


def test_another_program_at_the_address_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.add(Event(id="n", source="cli/host", time=Instant(1), kind="note.added"))
    monkeypatch.setattr(httpx.Client, "post", lambda *_, **__: httpx.Response(202, content=b"<html>"))
    done = deliver(spool, "http://elsewhere", None, 60)
    assert (done.sent, done.waiting) == (0, 1)
    assert "no nearmiss" in done.why


def test_nobody_waits_for_a_long_spool(service: Service, tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add(Event(id="slow", source="cli/host", time=Instant(1), kind="note.added"))
    done = deliver(spool, service.address, "the-secret", seconds=0)
    assert (done.sent, done.waiting) == (0, 1)
    assert done.why.endswith("is slow")
