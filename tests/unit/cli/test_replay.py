"""`nearmiss replay`: drafts on standard output and nothing else there."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from monitor.cli.replay import command
from monitor.decode.canonical import encode
from monitor.decode.streams import arrival_order
from tests.unit.lab.stories import TICKET, story

LINES = b"".join(encode(event) + b"\n" for event in arrival_order(story()))


def play(*arguments: str | Path, typed: bytes | None = None) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], input=typed)


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "stream.jsonl"
    path.write_bytes(LINES)
    return path


def drafts(result: Result) -> list[dict[str, object]]:
    return [msgspec.json.decode(line) for line in result.stdout.splitlines()]


def test_one_json_object_a_draft_with_all_that_was_promised(stream: Path, catalogue: Path) -> None:
    result = play(stream, "--catalogue", catalogue)
    assert result.exit_code == 0
    (draft,) = drafts(result)
    promised = "id rules family service environment title state verdict first_sign_at intervened_at safe_at opened_at"
    assert set(promised.split()) | {"margin", "evidence", "missing_evidence"} <= draft.keys()
    assert (draft["state"], draft["verdict"]) == ("draft", "none")
    assert "1 standing" in result.stderr


def test_a_withdrawn_draft_is_printed_with_its_reason(tmp_path: Path, catalogue: Path) -> None:
    hit = {
        **TICKET,
        "time": "2026-03-10T17:40:00Z",
        "labels": {"evidence": "ticket"},
        "began_at": "2026-03-10T17:39:00Z",
    }
    path = tmp_path / "hit.jsonl"
    path.write_bytes(b"".join(encode(event) + b"\n" for event in arrival_order(story(hit))))
    (draft,) = drafts(play(path, "--catalogue", catalogue))
    assert (draft["state"], draft["reason"]) == ("withdrawn", "impact_afterwards")


def test_compressed_files_and_standard_input_give_the_same(stream: Path, catalogue: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(LINES))
    plain = play(stream, "--catalogue", catalogue).stdout
    assert play(packed, "--catalogue", catalogue).stdout == plain
    assert play("-", "--catalogue", catalogue, typed=LINES).stdout == plain


def test_unreadable_lines_are_named_on_standard_error(tmp_path: Path, catalogue: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    path.write_bytes(b'{"id": \x1b[2J\n' + LINES)
    result = play(path, "--catalogue", catalogue)
    assert result.exit_code == 0
    assert len(drafts(result)) == 1
    assert f"{path}:1: not_json: " in result.stderr
    assert "\x1b" not in result.stderr


def test_nothing_readable_has_an_exit_status_of_its_own() -> None:
    result = play("-", typed=b"hello\nworld\n")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "-:2: not_json" in result.stderr


def test_an_empty_stream_is_no_error() -> None:
    result = play("-", typed=b"")
    assert (result.exit_code, result.stdout) == (0, "")


def test_the_table_is_for_people(stream: Path, catalogue: Path) -> None:
    result = play(stream, "--catalogue", catalogue, "--format", "table")
    assert result.exit_code == 0
    assert "rollback-before-burn" in result.stdout
    assert "2026-03-10 " in result.stdout


def test_a_narrow_terminal_breaks_the_title_only(
    stream: Path, catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.cli.replay._WIDTH_WITHOUT_TERMINAL", 80)
    result = play(stream, "--catalogue", catalogue, "--format", "table")
    (draft,) = drafts(play(stream, "--catalogue", catalogue))
    assert max(map(len, result.stdout.splitlines())) <= 80
    whole = [str(draft["opened_at"])[:16].replace("T", " "), str(draft["verdict"]), str(draft["state"]), draft["id"]]
    assert [each for each in whole if str(each) not in result.stdout] == []


def test_without_a_draft_the_table_says_so(catalogue: Path) -> None:
    assert play("-", "--format", "table", typed=b"").stdout == "no drafts\n"


@pytest.mark.parametrize("arguments", [[], ["/nowhere.jsonl"], ["-", "-"], ["-", "--rules", "/nowhere"]])
def test_wrong_usage(arguments: list[str]) -> None:
    assert play(*arguments).exit_code == 2


def test_a_broken_rule_stops_it_before_anything_is_read(stream: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("rule: broken\nhazzard: {}\n", encoding="utf-8")
    result = play(stream, "--rules", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "broken.yaml:" in result.stderr
