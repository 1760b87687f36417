"""An event at which the engine fails is named in one line by every command that runs the engine; the rest comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from monitor.cli.main import cli
from monitor.core.state.memory import Memory
from monitor.decode.canonical import encode
from monitor.decode.streams import arrival_order
from tests.unit.lab.stories import SHOP, STORY, story

SAID = "event probe poison was put aside: KeyError: 'injected'"
POISON: dict[str, Any] = {
    "id": "poison",
    "source": "probe",
    "time": "2026-03-10T12:03:00Z",
    "kind": "alert.fired",
    "service": "checkout",
}


@pytest.fixture(autouse=True)
def failing() -> Iterator[None]:
    real = Memory.add

    def add(memory: Memory, event: Any, *rest: Any) -> Any:
        done = real(memory, event, *rest)
        if event.id == "poison":
            raise KeyError("injected")
        return done

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Memory, "add", add)
        yield


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "stream.jsonl"
    path.write_bytes(b"".join(encode(event) + b"\n" for event in arrival_order(story(POISON))) + b"broken\n")
    return path


def nearmiss(*arguments: str | Path, typed: bytes | None = None) -> Result:
    result = CliRunner().invoke(cli, [str(each) for each in arguments], input=typed)
    assert "Traceback" not in result.output + result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_replay_names_it_and_prints_the_drafts_of_the_rest(stream: Path, catalogue: Path) -> None:
    result = nearmiss("replay", stream, "--catalogue", catalogue)
    assert result.exit_code == 1
    assert SAID in result.stderr
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr.count("not_json") == 2, "the line that cannot be read is named once, and counted in the sum"


def test_replay_of_standard_input_says_what_to_do(stream: Path, catalogue: Path) -> None:
    result = nearmiss("replay", "-", "--catalogue", catalogue, typed=stream.read_bytes())
    assert (result.exit_code, result.stdout) == (1, "")
    assert "save it to a file" in result.stderr


def test_backtest_names_it_and_reports_the_rest(stream: Path, catalogue: Path) -> None:
    result = nearmiss("rules", "backtest", "--events", stream, "--catalogue", catalogue, "--format", "json")
    assert result.exit_code == 1
    assert SAID in result.stderr
    assert len(json.loads(result.stdout)["drafts"]) == 1


def test_evaluate_names_it_and_judges_the_case(tmp_path: Path) -> None:
    events = [dict(event) for event in (*STORY, POISON)]
    expect = {"drafts": 1, "hazard": ["slow"], "intervention": ["back"], "withdrawn": False}
    case = {"id": "saved", "label": "near_miss", "catalogue": SHOP, "events": events, "expect": expect}
    (tmp_path / "saved.yaml").write_text(yaml.safe_dump(case), encoding="utf-8")
    result = nearmiss("evaluate", tmp_path, "--format", "json")
    assert result.exit_code == 1
    assert SAID in result.stderr
    assert json.loads(result.stdout)["recall"] == 1.0


def test_explain_says_that_it_was_left_out(stream: Path, catalogue: Path) -> None:
    result = nearmiss("rules", "explain", "--events", stream, "--event", "probe", "poison", "--catalogue", catalogue)
    assert "the engine left out event probe poison" in result.output
