"""The how-to of mappings is followed literally: its payload, its mapping, its commands and its table of needs."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from monitor.cli.main import cli
from monitor.decode.registry import use_own
from monitor.packs.mappings.loader import load_mappings
from tests.architecture.files import text

PAGE = text(Path("docs/how-to/write-a-mapping.md")) or ""


def block(sort: str) -> str:
    found = re.search(rf"^( *)```{sort}\n(.*?)^\1```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    return textwrap.dedent(found[2])


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_page_leads_from_a_payload_to_an_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("probe.json").write_text(block("json"), encoding="utf-8")
    commands = re.findall(r"^ *(?:nearmiss (?!run).+|mkdir .+)$", PAGE, re.MULTILINE)
    try:
        for command in map(str.split, commands):
            if command[0] == "mkdir":
                Path(command[1]).mkdir()
                continue
            shown = run(*command[1:])
            if command[1:3] == ["mapping", "new"]:
                # The page goes on with what a person made of the proposal.
                assert "✔ probe: 1 example" in run("mapping", "test", "mappings")
                Path("mappings/probe.yaml").write_text(block("yaml"), encoding="utf-8")
            if command[1] == "decode":
                event = json.loads(shown)
                assert (event["kind"], event["service"], event["severity"]) == ("alert.fired", "Shop", "critical")
    finally:
        use_own(())
    assert len(commands) == 5


ROWS = [cells for line in PAGE.splitlines() if len(cells := re.split(r"(?<!\\)\|", line)) == 4 and "`" in cells[2]]


@pytest.mark.parametrize("written", [re.findall(r"`([^`]+)`", row[2].replace("\\|", "|"))[0] for row in ROWS])
def test_each_need_of_the_table_is_of_the_language(written: str, tmp_path: Path) -> None:
    key = written.partition(":")[0]
    event = "kind: alert.fired"
    if key in ("each", "signature"):
        whole = f"mapping: tool\n{written}\nevents: [{{{event}}}]\n"
    elif key == "also":
        whole = f"mapping: tool\nevents:\n  - {event}\n    {written}\n  - {event}\n"
    else:
        whole = f"mapping: tool\nevents:\n  - {event}\n    {written}\n"
    assert yaml.safe_load(whole)
    file = tmp_path / "tool.yaml"
    file.write_text(whole, encoding="utf-8")
    assert [str(problem) for problem in load_mappings(file).errors] == []


def test_the_table_is_looked_at() -> None:
    assert len(ROWS) == 12
