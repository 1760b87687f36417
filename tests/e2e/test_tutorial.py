"""What the tutorial promises, done as it says: from the demonstration to a decided draft."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.service import demonstration

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "first-near-miss.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        demonstration(tmp_path_factory.mktemp("tutorial")) as (_, address),
        httpx.Client(base_url=address, trust_env=False, timeout=30) as client,
    ):
        yield client


def test_the_queue_holds_the_drafts_that_the_page_names(api: httpx.Client) -> None:
    items = api.get("/api/v1/near-misses?state=draft&limit=200").json()["items"]
    assert f"{len(items)} drafts wait" in TEXT
    deadline, unverified = re.findall(r"\*“(.+?)”\*", TEXT)
    assert [item["rules"][0] for item in items if deadline in item["title"]] == ["renewed-with-thin-margin"]
    assert [item["verdict"] for item in items if unverified in item["title"]] == ["unknown"]


def test_no_draft_that_the_page_names_is_folded_away(api: httpx.Client) -> None:
    queue = api.get("/").text
    for title in re.findall(r"\*“(.+?)”\*", TEXT):
        assert title in queue
    assert "folded" not in queue


def test_a_draft_is_decided(api: httpx.Client) -> None:
    items = api.get("/api/v1/near-misses?state=draft&text=certificate").json()["items"]
    answers = {"why_near_miss": "the mail went to somebody who had left", "what_saved_it": "by chance"}
    decision = {"decision": "accept", "answers": answers, "expected_version": items[0]["version"]}
    decided = api.post(f"/api/v1/near-misses/{items[0]['id']}/decision", json=decision)
    assert decided.status_code == 200, decided.text
    assert decided.json()["state"] == "accepted"


def test_the_events_of_the_page_are_answered_as_it_says(api: httpx.Client) -> None:
    found = re.search(r"<<'EVENTS'\n(.*?)\nEVENTS", TEXT, re.DOTALL)
    promised = re.search(r'^\{"accepted".*$', TEXT, re.MULTILINE)
    assert found is not None
    assert promised is not None
    first = api.post("/ingest/events", content=found[1], headers={"content-type": "application/x-ndjson"}).json()
    expected = json.loads(promised[0])
    assert {**first, "rejected": [{**each, "detail": "…"} for each in first["rejected"]]} == expected
    again = api.post("/ingest/events", content=found[1], headers={"content-type": "application/x-ndjson"}).json()
    assert (again["accepted"], again["duplicates"]) == (0, 1)
