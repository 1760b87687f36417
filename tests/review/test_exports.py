"""Records on their way out: nothing that was to stay leaves, nothing becomes markup, and a case runs elsewhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from monitor.cli.engine_options import read_catalogue, read_rules, read_weights
from monitor.cli.evaluate import command as evaluate
from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.catalogue import Catalogue, PersonId
from monitor.core.model.events import to_instant
from monitor.core.model.near_miss import Cited, Draft, State
from monitor.demo.story import story
from monitor.lab.ledger import Ledger
from monitor.packs.language.regex import make_regex
from monitor.ports import Answers, Record
from monitor.review.exports.document import RecordDocument
from monitor.review.exports.exchange import FIRST_WEEK, WEEK, Undecided, build_case, to_text_file
from monitor.review.exports.markdown import plain
from monitor.review.exports.redaction import Redactor
from monitor.review.exports.table import safe_cell
from tests.review.conftest import Desk
from tests.support import records

CATALOGUE = Path(__file__).parents[2] / "monitor" / "demo" / "catalogue.yaml"
HOSTILE = (
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    '=HYPERLINK("https://evil.example")',
    "| a | b |\n|---|---|",
    "# heading\n- [ ] task",
    "\u202egnirts desrever",
    "@channel <!channel>",
    "https://evil.example",
    "-2+3",
    "\t=cmd|' /C calc'!A0",
    "x" * 10_000,
)


async def export(desk: Desk, record_id: str = "nm-1", **query: Any) -> httpx.Response:
    return await desk.http.get(f"/api/v1/near-misses/{record_id}/export", params=query)


async def shared(desk: Desk, *drafts: Draft) -> None:
    await desk.put(*drafts)
    for draft in drafts:
        await desk.http.post(f"/api/v1/near-misses/{draft.id}/settle", json={"move": "share", "share": "public"})


async def test_the_document_keeps_to_its_shape_and_names_nobody(desk: Desk) -> None:
    await desk.put(records.draft())
    await desk.accept()
    answer = await export(desk)
    document = RecordDocument.model_validate_json(answer.content)
    assert (document.version, document.seconds_to_action, document.why_near_miss) == (
        *("internal", 22 * 60.0),
        "Somebody knew about slots",
    )
    assert "Ada Lovelace" not in answer.text
    assert "u-17" not in answer.text
    assert [line.did for line in document.trail] == ["opened the draft", "accepted it as a near miss"]


async def test_the_public_version_needs_the_teams_word(desk: Desk) -> None:
    await desk.put(records.draft())
    await desk.accept()
    for query in ({"version": "public"}, {"format": "case"}):
        refused = await export(desk, **query)
        assert refused.status_code == 403
        assert "has not shared" in refused.json()["detail"]
    page = (await desk.http.get("/near-misses/nm-1/export")).text
    assert "cannot be downloaded" in page
    assert "version=public" not in page


async def test_the_public_version_takes_out_names_the_same_everywhere(desk: Desk) -> None:
    told = "Grace@corp.example of 10.1.2.3 opened https://wiki.corp.example/x on db-7.corp.example with "
    told += "ghp_0123456789abcdef"
    cited = Cited("context", records.event("x1", "note.added", 10, title=f"{told}; payments-db and db-7.corp.example"))
    await shared(desk, records.draft(evidence=(*records.evidence(), cited)))
    answer = await export(desk, version="public", hide=["payments-db"])
    for gone in ("Grace", "10.1.2.3", "wiki", "db-7", "ghp_", "payments-db", "Ada", "alerts.example.com"):
        assert gone not in answer.text
    document = answer.json()
    title = next(each["title"] for each in document["timeline"] if "link removed" in (each["title"] or ""))
    assert title == "person-1 of address-1 opened [link removed] on host-2 with [token removed]; service-1 and host-2"
    assert document["services"] == ["service-1", "payments"]
    assert document["trail"] == []
    assert document["removed"] == {"service": 1, "host": 2, "person": 1, "address": 1, "link": 1, "token": 1}


async def test_the_page_shows_both_versions_and_what_was_taken_out(desk: Desk) -> None:
    await shared(desk, records.draft())
    page = (await desk.http.get("/near-misses/nm-1/export", params={"hide": "payments-db"})).text
    assert "Disk of pg-3 is 97 % full" in page
    assert "Disk of host-1 is 97 % full" in page
    assert "<td>payments-db</td><td>service-1</td>" in page
    assert "hide=payments-db" in page


def test_a_person_that_only_the_catalogue_knows_is_taken_out() -> None:
    redactor = Redactor([PersonId("grace", "Grace Hopper").id, "grace"])
    said = redactor.text("Grace Hopper saw it; GRACE told ungraceful us")
    assert said == "person-1 saw it; person-2 told ungraceful us"


@pytest.mark.parametrize("text", ["v1.2.3 at 97.5 %", "12:30:15 and 3 h 30 min", "values.yaml", "n-1", "p95 latency"])
def test_plain_words_stay(text: str) -> None:
    assert Redactor().text(text).replace("host-1", "n-1") == text


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_others_wrote_stays_text(desk: Desk, text: str) -> None:
    await desk.put(records.draft(title=text[:300]))
    await desk.decide("nm-1", decision="accept", answers={"why_near_miss": text, "users_hit": False})
    markdown = (await export(desk, format="markdown")).text
    for active in ("<script", "](", "![", "\u202e", "<!channel", "@channel", "https:", "javascript:", "\n- [ ]"):
        assert active not in markdown
    table = await desk.http.get("/api/v1/export.csv")
    rows = list(csv.reader(io.StringIO(table.text)))
    assert len(rows) == 2
    for cell in rows[1]:
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t"))


def test_a_line_break_cannot_begin_a_heading() -> None:
    assert plain("a\n# b") == r"a \# b"
    assert safe_cell(" =1+1") == "' =1+1"
    assert safe_cell(12.5) == "12.5"


async def test_nobody_gets_a_case_of_what_is_not_decided(desk: Desk) -> None:
    await shared(desk, records.draft())
    refused = await export(desk, format="case")
    assert refused.status_code == 409
    assert "not decided yet" in refused.json()["detail"]
    with pytest.raises(Undecided):
        build_case(Record(records.draft(), State.MERGED, 1), Catalogue())


@pytest.mark.parametrize(
    ("reason", "label"), [("had_user_impact", "impact"), ("routine_hygiene", "not_near_miss"), (None, "near_miss")]
)
async def test_the_decision_is_the_label(desk: Desk, reason: str | None, label: str) -> None:
    await shared(desk, records.draft())
    await (desk.decide("nm-1", decision="dismiss", reason=reason) if reason else desk.accept())
    case = json.loads((await export(desk, format="case")).text)
    assert case["label"] == label
    assert case["expect"]["drafts"] == (label == "near_miss")


def drafts() -> Iterator[tuple[Draft, Catalogue]]:
    """What the engine makes of the demo's story."""
    catalogue = read_catalogue([CATALOGUE])
    engine = Engine(read_rules(None), catalogue, make_regex, EngineSettings(weights=read_weights(None)))
    ledger = Ledger()
    ledger.record(engine.step(story(records.BASE)))
    ledger.record(engine.end())
    for entry in ledger.standing():
        yield entry.draft, catalogue


def test_another_organisation_can_evaluate_what_was_exported(tmp_path: Path) -> None:
    """Each near miss of the demo's story, sent away as a case, is found by a monitor that knows nothing else of it."""
    for draft, catalogue in drafts():
        record = Record(draft, State.ACCEPTED, 2, Answers("It was close"))
        case = build_case(record, catalogue)
        text = to_text_file(case)
        assert all(FIRST_WEEK - WEEK < _instant(each["time"]) < FIRST_WEEK + 2 * WEEK for each in case["events"])
        for name in catalogue.services:
            assert f'"{name}"' not in text
        (tmp_path / f"{draft.id}.yaml").write_text(text)
    count = len(list(tmp_path.iterdir()))
    assert count > 8
    ran = CliRunner().invoke(evaluate, [str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert f"ok: near_miss {count} of {count}" in ran.output
    assert "precision 1.00, recall 1.00" in ran.output


def _instant(text: str) -> int:
    return to_instant(datetime.fromisoformat(text))
