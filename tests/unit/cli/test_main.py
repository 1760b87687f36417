"""The entry point: finds commands without loading the others, and ends with one clear line and the right code."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from monitor.cli import main
from monitor.ports import NewerDatabase, Unavailable
from monitor.settings import BadSettings


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """A command `fail` that raises what is put into this list."""
    errors: list[BaseException] = []

    @click.command()
    @click.option("--number", type=int)
    def command(number: int | None) -> None:
        if errors:
            raise errors[0]

    monkeypatch.setattr(sys.modules[__name__], "command", command, raising=False)
    monkeypatch.setitem(main.COMMANDS, "fail", (f"{__name__}:command", "Fail."))
    return iter([errors])


def test_the_overview_names_every_command_and_loads_none() -> None:
    """Beside itself it loads what any import of the package does: the names of the tools that mappings read."""
    script = (
        "import sys; import monitor; whole = set(sys.modules);"
        "from monitor.cli.main import run; code = run(['--help']);"
        "print([name for name in sys.modules if name.startswith('monitor.') and name not in whole and name not in "
        "('monitor.cli', 'monitor.cli.main')]); print(sorted(name for name in whole if 'monitor.' in name));"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *_, loaded, whole = done.stdout.splitlines()
    assert loaded == "[]"
    assert ast.literal_eval(whole) == [
        "monitor.decode",
        "monitor.decode.known",
        "monitor.packs",
        "monitor.packs.mappings",
        "monitor.packs.mappings.shipped_tools",
    ]
    for name in main.COMMANDS:
        assert f"\n  {name} " in done.stdout


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out == f"nearmiss {version('nearmiss-monitor')}\n"


def test_an_unknown_command_gets_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["evalute", "--x"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "there is no command 'evalute'; did you mean evaluate?" in err


@pytest.mark.parametrize("group", ["mapping", "rules", "config", "rejects", "kafka", "topics", "db"])
def test_so_does_an_unknown_command_of_a_group(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([group, "xyzzy"]) == 2
    assert "there is no command 'xyzzy'; expected one of " in capsys.readouterr().err


def test_an_unknown_command_like_no_other_gets_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["xyzzy"]) == 2
    assert "expected one of run, demo, learn, replay" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            BadSettings(["port: 'x': expected a number", "host: no"]),
            2,
            "nearmiss: port: 'x': expected a number\nnearmiss: host: no\n",
        ),
        (NewerDatabase("made by version 9"), 1, "nearmiss: made by version 9\n"),
        (Unavailable("the disk is full"), 1, "nearmiss: the disk is full\n"),
        (
            FileNotFoundError(2, "No such file or directory", "a.jsonl"),
            3,
            "nearmiss: a.jsonl: No such file or directory\n",
        ),
        (click.ClickException("no rules there"), 1, "Error: no rules there\n"),
        (KeyboardInterrupt(), 130, "stopped\n"),
    ],
)
def test_an_error_that_is_expected_is_a_line_and_a_code(
    failing: Iterator[list[BaseException]],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    next(failing).append(error)
    assert main.run(["fail"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.lstrip("\n") == said


def test_debug_shows_where_an_error_comes_from(
    failing: Iterator[list[BaseException]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEARMISS_DEBUG", "1")
    next(failing).append(Unavailable("the disk is full"))
    assert main.run(["fail"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_defect_stays_loud(failing: Iterator[list[BaseException]]) -> None:
    next(failing).append(ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        main.run(["fail"])


def test_a_wrong_option_is_wrong_usage(
    failing: Iterator[list[BaseException]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["fail", "--number", "x"]) == 2
    assert "'x' is not a valid integer" in capsys.readouterr().err


def test_a_command_may_end_with_a_code_of_its_own(failing: Iterator[list[BaseException]]) -> None:
    next(failing).append(click.exceptions.Exit(3))
    assert main.run(["fail"]) == 3
    assert main.run(["fail"]) == 3


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    script = "import sys; from monitor.cli.main import main; main(['rules', 'explain'])"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:
        assert reading.stdout is not None
        assert reading.stderr is not None
        reading.stdout.read(10)
        reading.stdout.close()
        assert reading.stderr.read() == b""
    assert reading.returncode == 0


@pytest.mark.parametrize("group", ["mapping", "rules", "config", "rejects", "kafka", "topics", "db"])
def test_a_line_about_a_command_is_whole(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([group, "--help"]) == 0
    assert "..." not in capsys.readouterr().out.split("Commands:")[1]


@pytest.mark.parametrize("where", ["before", "after"])
def test_options_of_a_group_may_stand_before_or_after_its_command(
    where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--database", f"sqlite:///{tmp_path / 'mine.db'}"]
    said = ["rejects", *given, "list"] if where == "before" else ["rejects", "list", *given]
    assert main.run(said) == 1
    assert "mine.db yet" in capsys.readouterr().err
    nearer = ["rejects", "--database", "sqlite:///other.db", "list", *given]
    assert main.run(nearer) == 1
    assert "mine.db yet" in capsys.readouterr().err


def test_a_place_where_no_database_can_be_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter").write_text("not a directory", encoding="utf-8")
    assert main.run(["db", "upgrade", "--database", f"sqlite:///{tmp_path / 'letter' / 'mine.db'}"]) == 1
    said = capsys.readouterr().err
    assert "the database cannot be opened" in said
    assert "letter" in said
    assert "is it running" not in said


def test_a_port_that_is_taken_is_told_in_the_words_of_the_system(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main.run(["run", "--port", str(port)]) == 2
    assert (
        capsys.readouterr().err == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use; "
        "choose another with --port, or --port 0 for any free one\n"
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (["explain"], "did you mean nearmiss rules explain?"),
        (
            ["check"],
            "did you mean nearmiss mapping check or nearmiss rules check or nearmiss config check or nearmiss",
        ),
        (["rules", "replay"], "did you mean nearmiss replay?"),
        (["rules", "requeue"], "did you mean nearmiss rejects requeue?"),
    ],
)
def test_a_command_of_another_group_is_told_with_its_group(
    said: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(said) == 2
    assert meant in capsys.readouterr().err


def test_a_terminal_that_cannot_show_a_sign_is_no_reason_to_fail() -> None:
    script = "from monitor.cli.main import main; main(['rules', 'explain', 'full-averted'])"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"rule full-averted" in done.stdout
