"""`nearmiss evaluate`: a line a case, the figures, and broken files by name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml
from click.testing import CliRunner, Result

from monitor.cli.case_files import load_case
from monitor.cli.evaluate import command
from monitor.lab.dialects import DIALECTS
from tests.unit.lab.stories import SHOP, STORY, TICKET


def judge(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    expect = {"drafts": 1, "hazard": ["slow"], "intervention": ["back"], "withdrawn": False}
    events = [dict(event) for event in STORY]
    saved = {"id": "saved", "label": "near_miss", "catalogue": SHOP, "events": events, "expect": expect}
    hit = {"id": "hit", "label": "impact", "catalogue": SHOP, "events": [*events, dict(TICKET)], "confidence": "low"}
    for case in (saved, hit):
        (tmp_path / f"{case['id']}.yaml").write_text(yaml.safe_dump(case), encoding="utf-8")
    return tmp_path


def test_the_json_has_the_cases_and_the_figures(folder: Path) -> None:
    result = judge(folder, "--format", "json")
    assert result.exit_code == 0
    found = msgspec.json.decode(result.stdout)
    assert [case["id"] for case in found["cases"]] == ["hit", "saved"]
    assert (found["precision"], found["recall"], found["contradiction_rate"]) == (1.0, 1.0, 0.0)
    assert found["without_low_confidence"]["contradiction_rate"] is None
    assert (found["trivial_rule"]["recall"], found["trivial_rule"]["without_low_confidence"]["recall"]) == (1.0, 1.0)


def test_the_table_ends_with_the_figures(folder: Path) -> None:
    result = judge(folder)
    assert result.exit_code == 0
    assert "saved" in result.stdout
    assert "all cases: precision 1.00, recall 1.00" in result.stdout
    assert "baseline: any alert, note or incident, then a human change nearby within a day" in result.stdout


def test_a_narrow_terminal_breaks_the_name_of_a_case_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.cli.evaluate._WIDTH_WITHOUT_TERMINAL", 80)
    said = judge(folder).stdout
    assert max(map(len, said.splitlines())) <= 80
    for whole in ("standing", "withdrawn", "false", "near_miss", "impact (low)", "cited 1/1 + 1/1, well"):
        assert whole in said


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("label: near_miss", "label: near_mis", "error: label is 'near_mis'; expected impact, near_miss or not_near"),
        ("service: payments", "servce: payments", "warning: an event has no key 'servce': it is kept as a label"),
    ],
)
def test_a_word_that_is_misspelt_is_told_with_the_one_that_was_meant(
    folder: Path, old: str, new: str, told: str
) -> None:
    text = (folder / "saved.yaml").read_text(encoding="utf-8")
    assert old in text
    (folder / "saved.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    said = judge(folder).stderr
    assert told in said
    assert "did you mean that?" in said


def test_a_broken_case_is_named_and_the_others_are_judged(folder: Path) -> None:
    (folder / "broken.yaml").write_text("id: broken\nlabel: nearly\nevents: []\n", encoding="utf-8")
    result = judge(folder, "--format", "json")
    assert result.exit_code == 1
    assert len(msgspec.json.decode(result.stdout)["cases"]) == 2
    assert f"{folder / 'broken.yaml'}:2:8: error: label" in result.stderr


def test_a_slip_in_a_key_is_told(folder: Path) -> None:
    text = (folder / "saved.yaml").read_text(encoding="utf-8").replace("  hazard:", "  hazzard:")
    (folder / "saved.yaml").write_text(text, encoding="utf-8")
    result = judge(folder)
    assert result.exit_code == 0
    assert "unknown key 'hazzard'" in result.stderr


def test_labels_are_read_as_they_are_written(folder: Path) -> None:
    """Version 1.10 is not the number 1.1."""
    path = folder / "saved.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("version: '41'", "version: 1.10"), encoding="utf-8")
    case = load_case(path).case
    assert case is not None
    assert {event.labels["version"] for event in case.events if event.id in ("old", "back")} == {"1.10"}


def test_a_missing_directory_is_wrong_usage() -> None:
    assert judge("/nowhere").exit_code == 2


def test_an_empty_directory_has_no_figures(tmp_path: Path) -> None:
    """It is no success either: whoever runs it unattended has named the wrong directory."""
    result = judge(tmp_path, "--format", "json")
    assert result.exit_code == 1
    assert msgspec.json.decode(result.stdout)["precision"] is None
    result = judge(tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no case files in it; expected" in result.stderr


def test_several_folders_are_judged_together_and_each_for_itself(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (folder / "hit.yaml").rename(other / "acme-hit.yaml")
    (other / "acme-hit.yaml").write_text((other / "acme-hit.yaml").read_text().replace("id: hit", "id: acme-hit"))
    found = msgspec.json.decode(judge(folder, other, "--folds", "directory", "--format", "json").stdout)
    assert [case["id"] for case in found["cases"]] == ["saved", "acme-hit"]
    assert {name: fold["near_misses"] for name, fold in found["folds"].items()} == {str(folder): 1, str(other): 0}
    by_name = msgspec.json.decode(judge(folder, other, "--folds", "organisation", "--format", "json").stdout)["folds"]
    assert {name: fold["impacts"] for name, fold in by_name.items()} == {"acme": 1, "saved": 0}


def test_a_curve_is_a_picture(folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "curve.svg"
    assert judge(folder, "--curve", picture).exit_code == 0
    assert "any alert, note or record" in picture.read_text()


def test_dialects_are_a_table_with_the_change_of_recall(folder: Path) -> None:
    said = judge(folder, "--dialects").stdout
    for dialect in DIALECTS:
        assert f"{dialect.key}: {dialect.told}" in said
    assert "as they are" in said
    found = msgspec.json.decode(judge(folder, "--dialects", "--format", "json").stdout)["dialects"]
    assert found["as they are"]["recall"] == 1.0
    assert found["all-automation"]["near_misses"] == 1
