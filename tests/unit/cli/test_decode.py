"""`nearmiss decode`: events on standard output, everything else on standard error, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli.decode import command
from monitor.core.model.reasons import Mark
from monitor.decode.canonical import decode_line

EVENT = {"id": "e1", "source": "probe", "time": "2026-03-10T13:00:00+01:00", "kind": "alert.fired"}
PUSH = {
    "ref": "refs/heads/main",
    "before": "a1",
    "after": "b2",
    "repository": {"name": "shop", "full_name": "acme/shop", "default_branch": "main", "pushed_at": 1_773_144_000},
}


def run(*arguments: str | Path, typed: Any = None) -> Result:
    given = typed if typed is None or isinstance(typed, bytes) else json.dumps(typed).encode()
    return CliRunner().invoke(command, [str(argument) for argument in arguments], input=given)


def test_events_are_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "body.json"
    path.write_text(json.dumps([EVENT, EVENT | {"id": "e2"}]), encoding="utf-8")
    result = run("events", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [decode_line(line).id for line in result.stdout_bytes.splitlines()] == ["e1", "e2"]
    assert json.loads(result.stdout.splitlines()[0]) == EVENT | {"time": "2026-03-10T12:00:00Z"}


def test_standard_input_and_headers() -> None:
    result = run("github/acme/shop", "-", "--header", "X-GitHub-Event=push", typed=PUSH)
    assert (result.exit_code, decode_line(result.stdout_bytes).source) == (0, "github/acme/shop")
    other = run("github", "-", "--header", "x-github-event=sponsorship", typed=PUSH)
    assert (other.exit_code, other.stdout) == (0, "")
    assert "unknown_type" in other.stderr


def test_a_reject_says_why_and_exits_3_with_its_neighbours_printed() -> None:
    result = run("events", "-", typed=[EVENT, EVENT | {"kind": "alert.sneezed"}])
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) == 1
    assert "unknown_kind" in result.stderr
    assert "alert.sneezed" in result.stderr


def test_the_time_of_receipt() -> None:
    body = {"routing_key": "r", "event_action": "resolve", "dedup_key": "d"}
    event = decode_line(run("pagerduty", "-", "--received-at", "2026-03-10T12:00:00Z", typed=body).stdout_bytes)
    assert (event.time, event.marks) == (1_773_144_000_000_000, (Mark.TIME_FROM_RECEIPT,))
    assert decode_line(run("pagerduty", "-", typed=body).stdout_bytes).time > event.time


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("events", "/no/such/file"), "/no/such/file"),
        (("events", "/"), "directory"),
        (("nobody", "-"), "alertmanager"),
        (("events", "-", "--header", "nothing"), "NAME=VALUE"),
        (("events", "-", "--header", "=x"), "NAME=VALUE"),
        (("events", "-", "--received-at", "2026-03-10"), "offset"),
        (("events",), "FILE"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_was_expected(arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments, typed=EVENT)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
