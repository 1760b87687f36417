"""What a sender is told when nothing can be done for it now."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from monitor.core.model.events import Instant
from monitor.intake.flight import Flight
from monitor.intake.webhooks import IntakeSettings, build_router
from monitor.ops.clock import ManualClock
from monitor.ports import Unavailable


class WithoutMemory:
    async def receive(self, *_: object) -> None:
        raise MemoryError("injected")


class WithoutStore:
    async def receive(self, *_: object) -> None:
        raise Unavailable("injected")


def app_of(receiver: object) -> FastAPI:
    app = FastAPI()
    door = build_router(receiver, ManualClock(Instant(0)), IntakeSettings(), Flight(1 << 20))  # type: ignore[arg-type]  # only this is asked
    app.include_router(door)
    return app


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/ingest/prometheus/eu/api/v2/alerts"])
@pytest.mark.parametrize("receiver", [WithoutMemory(), WithoutStore()])
async def test_what_cannot_be_stored_is_answered_as_an_alertmanager_does_and_as_the_document_says(
    path: str, receiver: object
) -> None:
    app = app_of(receiver)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.post(path, content=b"[]")
    assert (answer.status_code, type(answer.json())) == (500, str)
    paths = app.openapi()["paths"]
    told = paths[path if path in paths else "/ingest/{source}/api/v2/alerts"]["post"]["responses"]
    assert {"200", "400", "500"} <= told.keys()
    assert not {"202", "503"} & told.keys()


@pytest.mark.parametrize(("path", "status"), [("/ingest/events", 503), ("/ingest/pagerduty", 503)])
async def test_what_there_is_no_memory_for_is_to_be_sent_again(path: str, status: int) -> None:
    app = app_of(WithoutMemory())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.post(path, content=b"{}")
    assert (answer.status_code, answer.json()["reason"], answer.headers["retry-after"]) == (status, "busy", "5")


async def test_a_name_with_a_line_break_is_no_source_as_the_document_says() -> None:
    app = app_of(WithoutStore())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        assert (await http.options("/ingest/pagerduty")).status_code == 200
        assert (await http.options("/ingest/pager%0Aduty")).status_code == 404
    assert "404" in app.openapi()["paths"]["/ingest/{source}"]["options"]["responses"]
