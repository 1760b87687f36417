"""What a sender is told when nothing can be done for it now."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from monitor.core.model.events import Instant
from monitor.intake.flight import Flight
from monitor.intake.webhooks import IntakeSettings, build_router
from monitor.ops.clock import ManualClock


class WithoutMemory:
    async def receive(self, *_: object) -> None:
        raise MemoryError("injected")


@pytest.mark.parametrize(("path", "status"), [("/ingest/events", 503), ("/ingest/pagerduty", 503)])
async def test_what_there_is_no_memory_for_is_to_be_sent_again(path: str, status: int) -> None:
    app = FastAPI()
    door = build_router(WithoutMemory(), ManualClock(Instant(0)), IntakeSettings(), Flight(1 << 20))  # type: ignore[arg-type]  # only this is asked
    app.include_router(door)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.post(path, content=b"{}")
    assert (answer.status_code, answer.json()["reason"], answer.headers["retry-after"]) == (status, "busy", "5")
