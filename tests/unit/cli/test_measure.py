"""`nearmiss measure`: what it keeps can be read by the commands that are to read it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from click.testing import CliRunner, Result

from monitor.cli.measure import command as measure
from monitor.cli.replay import command as replay
from monitor.lab.dialects import DIALECTS
from monitor.packs.weights import as_text, shipped_weights
from tests.unit.packs.written import GOOD


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(measure, [str(argument) for argument in arguments])


def test_what_is_kept_is_the_stream_its_catalogue_and_the_truth(tmp_path: Path) -> None:
    pack, stream = tmp_path / "pack", tmp_path / "year.jsonl"
    pack.mkdir()
    (pack / "page-and-fix.yaml").write_text(GOOD, encoding="utf-8")
    result = run("--days", "30", "--services", "60", "--near-misses", "5", "--rules", pack, "--keep", stream)
    assert result.exit_code == 0, result.output
    assert "kept" in result.stderr
    truths = [msgspec.json.decode(line) for line in (tmp_path / "year.jsonl.truth.jsonl").read_bytes().splitlines()]
    assert sum(truth["label"] == "near_miss" for truth in truths) == 5
    assert all(truth["at"].endswith("Z") for truth in truths)
    catalogue = tmp_path / "year.jsonl.catalogue.yaml"
    arguments = [stream, "--catalogue", catalogue, "--rules", pack]
    played = CliRunner().invoke(replay, [str(each) for each in arguments])
    assert played.exit_code == 0, played.output
    assert "unreadable" not in played.stderr


def test_dialects_are_judged_by_the_same_truth(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "page-and-fix.yaml").write_text(GOOD, encoding="utf-8")
    result = run("--days", "14", "--services", "60", "--rules", pack, "--dialects", "--no-baseline", "--format", "json")
    assert result.exit_code == 0, result.output
    told = msgspec.json.decode(result.stdout)
    assert list(told["dialects"]) == ["as they are", *(dialect.key for dialect in DIALECTS)]
    assert len({one["near_misses"] for one in told["dialects"].values()}) == 1
    assert told["baseline"] is None


def test_figures_that_are_required_decide_the_exit_status(tmp_path: Path) -> None:
    pack, picture = tmp_path / "pack", tmp_path / "curve.svg"
    pack.mkdir()
    (pack / "page-and-fix.yaml").write_text(GOOD, encoding="utf-8")
    # Nothing is ever so probable, so that nothing is found.
    weights = tmp_path / "weights.yaml"
    sure = msgspec.structs.replace(shipped_weights(), live=0.9999999, digest=0.9999999)
    weights.write_text(as_text(sure, "a test"), encoding="utf-8")
    arguments: tuple[str | Path, ...] = ("--days", "14", "--services", "60", "--rules", pack, "--weights", weights)
    arguments += ("--format", "json", "--curve", picture)
    result = run(*arguments, "--require")
    assert result.exit_code == 1
    assert "not reached: " in result.stderr
    told = msgspec.json.decode(result.stdout)
    assert told["engine"]["summary"]["near_misses"] == told["baseline"]["near_misses"] > 0
    assert told["dialects"] == {}
    assert picture.read_text().startswith("<svg")
