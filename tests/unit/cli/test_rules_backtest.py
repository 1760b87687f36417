"""`nearmiss rules backtest`: the past through the eyes of a pack, from files and from what the service has kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from monitor.cli.replay import command as replay
from monitor.cli.rules import group
from monitor.core.model.events import Event
from monitor.decode.canonical import encode
from monitor.decode.streams import arrival_order
from monitor.store.database import open_store
from tests.unit.lab.stories import story

NAME = "rollback-before-burn"
BURN = f"""\
rule: {NAME}
title: "{{what}} – {{elapsed}} in – rolled back"
family: oops
hazard: {{kind: alert.fired, where: {{severity: {{at_least: high}}}}}}
intervention: {{kind: change.rolled_back, within: 30m, services: related}}
"""


def run(*arguments: str | Path, typed: bytes | None = None) -> Result:
    return CliRunner().invoke(group, ["backtest", *map(str, arguments)], input=typed)


def lines(events: Sequence[Event]) -> bytes:
    return b"".join(encode(event) + b"\n" for event in arrival_order(events))


def data(*arguments: str | Path) -> dict[str, Any]:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = msgspec.json.decode(result.stdout)
    return found


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "stream.jsonl"
    path.write_bytes(lines(story()))
    return path


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of one rule."""
    directory = tmp_path / "pack"
    directory.mkdir()
    (directory / f"{NAME}.yaml").write_text(BURN, encoding="utf-8")
    return directory


def spoil(pack: Path, old: str, new: str) -> Path:
    """A copy of the pack in which one text is another one."""
    other = pack.with_name("other")
    other.mkdir()
    text = (pack / f"{NAME}.yaml").read_text(encoding="utf-8")
    assert old in text
    (other / f"{NAME}.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return other


@pytest.fixture
def database(tmp_path: Path) -> str:
    """What a service keeps of the story."""
    url = f"sqlite:///{tmp_path}/kept.db"

    async def keep() -> None:
        async with open_store(url) as store:
            await store.journal.append(story())

    asyncio.run(keep())
    return url


def test_it_says_what_each_rule_team_and_week_would_have_had(stream: Path, catalogue: Path) -> None:
    result = run("--events", stream, "--catalogue", catalogue)
    assert result.exit_code == 0
    said = result.stdout.splitlines()
    assert any(line.split() == [NAME, "live", "1", "1", "·", "·", "·"] for line in said)
    assert any(line.startswith("without a draft: ") for line in said)
    assert any(line.startswith("drafts by rule, 2026-W10 to 2026-W11, each mark a week") for line in said)
    assert any(line.split() == ["payments", "·█", "1", "most", "1,", "2026-W11"] for line in said)
    assert "payments is slow – 12 min in – rolled back" in result.stdout
    assert "tools slow → tools back" in result.stdout
    assert result.stderr.startswith(f"{len(story())} events; drafts: 1 to review, 0 in the digest, 0 in shadow")


def test_it_opens_what_a_replay_opens(stream: Path, catalogue: Path) -> None:
    replayed = CliRunner().invoke(replay, [str(stream), "--catalogue", str(catalogue)]).stdout
    drafts = [msgspec.json.decode(line) for line in replayed.splitlines()]
    found = data("--events", stream, "--catalogue", catalogue)["drafts"]
    for field in ("id", "rules", "title", "verdict", "state", "opened_at", "first_sign_at"):
        assert [one[field] for one in found] == [draft[field] for draft in drafts]


def test_standard_input_several_files_and_a_database_give_the_same(
    stream: Path, catalogue: Path, tmp_path: Path, database: str
) -> None:
    expected = data("--events", stream, "--catalogue", catalogue)
    typed = run("--events", "-", "--catalogue", catalogue, "--format", "json", typed=lines(story()))
    assert msgspec.json.decode(typed.stdout) == expected
    (tmp_path / "even").write_bytes(lines(story()[::2]))
    (tmp_path / "odd").write_bytes(lines(story()[1::2]))
    assert data("--events", tmp_path / "even", "--events", tmp_path / "odd", "--catalogue", catalogue) == expected
    assert data("--database", database, "--catalogue", catalogue) == expected


def test_a_database_is_left_as_it_was(catalogue: Path, tmp_path: Path, database: str) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.glob("kept*.db")}
    data("--database", database, "--catalogue", catalogue)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("kept*.db")} == before


@pytest.mark.parametrize("place", ["--events", "--database"])
def test_a_span_of_time(place: str, stream: Path, database: str, catalogue: Path) -> None:
    where = (place, stream if place == "--events" else database)
    early = data(*where, "--catalogue", catalogue, "--until", "2026-03-10T12:05:00Z")
    assert early["drafts"] == []
    assert early["events"] == 10
    late = data(*where, "--catalogue", catalogue, "--since", "2026-03-10")
    assert [draft["rules"][0] for draft in late["drafts"]] == [NAME]
    assert late["events"] == len(story()) - 1


def test_a_rule_in_shadow_shows_what_it_would_have_opened(stream: Path, catalogue: Path, pack: Path) -> None:
    quiet = spoil(pack, "family: oops", "family: oops\nmode: shadow")
    result = run(quiet, "--events", stream, "--catalogue", catalogue)
    assert f"{NAME} would have opened" in result.stdout
    assert "1 in shadow" in result.stderr


def test_without_the_rule_the_draft_has_another_name(stream: Path, catalogue: Path, pack: Path) -> None:
    tight = spoil(pack, "within: 30m", "within: 5m")
    result = run(tight, "--against", pack, "--events", stream, "--catalogue", catalogue)
    assert result.exit_code == 0
    renamed = "rolled back → payments: a deploy – undone after 17 min – rolled back by a person"
    assert renamed in result.stdout
    same = run(pack, "--against", pack, "--events", stream, "--catalogue", catalogue)
    assert "no difference: every draft is the same with both packs" in same.stdout
    (change,) = data(pack, "--against", tight, "--events", stream, "--catalogue", catalogue)["differences"]
    assert change["kind"] == "changes"
    assert NAME not in change["before"]["rules"]
    assert change["after"]["rules"][0] == NAME


def test_one_rule_of_many_is_shown_with_what_it_did_not_open(stream: Path, catalogue: Path) -> None:
    result = run("--rule", "flag-flipped-back", "--rule", NAME, "--events", stream, "--catalogue", catalogue)
    assert result.exit_code == 0
    assert "page-and-manual-fix" not in result.stdout.replace("also", "")
    assert any(line.split()[:3] == ["flag-flipped-back", "live", "·"] for line in result.stdout.splitlines())


def test_unreadable_lines_are_named_and_counted(catalogue: Path) -> None:
    result = run("--events", "-", "--catalogue", catalogue, typed=b"{\n" + lines(story()))
    assert result.exit_code == 0
    assert "-:1: not_json" in result.stderr
    assert "1 unreadable line" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "not both"),
        (["--events", "-", "--database", "sqlite:///x.db"], 2, "not both"),
        (["--events", "-", "--events", "-"], 2, "only once"),
        (["--events", "-", "--since", "soon"], 2, "is no time; expected a date"),
        (["--events", "-", "--since", "2026-03-02", "--until", "2026-03-01"], 2, "must be before"),
        (["--events", "-", "--rule", "nobody"], 2, "no rule named 'nobody'; there are "),
        (["--database", "mysql://x"], 2, "databases of type mysql are not supported"),
        (["--events", "-"], 3, "no events; expected"),
    ],
)
def test_what_cannot_be_done_has_its_own_exit_code(arguments: list[str], code: int, said: str) -> None:
    result = run(*arguments, typed=b"")
    assert result.exit_code == code
    assert said in result.stderr


def test_without_an_event_there_is_no_list_of_rules_that_found_none() -> None:
    assert run("--events", "-", typed=b"").stdout == ""


def test_a_name_that_is_near_none_is_told_with_some_that_there_are() -> None:
    result = run("--events", "-", "--rule", "certificate-redundancy", typed=b"")
    assert "there are redundancy-lost, redundancy-restored-by-automation, aborted-at-gate" in result.stderr
    assert " more" in result.stderr
    assert len(result.stderr.splitlines()[-1]) < 300


def test_a_rule_with_an_error_stops_it_before_anything_is_read(stream: Path, pack: Path) -> None:
    broken = spoil(pack, "within: 30m", "within: soon")
    for arguments in ([broken], [pack, "--against", broken], [pack, pack]):
        result = run(*arguments, "--events", stream)
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"{NAME}.yaml:" in result.stderr
