"""Whoever cannot prove to be a source does not get in as it, by whatever name, and cannot speak for it elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.intake.webhooks import SECONDS_A_TOKEN, TOKENS_AT_ONCE
from monitor.ops.clock import SystemClock
from monitor.ops.sampling import EVERY_SECONDS
from tests.e2e.hostile import EVENT
from tests.support.service import Service

SECRET = "a-secret-of-this-test"
CONFIG = f"""
secrets:
  events: [{SECRET}]
  pagerduty/acme: [{SECRET}]
  github: [{SECRET}]
"""
PUSH = {
    "ref": "refs/heads/main",
    "before": "a1",
    "after": "b2",
    "repository": {
        "name": "checkout",
        "full_name": "acme/checkout",
        "default_branch": "main",
        "pushed_at": 1_773_140_000,
    },
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("door")
    (directory / "nearmiss.yaml").write_text(CONFIG)
    database = f"sqlite:///{directory / 'nearmiss.db'}"
    running = Service(directory, "--database", database, "--config", str(directory / "nearmiss.yaml"))
    try:
        yield running.start()
    finally:
        running.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ingest/events", 401),
        ("/ingest/canonical", 401),
        ("/ingest/Events", 401),
        ("/ingest/canonical/x", 401),
        ("/ingest/pagerduty", 401),
        ("/ingest/pagerduty/Acme", 401),
        ("/ingest/pagerduty/other", 401),
        ("/ingest/pagerduty/%2e/acme", 404),
        ("/ingest/pagerduty/%2e%2e/events", 404),
        ("/ingest/github/any", 401),
        ("/ingest/statuspage", 202),
    ],
)
def test_no_spelling_gets_around_a_secret(service: Service, path: str, status: int) -> None:
    assert service.post(path, json.dumps(EVENT).encode()).status_code == status


def _post(service: Service, **changes: object) -> Any:
    body = json.dumps({**EVENT, **changes}).encode()
    return service.post("/ingest/canonical", body, authorization=f"Bearer {SECRET}").json()


@pytest.mark.parametrize("source", ["nearmiss/review", "github/acme/checkout", "pagerduty/acme", "pagerduty/other"])
def test_an_event_cannot_name_a_source_that_its_sender_is_not(service: Service, source: str) -> None:
    answer = _post(service, source=source)
    assert answer["accepted"] == 0
    assert [each["reason"] for each in answer["rejected"]] == ["foreign_source"]


def test_a_real_delivery_is_no_duplicate_of_a_forged_one(service: Service) -> None:
    body = json.dumps(PUSH).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    answer = service.post(
        "/ingest/github/acme/checkout", body, x_github_event="push", x_hub_signature_256=signature
    ).json()
    assert (answer["accepted"], answer["duplicates"]) == (1, 0)
    assert _post(service, source="deploy")["accepted"] == 1


def test_wrong_tokens_are_slowed_counted_and_logged_once(service: Service) -> None:
    """Last in this file: the address of the tests is slowed then. What a busy machine is slow at is not slowed."""
    assert "accepted" in _post(service, source="deploy"), "a token that proved itself before is not slowed"
    clock, logged = SystemClock(), service.log().count("signature_refused")
    before = service.metric('nearmiss_requests_refused_total{status="401"}')
    began, statuses = clock.monotonic(), list[int]()
    while statuses.count(429) < 60 and len(statuses) < 1000:
        wrong = f"Bearer wrong {len(statuses)}"
        statuses.append(service.post("/ingest/events", json.dumps(EVENT).encode(), authorization=wrong).status_code)
    seconds = clock.monotonic() - began
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= TOKENS_AT_ONCE + seconds / SECONDS_A_TOKEN + 1
    refused = [service.metric(f'nearmiss_requests_refused_total{{status="{status}"}}') for status in (401, 429)]
    assert sum(refused) >= before + len(statuses)
    assert service.log().count("signature_refused") <= logged + 1 + seconds / EVERY_SECONDS, "a sample"
    assert "signature_refused" in service.log()
    assert _post(service, source="deploy")["accepted"] + _post(service, source="deploy")["duplicates"] >= 1


@pytest.mark.parametrize("path", ["/ingest/statuspage", "/ingest/cloudevents", "/ingest/pagerduty"])
def test_no_envelope_gets_around_the_secret_of_events(service: Service, path: str) -> None:
    envelope = {"ce_specversion": "1.0", "ce_type": "nearmiss.note.added", "ce_id": path, "ce_source": "test"}
    answer = service.post(path, json.dumps(EVENT).encode(), content_type="application/json", **envelope)
    assert answer.status_code == 401 or [each["reason"] for each in answer.json()["rejected"]] == ["foreign_source"]
