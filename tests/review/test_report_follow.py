"""A reporter sees the events around, keeps some, stays unknown if wanted, and finds the way back by the token."""

from __future__ import annotations

import json
from typing import Any

import httpx

from monitor.core.model.events import to_text
from monitor.core.model.near_miss import Cited
from tests.review.conftest import Desk
from tests.support.records import draft, event


def body(desk: Desk, **fields: Any) -> dict[str, Any]:
    seen = to_text(desk.clock.now())
    told = {"token": "my-own-token", "kind": "noticed_not_acted", "service": "payments-db", "story": "WAL grows"}
    return {**told, "seen_at": seen, "hurt": "unknown", **fields}


async def follow(desk: Desk, given: str = "my-own-token") -> httpx.Response:
    return await desk.http.post("/api/v1/reports/follow", json={"token": given})


async def test_the_events_around_are_offered_without_probes_and_other_services(desk: Desk) -> None:
    now = desk.clock.now()
    around = [
        event("a1", "alert.fired", -59, base=now, title="Disk"),
        event("a2", "alert.fired", -61, base=now),
        event("a3", "alert.fired", -5, base=now, service="search"),
        event("c", "impact.clear", -5, base=now),
        event("r", "change.ran", 14, base=now),
    ]
    await desk.store.journal.append(around)
    found = await desk.get("/reports/around", service="payments-db", seen_at=to_text(now))
    assert [each["id"] for each in found["items"]] == ["a1", "r"]
    assert found["items"][0]["title"] == "Disk"


async def test_what_is_kept_and_who_it_was_not_is_in_the_event(desk: Desk) -> None:
    given = body(desk, anonymous=True, attached=["pagerduty/acme a1", "runbook/acme c1"])
    assert (await desk.http.post("/api/v1/reports", json=given)).status_code == 201
    (note,) = await desk.journal()
    assert note.labels["reported_by"] == "anonymous"
    assert note.labels["attached"] == "pagerduty/acme a1\nrunbook/acme c1"
    assert "my-own-token" not in str(note)


async def test_what_cannot_be_attached_is_refused(desk: Desk) -> None:
    for attached in (["no-source"], ["a b"] * 21, ["a " + "b" * 600]):
        answer = await desk.http.post("/api/v1/reports", json=body(desk, attached=attached))
        assert answer.status_code == 422
        assert "attached" in answer.text
    assert await desk.journal() == []


async def test_half_of_a_character_in_a_token_is_no_failure_of_ours(desk: Desk) -> None:
    headers = {"content-type": "application/json"}
    for path, given in (("reports", body(desk, token="my-token-\ud83d")), ("reports/follow", {"token": "\ud83d"})):  # noqa: S106 - protects nothing
        answer = await desk.http.post(f"/api/v1/{path}", content=json.dumps(given), headers=headers)
        assert answer.status_code == {"reports": 201, "reports/follow": 404}[path]


async def test_a_report_is_followed_up_by_its_token_alone(desk: Desk) -> None:
    await desk.http.post("/api/v1/reports", json=body(desk, anonymous=True))
    waiting = (await follow(desk)).json()
    assert (waiting["state"], waiting["record"]) == ("waiting", None)
    (note,) = await desk.journal()
    await desk.put(draft("nm-0"), draft("nm-1", evidence=(Cited("hazard", note),), opened_at=desk.clock.now()))
    assert (await follow(desk)).json() == {"reported_at": to_text(note.time), "state": "draft", "record": "nm-1"}
    assert (await follow(desk, "another-token")).status_code == 404


async def test_a_token_that_no_encoding_can_write_is_nobodys(desk: Desk) -> None:
    half = await desk.http.post(
        "/api/v1/reports/follow", content=b'{"token": "\\ud800"}', headers={"content-type": "application/json"}
    )
    assert half.status_code == 404


async def test_the_form_keeps_the_reporter_unknown_too(desk: Desk) -> None:
    page = (await desk.http.get("/report")).text
    assert 'name="anonymous"' in page
    form = {**body(desk), "seen_at": str(to_text(desk.clock.now()))[:16], "anonymous": "1"}
    assert (await desk.http.post("/report", data=form)).status_code == 303
    (note,) = await desk.journal()
    assert note.labels["reported_by"] == "anonymous"
