"""An accepted record keeps what is still open; the machine closes it when it sees it, or it comes back and asks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from monitor.core.model.events import DAY, HOUR, Instant
from monitor.core.model.near_miss import Cited
from tests.review.conftest import Desk
from tests.support import records
from tests.support.records import event

OFF = event("f1", "change.flag_set", 20, labels={"flag": "fast-path", "state": "off"}, actor=records.ON_CALL)
KEY = "flag:payments-db|production|fast-path"


def flag(name: str, state: str, minutes: float) -> Any:
    return msgspec.structs.replace(
        event(name, "change.flag_set", minutes), labels={"flag": "fast-path", "state": state}
    )


@pytest.fixture
async def accepted(desk: Desk) -> Desk:
    await desk.put(records.draft(evidence=(*records.evidence(), Cited("intervention", OFF))))
    await desk.accept()
    return desk


async def keep_open(desk: Desk, status: int = 200, **body: Any) -> Any:
    answer = await desk.http.post("/api/v1/near-misses/nm-1/settle", json={"move": "keep_open", **body})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_the_machine_closes_what_it_sees_closed_and_nothing_else(accepted: Desk) -> None:
    assert {"key": KEY, "words": "The flag fast-path is off"} in (await accepted.get("/near-misses/nm-1"))["left_open"]
    kept = await keep_open(accepted, watch=KEY, days=30)
    assert (kept["open_condition"], kept["watches"]) == ("The flag fast-path is off", KEY)
    closing = accepted.app.state.closing
    assert await closing.look() == 0
    await accepted.store.journal.append([flag("again", "off", 340), flag("on", "on", 345)])
    assert await closing.look() == 1
    assert await closing.look() == 0
    now = await accepted.get("/near-misses/nm-1")
    assert (now["open_condition"], now["watches"], now["returns_at"]) == (None, None, None)
    line = (await accepted.get("/near-misses/nm-1/audit"))["items"][-1]
    assert line["by"] == "machine"
    assert line["note"] == "The flag fast-path is off: no longer, since 2026-02-02T08:25:00Z (pagerduty/acme)"


async def test_an_event_that_comes_late_closes_it_too(accepted: Desk) -> None:
    await keep_open(accepted, watch=KEY, days=30)
    assert await accepted.app.state.closing.look() == 0
    await accepted.store.journal.append(
        [msgspec.structs.replace(flag("on", "on", 0), time=Instant(records.MONDAY - HOUR // 2))]
    )
    assert await accepted.app.state.closing.look() == 1


async def test_a_person_does_not_close_what_is_watched_until_it_comes_back(accepted: Desk) -> None:
    await keep_open(accepted, watch=KEY, days=7)
    assert "is watched" in str(await keep_open(accepted, 422))
    page = (await accepted.http.get("/near-misses/nm-1")).text
    assert "nearmiss closes it as soon as an event says so" in page
    assert "Nothing is open any more" not in page
    accepted.clock.advance(7 * DAY + 1)
    assert "Still open?" in (await accepted.http.get("/")).text
    assert (await keep_open(accepted))["open_condition"] is None


async def test_only_what_the_evidence_left_open_can_be_watched(accepted: Desk) -> None:
    assert "expected one of" in str(await keep_open(accepted, 422, watch="flag:other", days=7))
    page = (await accepted.http.get("/near-misses/nm-1")).text
    assert "Watch: The flag fast-path is off" in page


async def test_a_record_that_is_opened_again_forgets_it(accepted: Desk) -> None:
    await keep_open(accepted, watch=KEY, days=7)
    await accepted.decide("nm-1", decision="reopen")
    assert (await accepted.get("/near-misses/nm-1"))["watches"] is None
    await accepted.store.journal.append([flag("on", "on", 90)])
    assert await accepted.app.state.closing.look() == 0
