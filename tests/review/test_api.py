"""The JSON API: the published fields, filters and keyset paging, decisions, conflicts, problems, and the document."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any

import msgspec
import pytest

from monitor.core.model.events import MINUTE, Instant
from monitor.core.model.near_miss import Dismissal, State, public_line
from monitor.decode.canonical import decode_line
from monitor.ports import Unavailable
from monitor.review.schemas import AuditTrail, NearMissDetail, NearMissPage, ProblemOut
from monitor.review.service import impact_events
from tests.review.conftest import Desk
from tests.support import records


async def test_a_listed_record_carries_the_published_line(desk: Desk) -> None:
    draft = records.draft()
    await desk.put(draft)
    (item,) = (await desk.get("/near-misses"))["items"]
    line = msgspec.json.decode(msgspec.json.encode(public_line(draft)))
    assert {name: item[name] for name in line} == line
    NearMissPage.model_validate({"items": [item], "next": None})


async def test_a_record_alone_carries_the_same_line_and_everything_behind_it(desk: Desk) -> None:
    draft = records.draft(verdict="unknown")
    await desk.put(draft)
    found = await desk.get("/near-misses/nm-1")
    line = msgspec.json.decode(msgspec.json.encode(public_line(draft)))
    assert {name: found[name] for name in line} == line
    NearMissDetail.model_validate(found)
    assert [event["id"] for event in found["timeline"]] == ["d41", "a1", "p1", "k1", "n1", "a2", "j1", "c1", "r2", "i9"]
    assert found["coverage"][0]["clear"] is False
    assert found["version"] == 1
    assert (await desk.http.get(found["links"]["audit"])).status_code == 200


async def test_the_timeline_is_canonical_and_leaves_people_out(desk: Desk) -> None:
    await desk.put(records.draft())
    found = await desk.get("/near-misses/nm-1")
    by_id = {event["id"]: event for event in found["timeline"]}
    assert by_id["k1"]["actor"] == {"kind": "human", "on_call": True}
    assert by_id["d41"]["actor"] == {"id": "deploy-bot", "kind": "automation"}
    shown = {name: value for name, value in by_id["a2"].items() if name != "role"}
    assert decode_line(msgspec.json.encode(shown)) == next(
        cited.event for cited in records.evidence() if cited.event.id == "a2"
    )


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"service": "search"}, ["nm-003", "nm-009"]),
        ({"rule": "flag-flipped-back"}, ["nm-008"]),
        ({"family": ["mind_the_gap", "thats_weird"]}, ["nm-006", "nm-009"]),
        ({"text": "CERTIFICATE"}, ["nm-001"]),
        ({"mode": "digest"}, []),
        ({"state": "accepted"}, ["nm-000"]),
        ({"state": ["accepted", "dismissed"]}, ["nm-000"]),
    ],
)
async def test_filters(desk: Desk, parameters: dict[str, Any], expected: list[str]) -> None:
    await desk.put(*records.several(records.MONDAY))
    assert (await desk.accept("nm-000")).status_code == 200
    found = await desk.get("/near-misses", **parameters)
    assert [item["id"] for item in found["items"]] == expected


async def test_pages_follow_each_other_without_a_gap_while_others_come(desk: Desk) -> None:
    await desk.put(*records.several(records.MONDAY))
    first = await desk.get("/near-misses", limit=4)
    await desk.put(records.draft("newcomer", rank=99.0))
    second = await desk.get("/near-misses", limit=4, after=first["next"])
    third = await desk.get("/near-misses", limit=4, after=second["next"])
    seen = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert seen == [f"nm-{place:03}" for place in range(10)]
    assert third["next"] is None


async def test_accepting_keeps_the_answers_and_the_trail(desk: Desk) -> None:
    await desk.put(records.draft())
    desk.clock.advance(3_600_000_000)
    answer = await desk.accept(note="Good catch", expected_version=1)
    assert answer.status_code == 200
    accepted = answer.json()
    assert (accepted["state"], accepted["decided_by"]) == ("accepted", "reviewer")
    assert accepted["answers"]["why_near_miss"] == "Somebody knew about slots"
    trail = await desk.get("/near-misses/nm-1/audit")
    AuditTrail.model_validate(trail)
    assert [(line["action"], line["by"], line["after"]) for line in trail["items"]] == [
        ("open", "machine", "draft"),
        ("accept", "reviewer", "accepted"),
    ]
    assert desk.count("nearmiss_decisions_total", decision="accept", reason="none") == 1
    assert desk.count("nearmiss_review_latency_seconds_sum") == 3600


async def test_accepting_needs_one_sentence(desk: Desk) -> None:
    await desk.put(records.draft())
    answer = await desk.decide("nm-1", decision="accept", answers={"what_saved_it": "luck"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["answers.why_near_miss"]


async def test_accepting_what_is_unverified_needs_the_impact_question(desk: Desk) -> None:
    await desk.put(records.draft(verdict="unknown"))
    answer = await desk.decide("nm-1", decision="accept", answers={"why_near_miss": "nobody saw it"})
    assert [error["field"] for error in answer.json()["errors"]] == ["answers.users_hit"]
    assert (await desk.accept()).status_code == 200


async def test_a_near_miss_that_hit_users_is_none(desk: Desk) -> None:
    await desk.put(records.draft())
    answer = await desk.decide("nm-1", decision="accept", answers={"why_near_miss": "x", "users_hit": True})
    assert answer.status_code == 422
    assert "had_user_impact" in answer.json()["detail"]
    assert await desk.journal() == []


async def test_dismissing_needs_a_reason_of_the_list(desk: Desk) -> None:
    await desk.put(records.draft())
    missing = await desk.decide("nm-1", decision="dismiss")
    assert missing.status_code == 422
    assert missing.json()["errors"][0]["field"] == "reason"
    unknown = await desk.decide("nm-1", decision="dismiss", reason="boring")
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["field"] == "reason"
    assert (await desk.get("/near-misses/nm-1"))["state"] == "draft"


async def test_every_reason_dismisses_and_is_counted(desk: Desk) -> None:
    await desk.put(*(records.draft(reason) for reason in Dismissal))
    for reason in Dismissal:
        answer = await desk.decide(reason, decision="dismiss", reason=reason)
        assert (answer.json()["state"], answer.json()["reason"]) == ("dismissed", str(reason))
        assert desk.count("nearmiss_decisions_total", decision="dismiss", reason=reason) == 1


async def test_users_were_hit_reaches_the_engine_once(desk: Desk) -> None:
    draft = records.draft()
    await desk.put(draft)
    assert (await desk.decide("nm-1", decision="dismiss", reason="had_user_impact")).status_code == 200
    ended, started = await desk.journal()
    assert (ended.kind, started.kind) == ("impact.ended", "impact.started"), "never without an end, not for a moment"
    assert (started.time, ended.time) == (draft.first_sign_at, draft.safe_at)
    for event in (started, ended):
        assert (event.source, event.service) == ("nearmiss/review", "payments-db")
        assert (event.began_at, event.received_at) == (draft.first_sign_at, records.MONDAY)
        assert event.labels == {"evidence": "reviewer", "record": "nm-1"}
    await desk.decide("nm-1", decision="reopen")
    await desk.decide("nm-1", decision="dismiss", reason="duplicate", answers={"users_hit": True})
    assert len(await desk.journal()) == 2


async def test_labels_that_name_people_are_left_out(desk: Desk) -> None:
    """By one rule, on pages and in the API."""
    labels = {
        "email": "ada@example.org",
        "Owner": "ada",
        "created-by.user": "ada",
        "team": "payments",
        "alertname": "A",
    }
    draft = records.draft()
    (first, *rest) = draft.evidence
    cited = msgspec.structs.replace(first, event=msgspec.structs.replace(first.event, labels=labels))
    await desk.put(msgspec.structs.replace(draft, evidence=(cited, *rest)))
    told = [event.get("labels") for event in (await desk.get("/near-misses/nm-1"))["timeline"]]
    assert {"team": "payments", "alertname": "A"} in told
    page = (await desk.http.get("/near-misses/nm-1")).text
    assert "payments" in page
    for answer in (page, (await desk.http.get("/api/v1/near-misses/nm-1")).text):
        assert "ada" not in answer.replace("readable", "")


async def test_a_forged_report_does_not_silence_a_reviewer(desk: Desk) -> None:
    """The names of our own events can be computed; in a journal of before they were guarded one may stand already."""
    await desk.put(records.draft())
    for event in impact_events(await desk.store.near_misses.get("nm-1"), records.MONDAY):
        await desk.store.journal.append([msgspec.structs.replace(event, time=Instant(0), began_at=None)])
    assert (await desk.decide("nm-1", decision="dismiss", reason="had_user_impact")).status_code == 200
    *_, ended, started = await desk.journal()
    assert (started.id, ended.id) == (f"{impact_id()}-2", f"{impact_id()}-end-2")
    assert (started.kind, started.time) == ("impact.started", records.draft().first_sign_at)
    await desk.decide("nm-1", decision="reopen")
    await desk.decide("nm-1", decision="dismiss", reason="had_user_impact")
    assert len(await desk.journal()) == 4


def impact_id() -> str:
    return "users-hit-" + hashlib.sha256(b"nm-1").hexdigest()[:24]


async def test_an_impact_report_that_was_lost_is_made_up_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.put(records.draft())
    hit = {"decision": "dismiss", "reason": "had_user_impact", "expected_version": 1}
    with monkeypatch.context() as away:
        away.setattr(desk.store.journal, "append", _unavailable)
        answer = await desk.decide("nm-1", **hit)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    assert await desk.journal() == []
    assert (await desk.decide("nm-1", **hit)).status_code == 409
    assert [event.kind for event in await desk.journal()] == ["impact.ended", "impact.started"]


async def _unavailable(*_: object) -> None:
    raise Unavailable


async def test_the_second_of_two_people_is_told_and_overwrites_nothing(desk: Desk) -> None:
    await desk.put(records.draft())
    assert (await desk.accept(expected_version=1)).status_code == 200
    second = await desk.decide("nm-1", decision="dismiss", reason="false_alarm", expected_version=1)
    assert second.status_code == 409
    assert second.headers["content-type"] == "application/problem+json"
    problem = second.json()
    ProblemOut.model_validate(problem)
    assert problem["type"].endswith("version-conflict")
    assert problem["current"]["state"] == "accepted"
    assert problem["detail"].startswith("Reviewer accepted it on 2 Feb 2026, 08:30 UTC")
    assert (await desk.get("/near-misses/nm-1"))["state"] == "accepted"


@pytest.mark.parametrize("version", [1, None])
async def test_of_many_at_the_same_moment_exactly_one_decides(desk: Desk, version: int | None) -> None:
    await desk.put(records.draft())
    dismissals = [
        desk.decide("nm-1", decision="dismiss", reason=reason, expected_version=version) for reason in Dismissal
    ]
    answers = await asyncio.gather(desk.accept(expected_version=version), *dismissals)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * len(Dismissal)
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    found = await desk.get("/near-misses/nm-1")
    assert (found["state"], found.get("reason")) == (winner["state"], winner.get("reason"))
    assert len((await desk.get("/near-misses/nm-1/audit"))["items"]) == 2


async def test_a_move_that_the_state_does_not_allow(desk: Desk) -> None:
    await desk.put(records.draft())
    answer = await desk.decide("nm-1", decision="reopen")
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("illegal-move")
    assert "accept" in answer.json()["detail"]
    assert answer.json()["current"]["state"] == "draft"


async def test_review_reopen_and_decide_again(desk: Desk) -> None:
    await desk.put(records.draft())
    assert (await desk.decide("nm-1", decision="start_review")).json()["state"] == "in_review"
    await desk.accept()
    reopened = (await desk.decide("nm-1", decision="reopen", note="There was a ticket")).json()
    assert (reopened["state"], reopened["decided_at"]) == ("reopened", None)
    assert reopened["answers"]["why_near_miss"] == "Somebody knew about slots"
    assert (await desk.decide("nm-1", decision="accept")).json()["state"] == "accepted"


async def test_a_withdrawn_draft_tells_why(desk: Desk) -> None:
    await desk.put(records.draft())
    await desk.withdraw("nm-1", records.event("s1", "impact.started", 300, source="statuspage"))
    found = await desk.get("/near-misses/nm-1")
    assert (found["state"], found["reason"]) == (State.WITHDRAWN, "impact_afterwards")
    assert [event["id"] for event in found["late_impact"]] == ["s1"]


async def test_comments_join_the_trail(desk: Desk) -> None:
    await desk.put(records.draft())
    answer = await desk.http.post("/api/v1/near-misses/nm-1/comments", json={"text": " Slots again. "})
    assert answer.status_code == 201
    assert answer.json()["items"][-1]["note"] == "Slots again."
    empty = await desk.http.post("/api/v1/near-misses/nm-1/comments", json={"text": "  "})
    assert (empty.status_code, empty.json()["errors"][0]["field"]) == (422, "text")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/near-misses/none", None),
        ("GET", "/near-misses/none/audit", None),
        ("POST", "/near-misses/none/decision", {"decision": "start_review"}),
        ("POST", "/near-misses/none/comments", {"text": "hello"}),
    ],
)
async def test_what_is_not_there(desk: Desk, method: str, path: str, body: object) -> None:
    answer = await desk.http.request(method, f"/api/v1{path}", json=body)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"state": "lost"}, "state.0"),
        ({"after": "?"}, "after"),
    ],
)
async def test_wrong_parameters_are_named(desk: Desk, parameters: dict[str, str], field: str) -> None:
    answer = await desk.http.get("/api/v1/near-misses", params=parameters)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b'{"decision": "accept", "answers": {"why": "x"}}'])
async def test_a_body_that_cannot_be_read(desk: Desk, body: bytes) -> None:
    await desk.put(records.draft())
    path = "/api/v1/near-misses/nm-1/decision"
    answer = await desk.http.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_texts_have_a_bound(desk: Desk) -> None:
    await desk.put(records.draft())
    answer = await desk.decide("nm-1", decision="accept", answers={"why_near_miss": "x" * 10_001})
    assert answer.json()["errors"][0]["field"] == "answers.why_near_miss"


async def test_the_document_describes_every_route(desk: Desk) -> None:
    document = await desk.get("/openapi.json")
    assert document["info"]["version"] == "1.2.3"
    assert set(document["paths"]) == {
        "/api/v1/near-misses",
        "/api/v1/near-misses/{record_id}",
        "/api/v1/near-misses/{record_id}/decision",
        "/api/v1/near-misses/{record_id}/comments",
        "/api/v1/near-misses/{record_id}/around",
        "/api/v1/near-misses/{record_id}/evidence",
        "/api/v1/near-misses/{record_id}/settle",
        "/api/v1/near-misses/{record_id}/export",
        "/api/v1/export.csv",
        "/api/v1/near-misses/{record_id}/audit",
        "/api/v1/pack",
        "/api/v1/sources",
        "/api/v1/reports",
        "/api/v1/reports/around",
        "/api/v1/reports/follow",
    }
    for methods in document["paths"].values():
        for route in methods.values():
            assert route["summary"]
            assert route["description"]
            assert "503" in route["responses"] or route["tags"] == ["operation"]


async def test_the_pack_in_use_is_told(desk: Desk) -> None:
    told = await desk.get("/pack")
    assert (told["rules_hash"], told["rules"], told["services"]) == ("a1b2c3d4e5f60718", 44, 300)
    assert (told["failed_at"], told["problems"]) == (None, [])
    desk.pack = msgspec.structs.replace(desk.pack, failed_at=desk.clock.now(), problems=("a.yaml:1:1: error: <b>",))
    told = await desk.get("/pack")
    assert told["problems"] == ["a.yaml:1:1: error: <b>"]
    assert told["failed_at"] is not None
    page = (await desk.http.get("/")).text
    assert "a1b2c3d4e5f60718" in page
    assert "are invalid: 1 problem." in page


async def test_the_list_takes_the_orders_of_the_page(desk: Desk) -> None:
    await desk.put(
        *(records.draft(f"nm-{n}", rank=float(n), base=records.BASE + (7 * n % 4) * MINUTE) for n in range(4))
    )
    for sort in ("", "newest", "oldest"):
        page = re.findall(r'id="row-(nm-\d)"', (await desk.http.get("/", params={"sort": sort})).text)
        listed: list[str] = []
        after = ""
        while True:
            part = await desk.get("/near-misses", sort=sort, limit=1, after=after)
            listed += [item["id"] for item in part["items"]]
            if (after := part["next"] or "") == "":
                break
        assert listed == page, sort
    assert (await desk.http.get("/api/v1/near-misses", params={"sort": "sideways"})).status_code == 422
    described = (await desk.http.get("/api/v1/openapi.json")).json()
    (sort_of,) = (
        each for each in described["paths"]["/api/v1/near-misses"]["get"]["parameters"] if each["name"] == "sort"
    )
    assert sort_of["schema"]["enum"] == ["", "newest", "oldest"]
