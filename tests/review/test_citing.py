"""Evidence put right by people: added from what happened around it, left out, undone; the machine's draft stays."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import Event
from monitor.core.model.near_miss import MOVES, Move, State
from monitor.review.citing import AFTER, BEFORE
from tests.review.conftest import Desk
from tests.support import records
from tests.support.records import event

NEAR = event("x1", "change.configured", 5, title="Retention of WAL was raised", actor=records.ON_CALL)


@pytest.fixture
async def told(desk: Desk) -> Desk:
    minutes = (BEFORE // 60_000_000, AFTER // 60_000_000)
    others = [
        event("early", "note.added", -minutes[0] - 1),
        event("late", "note.added", 27 + minutes[1]),
        event("probe", "impact.clear", 6),
        event("elsewhere", "note.added", 6, service="search"),
    ]
    await desk.store.journal.append([NEAR, *others, *(each.event for each in records.evidence())])
    await desk.put(records.draft())
    return desk


async def around(desk: Desk) -> list[str]:
    return [each["id"] for each in (await desk.get("/near-misses/nm-1/around"))["items"]]


async def cite(desk: Desk, status: int = 200, *, do: str, which: Event = NEAR) -> Any:
    body = {"do": do, "source": which.source, "id": which.id}
    answer = await desk.http.post("/api/v1/near-misses/nm-1/evidence", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def timeline(desk: Desk) -> list[str]:
    return [each["id"] for each in (await desk.get("/near-misses/nm-1"))["timeline"]]


async def test_what_is_near_and_not_cited_is_offered_and_added(told: Desk) -> None:
    assert await around(told) == ["x1"]
    await cite(told, do="add")
    assert await around(told) == []
    assert (await timeline(told)).index("x1") == (await timeline(told)).index("n1") - 1
    record = await told.store.near_misses.get("nm-1")
    assert record.draft == records.draft(), "what the machine said stays"
    trail = (await told.get("/near-misses/nm-1/audit"))["items"]
    (line,) = [each for each in trail if each["action"] == "add_evidence"]
    assert (line["by"], line["note"]) == ("reviewer", "Retention of WAL was raised")
    await cite(told, do="leave_out")
    assert "x1" not in await timeline(told)
    assert (await told.store.near_misses.get("nm-1")).handling.left_out == (), "it was never the machine's"


async def test_what_the_machine_cites_is_left_out_and_taken_back(told: Desk) -> None:
    deploy = records.evidence()[0].event
    await cite(told, do="leave_out", which=deploy)
    assert deploy.id not in await timeline(told)
    exported = (await told.http.get("/api/v1/near-misses/nm-1/export")).json()
    assert "Deploy v412 to production" not in [each["title"] for each in exported["timeline"]]
    await cite(told, do="add", which=deploy)
    assert deploy.id in await timeline(told)
    assert (await told.store.near_misses.get("nm-1")).handling.added == ()


async def test_a_person_in_added_evidence_is_no_more_named_than_others(told: Desk) -> None:
    named = event("x2", "note.added", 7, title="Ask u-42", actor=records.ON_CALL, labels={"assignee": "Grace Hopper"})
    await told.store.journal.append([named])
    await cite(told, do="add", which=named)
    for path in ("/near-misses/nm-1", "/api/v1/near-misses/nm-1", "/api/v1/near-misses/nm-1/export"):
        assert "Grace Hopper" not in (await told.http.get(path)).text


async def test_what_cannot_be_cited_says_why_and_changes_nothing(told: Desk) -> None:
    unknown = event("nobody", "note.added", 5)
    elsewhere = event("elsewhere", "note.added", 6, service="search")
    assert "is not among the events" in str(await cite(told, 422, do="add", which=unknown))
    assert "another service" in str(await cite(told, 422, do="add", which=elsewhere))
    assert "not among the evidence" in str(await cite(told, 422, do="leave_out", which=unknown))
    await told.decide("nm-1", decision="dismiss", reason="planned_work")
    await cite(told, 409, do="add")
    assert (await told.store.near_misses.get("nm-1")).handling.added == ()


async def test_the_page_offers_both_by_plain_forms(told: Desk) -> None:
    page = (await told.http.get("/near-misses/nm-1")).text
    assert "?around=true" in page
    assert "Retention of WAL" not in page
    open_page = (await told.http.get("/near-misses/nm-1?around=true")).text
    assert 'aria-label="Add: Retention of WAL was raised"' in open_page
    form = {"do": "add", "source": NEAR.source, "event": NEAR.id}
    added = await told.http.post("/near-misses/nm-1/evidence", data=form)
    assert added.headers["location"] == "/near-misses/nm-1?done=add#evidence"
    shown = (await told.http.get("/near-misses/nm-1?done=add")).text
    assert "Added to the evidence." in shown
    assert 'aria-label="Add: Retention' not in shown
    assert "Retention of WAL was raised" in shown
    refused = await told.http.post("/near-misses/nm-1/evidence", data={**form, "event": "nobody"})
    assert refused.status_code == 422
    assert "This event is not kept." in refused.text
    assert (await told.http.get("/near-misses/nm-1/evidence")).status_code == 303


def test_evidence_is_put_right_while_a_record_is_judged_and_once_it_is_accepted() -> None:
    states = {state for state, by in MOVES if by is Move.ADD_EVIDENCE}
    assert states == {State.DRAFT, State.IN_REVIEW, State.REOPENED, State.ACCEPTED}
