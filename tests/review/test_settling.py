"""What people settle besides a decision: risk, snooze, team, sharing, what stays open, merge and split."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import DAY
from tests.review.conftest import Desk
from tests.support import records


async def settle(desk: Desk, record_id: str = "nm-1", **body: Any) -> httpx.Response:
    return await desk.http.post(f"/api/v1/near-misses/{record_id}/settle", json=body)


async def order(desk: Desk) -> list[str]:
    return [str(each["id"]) for each in (await desk.get("/near-misses"))["items"]]


async def rows(desk: Desk, show: str = "review") -> str:
    return (await desk.http.get("/", params={"show": show})).text


async def test_the_risk_is_empty_until_chosen_and_sorts_the_queue_then(desk: Desk) -> None:
    await desk.put(records.draft("nm-1", rank=1.0), records.draft("nm-2", rank=9.0), records.draft("nm-3", rank=5.0))
    before = await desk.get("/near-misses/nm-1")
    assert before["risk"] is None
    assert before["proposed_barrier"]["barrier"] == "by_accident"
    assert await order(desk) == ["nm-2", "nm-3", "nm-1"]

    settled = await settle(desk, move="assess", outcome="outage", barrier="luck")
    assert settled.json()["risk"] == {"outcome": "outage", "barrier": "luck", "index": 500}
    assert settled.json()["state"] == "draft"
    await settle(desk, "nm-2", move="assess", outcome="internal", barrier="luck")
    assert await order(desk) == ["nm-1", "nm-3", "nm-2"]
    assert "Risk 500" in await rows(desk)
    assert desk.count("nearmiss_decisions_total", decision="assess", reason="none") == 2


async def test_both_questions_need_an_answer_and_the_page_keeps_the_one_that_was_given(desk: Desk) -> None:
    await desk.put(records.draft())
    refused = await settle(desk, move="assess", outcome="bad")
    assert refused.status_code == 422
    assert {each["field"] for each in refused.json()["errors"]} == {"outcome", "barrier"}
    page = await desk.http.post("/near-misses/nm-1/settle", data={"move": "assess", "outcome": "outage"})
    assert page.status_code == 422
    assert 'value="outage" checked' in page.text
    assert "Choose what still stood between." in page.text


async def test_a_page_chooses_nothing_and_marks_what_the_facts_suggest(desk: Desk) -> None:
    await desk.put(records.draft())
    page = (await desk.http.get("/near-misses/nm-1")).text
    risk = page.partition('id="risk"')[2].partition("</section>")[0]
    assert "checked" not in risk
    assert "the facts suggest it: someone acted who was not on call" in risk


async def test_a_snoozed_draft_sleeps_under_later_and_wakes(desk: Desk) -> None:
    await desk.put(records.draft())
    await settle(desk, move="snooze", days=1)
    assert "row-nm-1" not in await rows(desk)
    assert "row-nm-1" in await rows(desk, "later")
    desk.clock.advance(DAY + 1)
    assert "row-nm-1" in await rows(desk)
    assert "row-nm-1" not in await rows(desk, "later")


async def test_an_accepted_record_with_something_open_comes_back(desk: Desk) -> None:
    await desk.put(records.draft())
    await desk.accept()
    await settle(desk, move="keep_open", condition="The silence on pg-3 is still on", days=7)
    assert "row-nm-1" not in await rows(desk)
    desk.clock.advance(7 * DAY + 1)
    assert "Still open?" in await rows(desk)
    page = (await desk.http.get("/near-misses/nm-1")).text
    assert "Is this still so? The silence on pg-3 is still on" in page
    closed = await settle(desk, move="keep_open")
    assert closed.json()["open_condition"] is None
    assert "row-nm-1" not in await rows(desk)


async def test_an_accepted_risk_expires(desk: Desk) -> None:
    await desk.put(records.draft())
    await desk.decide("nm-1", decision="dismiss", reason="same_as_known_accepted_risk")
    assert "row-nm-1" not in await rows(desk)
    desk.clock.advance(90 * DAY + 1)
    assert "Accepted risk expired" in await rows(desk)
    await desk.decide("nm-1", decision="reopen")
    assert (await desk.get("/near-misses/nm-1"))["returns_at"] is None


async def test_a_person_merges_and_takes_it_out_again(desk: Desk) -> None:
    await desk.put(records.draft("nm-1"), records.draft("nm-2"))
    merged = await settle(desk, "nm-2", move="merge", into="http://localhost:8080/near-misses/nm-1?done=accept")
    assert (merged.json()["state"], merged.json()["merged_into"]) == ("merged", "nm-1")
    split = await settle(desk, "nm-2", move="split")
    assert (split.json()["state"], split.json()["merged_into"]) == ("reopened", None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"move": "accept"}, "move"),
        ({"move": "merge", "into": "nm-1"}, "into"),
        ({"move": "merge", "into": "nobody"}, "into"),
        ({"move": "snooze", "days": 0}, "days"),
        ({"move": "snooze", "days": 366}, "days"),
        ({"move": "hand_over", "team": " "}, "team"),
        ({"move": "hand_over", "team": "paymnets"}, "team"),
        ({"move": "share", "share": "everybody"}, "share"),
    ],
)
async def test_what_cannot_be_settled_is_said_by_field(desk: Desk, body: dict[str, Any], field: str) -> None:
    desk.ask_at_most(3, Catalogue({"payments-db": Service("payments-db", owner="payments")}))
    await desk.put(records.draft())
    refused = await settle(desk, **body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field
    assert (await desk.get("/near-misses/nm-1"))["version"] == 1


async def test_team_and_sharing_are_kept_and_told_by_the_trail(desk: Desk) -> None:
    await desk.put(records.draft())
    await settle(desk, move="hand_over", team="storage")
    settled = await settle(desk, move="share", share="public")
    assert (settled.json()["handed_to"], settled.json()["share"]) == ("storage", "public")
    trail = (await desk.get("/near-misses/nm-1/audit"))["items"]
    assert [(each["action"], each["note"]) for each in trail[1:]] == [("hand_over", "storage"), ("share", "public")]


async def test_of_two_at_once_the_second_is_told(desk: Desk) -> None:
    await desk.put(records.draft())
    await settle(desk, move="snooze", days=1, expected_version=1)
    late = await settle(desk, move="assess", outcome="outage", barrier="luck", expected_version=1)
    assert late.status_code == 409
    assert late.json()["current"]["version"] == 2
    await desk.decide("nm-1", decision="dismiss", reason="planned_work")
    illegal = await settle(desk, move="snooze", days=1)
    assert illegal.json()["type"] == "/problems/illegal-move"


async def test_a_version_of_thousands_of_digits_is_none(desk: Desk) -> None:
    await desk.put(records.draft())
    form = {"move": "snooze", "days": "1", "expected_version": "9" * 5000}
    assert (await desk.http.post("/near-misses/nm-1/settle", data=form)).status_code < 500


async def test_half_of_a_character_names_no_record(desk: Desk) -> None:
    await desk.put(records.draft())
    body = json.dumps({"move": "merge", "into": "\ud83d"})
    answer = await desk.http.post(
        "/api/v1/near-misses/nm-1/settle", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
