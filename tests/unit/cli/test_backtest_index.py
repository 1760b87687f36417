"""`nearmiss rules backtest --index`: the first run writes it, later ones replay what a changed rule can affect."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result

from tests.unit.cli.test_rules_backtest import BURN, NAME, lines, run
from tests.unit.lab.stories import story

OTHER = BURN.replace(NAME, "flags").replace("alert.fired", "change.flag_set")


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "stream.jsonl"
    path.write_bytes(lines(story()))
    return path


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    directory = tmp_path / "pack"
    directory.mkdir()
    (directory / f"{NAME}.yaml").write_text(BURN, encoding="utf-8")
    (directory / "flags.yaml").write_text(OTHER, encoding="utf-8")
    return directory


def by_index(pack: Path, stream: Path, *more: str | Path) -> Result:
    return run(pack, "--events", stream, "--index", stream.parent / "index", "--format", "json", *more)


def alone(pack: Path, stream: Path) -> Result:
    return run(pack, "--events", stream, "--format", "json")


def test_the_first_run_writes_the_index_and_the_second_replays_nothing(pack: Path, stream: Path) -> None:
    first, second = by_index(pack, stream), by_index(pack, stream)
    assert first.exit_code == second.exit_code == 0
    assert first.stdout == second.stdout == alone(pack, stream).stdout
    assert "replay" not in first.stderr
    assert "changed: no rule; nothing to replay\nall else is as in the index" in second.stderr


def test_a_changed_rule_that_meets_nothing_replays_nothing(pack: Path, stream: Path) -> None:
    by_index(pack, stream)
    (pack / "flags.yaml").write_text(OTHER.replace("30m", "2h"), encoding="utf-8")
    again = by_index(pack, stream)
    assert again.stdout == alone(pack, stream).stdout
    assert "changed: flags; nothing to replay" in again.stderr


def test_where_a_changed_rule_meets_its_days_are_replayed(pack: Path, stream: Path) -> None:
    by_index(pack, stream)
    (pack / f"{NAME}.yaml").write_text(BURN.replace("{what}", "burnt"), encoding="utf-8")
    again = by_index(pack, stream)
    assert again.stdout == alone(pack, stream).stdout
    assert f"changed: {NAME}; replayed " in again.stderr


def test_other_events_are_run_whole_and_the_index_is_written_anew(pack: Path, stream: Path) -> None:
    by_index(pack, stream)
    stream.write_bytes(lines(story()[:-1]))
    again = by_index(pack, stream)
    assert (
        "not used, the events, the catalogue, the weights or the program are others now; written again" in again.stderr
    )
    assert "nothing to replay" in by_index(pack, stream).stderr


def test_a_rule_that_asks_of_the_past_what_the_index_does_not_know_is_run_whole(pack: Path, stream: Path) -> None:
    by_index(pack, stream)
    asks = OTHER.replace("within: 30m", "where: {derived.rollback: true}, within: 30m")
    (pack / "flags.yaml").write_text(asks, encoding="utf-8")
    again = by_index(pack, stream)
    assert "not used, the rules ask for other facts of the past; written again" in again.stderr
    assert again.stdout == alone(pack, stream).stdout


def test_a_file_that_is_no_index_is_named_and_written_anew(pack: Path, stream: Path) -> None:
    (stream.parent / "index").write_text("no index", encoding="utf-8")
    assert "not used, it cannot be read: " in by_index(pack, stream).stderr
    assert "nothing to replay" in by_index(pack, stream).stderr


def test_a_folder_that_does_not_take_it_is_one_line(pack: Path, stream: Path) -> None:
    result = run(pack, "--events", stream, "--index", stream.parent / "nowhere" / "index")
    assert result.exit_code == 1
    assert "cannot be written: " in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("more", [["--against", "pack"], ["--database", "sqlite:///x.db"]])
def test_what_an_index_cannot_serve_is_refused(pack: Path, stream: Path, more: list[str]) -> None:
    more = [str(pack) if each == "pack" else each for each in more]
    assert by_index(pack, stream, *more).exit_code == 2
    assert run(pack, "--events", "-", "--index", "x", typed=b"").exit_code == 2
