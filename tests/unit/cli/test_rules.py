"""`nearmiss rules`: check, test and explain, as a person meets them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from monitor.cli.rules import group
from monitor.core.deciding.engine import Engine
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import Event, Instant, to_text
from monitor.core.model.near_miss import Move
from monitor.decode.canonical import encode
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import load_rules
from monitor.ports import Commit, Decide, Query
from monitor.store.database import open_store
from tests.unit.packs.written import GOOD


def rules(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, [str(argument) for argument in arguments])


@pytest.fixture
def stream(pack: Path, tmp_path: Path) -> Path:
    """The events of the pack's first example, as a file."""
    events: tuple[Event, ...] = load_rules(pack).examples[0].events
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(encode(event) for event in events) + b"\nnot json\n")
    return path


def test_check_of_the_shipped_rules_finds_nothing() -> None:
    result = rules("check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "0 errors, 0 warnings" in result.stderr


def test_check_prints_a_line_a_problem_and_fails(pack: Path) -> None:
    file = pack / "page-and-fix.yaml"
    file.write_text(GOOD.replace("severity", "severty").replace("within: 30m", "within: soon"), encoding="utf-8")
    result = rules("check", pack)
    assert result.exit_code == 1
    first, second = [line for line in result.stdout.splitlines() if ":7:" in line or ":12:" in line]
    assert first.startswith(f"{file}:7:5: error: no event has a field 'severty'; expected a field of the format; try ")
    assert second.startswith(f"{file}:12:11: error: within is 'soon'; expected a duration such as ")


def test_check_of_warnings_alone_is_fine(pack: Path) -> None:
    (pack / "page-and-fix.yaml").write_text(GOOD[: GOOD.index("examples:")], encoding="utf-8")
    result = rules("check", pack, "--allow-custom", "k8s_cluster")
    assert result.exit_code == 0
    assert "warning: no example that must match" in result.stdout
    assert "0 errors, 2 warnings" in result.stderr


def test_check_names_what_nobody_sends_unless_it_is_allowed(pack: Path) -> None:
    severity = "    severity: {at_least: high}\n"
    text = GOOD.replace("labels.k8s_cluster: labels.cluster", "labels.cluster: labels.cluster")
    text = text.replace(severity, severity + "    labels.rack: r1\n")
    (pack / "page-and-fix.yaml").write_text(text, encoding="utf-8")
    result = rules("check", pack)
    assert (
        "page-and-fix.yaml:8:5: warning: no known tool sends this with any kind of event: labels.rack" in result.stdout
    )
    assert "labels.rack" not in rules("check", pack, "--allow-custom", "labels.rack").stdout
    (pack.parent / "own.yaml").write_text(
        "mapping: cooling\nfields: {id: id, labels: {rack: rack}}\nevents: [{kind: alert.fired}]\n"
        "examples: [{name: hot, body: {id: a, rack: r1}, expect: [{kind: alert.fired}]}]\n",
        encoding="utf-8",
    )
    assert "labels.rack" not in rules("check", pack, "--mappings", pack.parent / "own.yaml").stdout


def test_coverage_names_rules_that_cannot_match_and_words_that_nobody_explained(pack: Path, tmp_path: Path) -> None:
    events = load_rules(pack).examples[0].events
    file = tmp_path / "few.jsonl"
    kept = [event for event in events if not event.kind.startswith("change.")]
    file.write_bytes(b"\n".join(encode(event) for event in kept))
    result = rules("coverage", pack, "--events", file)
    assert result.exit_code == 0
    first, *_ = result.stdout.splitlines()
    assert first.startswith("page-and-fix: intervention: nothing of its kinds arrived (change.restarted")
    assert "services not understood: api (" in result.stdout
    assert f"{len(kept)} events (" in result.stderr
    assert "0 of 1 rule can match" in result.stderr
    as_json = msgspec.json.decode(rules("coverage", pack, "--events", file, "--format", "json").stdout)
    assert as_json["blind"][0]["step"] == "intervention"
    assert as_json["first"] == to_text(min(event.time for event in kept))


def test_coverage_without_an_event_or_a_source_is_told(pack: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")
    assert rules("coverage", pack, "--events", empty).exit_code == 3
    assert rules("coverage", pack).exit_code == 2


def test_explain_says_a_rule_in_words(pack: Path) -> None:
    result = rules("explain", "--rules", pack, "page-and-fix")
    assert result.exit_code == 0
    for words in ("severity at least 'high'", "at most 30m after the hazard", "absent: page", "optional step: seen"):
        assert words in result.stdout
    assert "from intervention - 14d to intervention" in result.stdout


def test_explain_says_why_an_event_matched_and_why_not(pack: Path, stream: Path) -> None:
    result = rules("explain", "--rules", pack, "--events", stream, "--event", "example", "e1")
    assert result.exit_code == 0
    assert "✔ hazard" in result.stdout
    assert "✘ intervention" not in result.stdout
    full = rules("explain", "--rules", pack, "--events", stream, "--event", "example", "e1", "-v")
    assert "✘ intervention" in full.stdout
    assert "opened nm_" in result.stdout
    assert f"{stream}:6: not_json" in result.stderr


def test_explain_says_what_a_draft_rests_on(pack: Path, stream: Path) -> None:
    told = rules("explain", "--rules", pack, "--events", stream, "--event", "example", "e1").stdout
    draft = next(word.rstrip(":") for word in told.split() if word.startswith("nm_"))
    result = rules("explain", "--rules", pack, "--events", stream, "--draft", draft)
    assert result.exit_code == 0
    for words in ("verdict unknown", "evidence", "first sign at", "no_feed", "confidence"):
        assert words in result.stdout


def test_explain_reads_a_case_file_with_its_own_catalogue(pack: Path, tmp_path: Path) -> None:
    events = [msgspec.json.decode(encode(event)) for event in load_rules(pack).examples[0].events]
    case = {"id": "c", "label": "near_miss", "catalogue": {"user_facing": ["web"], "depends_on": {"web": ["db"]}},
            "events": events}  # fmt: skip
    path = tmp_path / "case.yaml"
    path.write_bytes(msgspec.json.encode(case))
    result = rules("explain", "--rules", pack, "--events", path, "--event", "example", "e1")
    assert result.exit_code == 0
    assert "service_unknown" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--event", "example", "gone"], 1, "no event example gone among 5 events"),
        (["--event", "exampel", "e1"], 1, "among 5 events; the source of e1 is example"),
        (["--draft", "nm_0"], 1, "no draft 'nm_0' comes of this stream; there are: nm_"),
        ([], 2, "--events needs --event"),
        (["--event", "example", "e1", "--draft", "x"], 2, "not both"),
        (["no-such-rule", "--event", "example", "e1"], 2, "no rule named 'no-such-rule'"),
    ],
)
def test_explain_says_what_is_missing(pack: Path, stream: Path, arguments: list[str], code: int, said: str) -> None:
    result = rules("explain", "--rules", pack, "--events", stream, *arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_explain_of_an_event_needs_a_stream(pack: Path) -> None:
    result = rules("explain", "--rules", pack, "--event", "example", "e1")
    assert result.exit_code == 2
    assert "need --events FILE" in result.stderr


def test_explain_of_a_file_without_an_event_is_unreadable(pack: Path, tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_text("\n", encoding="utf-8")
    result = rules("explain", "--rules", pack, "--events", path, "--event", "a", "b")
    assert result.exit_code == 3
    assert "no event could be read" in result.stderr


@pytest.fixture
def database(pack: Path, tmp_path: Path) -> str:
    """What a service has kept that ran with the pack: the events, and a draft that somebody accepted."""
    url = f"sqlite:///{tmp_path}/kept.db"
    events, (rule,) = load_rules(pack).examples[0].events, load_rules(pack).rules
    engine = Engine([rule], Catalogue(), make_regex)
    decisions = (*engine.step(events), *engine.end())

    async def keep() -> None:
        async with open_store(url) as store:
            await store.journal.append(events)
            epoch = (await store.engine_store.acquire("engine")).epoch
            await store.engine_store.commit(Commit(decisions, {}, {}, epoch, Instant(0)))
            (record,) = (await store.near_misses.page(Query(), None, 10)).records
            await store.near_misses.decide(Decide(record.draft.id, Move.ACCEPT, "responder", Instant(1)))

    asyncio.run(keep())
    return url


def kept_draft(url: str) -> str:
    async def read() -> str:
        async with open_store(url) as store:
            (record,) = (await store.near_misses.page(Query(), None, 10)).records
            return record.draft.id

    return asyncio.run(read())


def test_explain_asks_the_database_for_an_event_and_for_a_draft(pack: Path, database: str) -> None:
    event = rules("explain", "--rules", pack, "--database", database, "--event", "example", "e1")
    assert event.exit_code == 0
    assert "rule page-and-fix: hazard → draft nm_" in event.stdout
    draft = rules("explain", "--rules", pack, "--database", database, "--draft", kept_draft(database))
    assert draft.exit_code == 0
    assert draft.stdout.startswith("✔ nm_")
    for words in ("accepted; api; verdict unknown", "✔ hazard example e1 alert.fired api", "step often: at least 3 of"):
        assert words in draft.stdout


def test_explain_says_why_a_kept_draft_would_not_open_any_more(pack: Path, database: str) -> None:
    (pack / "page-and-fix.yaml").write_text(GOOD.replace("at_least: 3", "at_least: 4"), encoding="utf-8")
    said = rules("explain", "--rules", pack, "--database", database, "--draft", kept_draft(database)).stdout
    assert "✘ opens again with these rules and events" in said
    assert "condition_not_met: step often: 3 seen, at least 4 required" in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--event", "example", "gone"], 1, "no event example gone in sqlite://"),
        (["--draft", "nm_0"], 1, "no draft 'nm_0' in sqlite://"),
        (["--events", "-", "--draft", "nm_0"], 2, "need --events FILE or --database URL"),
        (["--database", "nowhere", "--draft", "nm_0"], 2, "cannot be read"),
    ],
)
def test_explain_says_what_a_database_has_not(
    database: str, pack: Path, arguments: list[str], code: int, said: str
) -> None:
    result = rules("explain", "--rules", pack, "--database", database, *arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_schema_prints_what_editors_check_rules_against(tmp_path: Path) -> None:
    printed = rules("schema")
    assert printed.exit_code == 0
    assert json.loads(printed.stdout)["$schema"].startswith("https://json-schema.org/")
    file = tmp_path / "rule.schema.json"
    assert rules("schema", "--output", file).stdout == ""
    assert file.read_text(encoding="utf-8") == printed.stdout


@pytest.mark.parametrize("command", ["check", "test"])
def test_one_name_in_two_places_is_told_with_both(pack: Path, tmp_path: Path, command: str) -> None:
    other = tmp_path / "other.yaml"
    other.write_bytes((pack / "page-and-fix.yaml").read_bytes())
    result = rules(command, pack, other)
    assert result.exit_code == 1
    assert f"{other}:1:7: error: rule 'page-and-fix' is defined twice (first in {pack}/page-and-fix.yaml:1:7)" in (
        result.output
    )
