"""More comes than the engine reads: a flood is asked to come again, others are not, and what was taken is decided."""

from __future__ import annotations

import json

from tests.e2e.conftest import MakeService
from tests.support.service import Service
from tests.support.waiting import until

BODY = 20


def sent(service: Service, sender: str, number: int) -> tuple[int, str]:
    events = [
        {
            "id": f"{number}-{each}",
            "source": f"test/{sender}",
            "time": "2026-03-10T12:00:00Z",
            "kind": "note.added",
            "service": "checkout",
        }
        for each in range(BODY)
    ]
    answer = service.post("/ingest/events", json.dumps(events).encode())
    if answer.status_code == 202:
        assert answer.json()["accepted"] == BODY
        return 202, ""
    assert answer.headers["retry-after"] == "15"
    return answer.status_code, answer.json()["reason"]


def test_a_flood_is_slowed_alone_and_nothing_that_was_taken_is_lost(make_service: MakeService) -> None:
    without_engine = make_service("--roles", "ingest", environment={"NEARMISS_BACKLOG_LIMIT": "1MiB"}).start()
    assert sent(without_engine, "honest", 0)[0] == 202
    number = 0
    while (answer := sent(without_engine, "flood", number)) == (202, ""):
        number += 1
        assert number < 100, "nothing slows it down"
    assert answer == (503, "backlog")
    assert without_engine.metric("nearmiss_backlog_refused_total") == 1
    assert sent(without_engine, "honest", 1)[0] == 202, "another sender is not refused for it"
    until(lambda: without_engine.metric("nearmiss_backlog_events") == (number + 2) * BODY, "the backlog is measured")
    assert sent(without_engine, "flood", number) == (503, "backlog"), "measuring makes no room"
    assert "backlog_refused" in without_engine.log()
    without_engine.close()

    whole = make_service(environment={"NEARMISS_BACKLOG_LIMIT": "1MiB"}).start()
    until(lambda: whole.metric("nearmiss_events_processed_total") == (number + 2) * BODY, "all that was taken is read")
    until(lambda: sent(whole, "flood", number)[0] == 202, "what was refused is taken, once there is room")
