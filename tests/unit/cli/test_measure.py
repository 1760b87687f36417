"""`nearmiss measure`: what it keeps can be read by the commands that are to read it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from click.testing import CliRunner, Result

from monitor.cli.measure import command as measure
from monitor.cli.replay import command as replay
from tests.unit.packs.written import GOOD


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(measure, [str(argument) for argument in arguments])


def test_what_is_kept_is_the_stream_its_catalogue_and_the_truth(tmp_path: Path) -> None:
    pack, stream = tmp_path / "pack", tmp_path / "year.jsonl"
    pack.mkdir()
    (pack / "page-and-fix.yaml").write_text(GOOD, encoding="utf-8")
    result = run("--days", "30", "--services", "60", "--planted", "5", "--rules", pack, "--keep", stream)
    # One rule does not find what others are for; what is kept is kept all the same.
    assert result.exit_code in {0, 1}, result.output
    assert "kept" in result.stderr
    truth = msgspec.json.decode((tmp_path / "year.jsonl.truth.json").read_bytes())
    assert len(truth["planted"]) == 5
    assert all(planted["at"].endswith("Z") for planted in truth["planted"])
    catalogue = tmp_path / "year.jsonl.catalogue.yaml"
    arguments = [stream, "--catalogue", catalogue, "--rules", pack]
    played = CliRunner().invoke(replay, [str(each) for each in arguments])
    assert played.exit_code == 0, played.output
    assert "unreadable" not in played.stderr
