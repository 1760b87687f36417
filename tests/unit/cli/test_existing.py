"""A command that works on what the service keeps never makes a database: a wrong address is said, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.cli.main import run

KAFKA = {"BOOTSTRAP": "127.0.0.1:1", "TOPICS": "in=events", "CANONICAL": "shared"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("rejects", "list"),
        ("rejects", "show", "1"),
        ("rejects", "requeue", "1"),
        ("rejects", "requeue", "--all"),
        ("topics", "halted"),
        ("topics", "resume", "in"),
        ("topics", "spread"),
        ("rewind", "--to", "2026-03-01T00:00:00Z"),
        ("rewind", "--to", "2026-03-01T00:00:00Z", "--dry-run"),
        ("db", "check"),
    ],
    ids=" ".join,
)
def test_a_database_that_is_not_there_is_named_and_not_made(
    arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in KAFKA.items():
        monkeypatch.setenv(f"NEARMISS_KAFKA__{name}", value)
    url = f"sqlite:///{tmp_path / 'elsewhere' / 'nearmiss.db'}"
    monkeypatch.setenv("NEARMISS_DATABASE", url)

    code = run(arguments)

    assert code == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"nearmiss: there is no database {url} yet: run `nearmiss db upgrade`\n")
    assert list(tmp_path.iterdir()) == []
