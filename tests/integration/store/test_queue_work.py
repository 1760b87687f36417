"""What a page of the queue costs the database does not grow with the queue: counted, not timed.

SQLite tells how many steps its machine takes; the same data and statements take the same steps on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import Engine
from sqlalchemy import event as engine_event

from monitor.core.model.events import MINUTE
from tests.bench.queue import STORM, YEARS, Shape, filled, reviewing

FEW, MANY = 800, 8_000
COUNTED = 30
"""So far the tabs count here, and so many ids are named in a statement: less than there are of `FEW` records."""
_EVERY = 50
"""Steps of SQLite's machine between two calls."""


class Work:
    """Statements, and steps of SQLite's machine in fifties."""

    def __init__(self) -> None:
        self.statements = 0
        self.steps = 0

    def step(self) -> int:
        self.steps += 1
        return 0


@contextmanager
def watched(work: Work) -> Iterator[None]:
    """Counts the work of all engines whose connections are opened inside."""

    def connected(connection: Any, _record: Any) -> None:
        driver = getattr(connection, "driver_connection", connection)
        getattr(driver, "_conn", driver).set_progress_handler(work.step, _EVERY)

    def executed(*_about: object) -> None:
        work.statements += 1

    engine_event.listen(Engine, "connect", connected)
    engine_event.listen(Engine, "before_cursor_execute", executed)
    try:
        yield
    finally:
        engine_event.remove(Engine, "connect", connected)
        engine_event.remove(Engine, "before_cursor_execute", executed)


async def work_of(client: httpx.AsyncClient, work: Work, path: str) -> tuple[int, int]:
    statements, steps = work.statements, work.steps
    answer = await client.get(path)
    assert answer.status_code in (200, 303), answer.text
    return work.statements - statements, work.steps - steps


async def pages(file: Path, shape: Shape, count: int) -> dict[str, tuple[int, int]]:
    """Statements and steps of each page, after the first look has read the reviewer budget."""
    work = Work()
    with watched(work):
        async with filled(f"sqlite:///{file}.db", shape, count) as store, reviewing(store) as client:
            await client.get("/")
            after = (await client.get("/api/v1/near-misses?limit=200")).json()["next"]
            found = {
                path: await work_of(client, work, path)
                for path in ("/", "/?show=digest", "/?show=all", "/near-misses/copy-500")
            }
            found["a far page"] = await work_of(client, work, f"/?show=all&after={after}")
            top = (await client.get("/api/v1/near-misses?state=draft&limit=1")).json()["items"][0]["id"]
            body = {"decision": "dismiss", "reason": "routine_hygiene"}
            (await client.post(f"/api/v1/near-misses/{top}/decision", json=body)).raise_for_status()
            found["after a decision"] = await work_of(client, work, "/")
            found["folded, after a decision"] = await work_of(client, work, "/?show=folded")
    return found


async def test_the_folded_are_found_without_reading_those_that_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folded are those of the lowest rank, so that who walks the queue meets all others first."""
    monkeypatch.setattr("monitor.store.near_misses.COUNTED", COUNTED)
    monkeypatch.setattr("monitor.review.views.COUNTED", COUNTED)
    monkeypatch.setattr("monitor.store.queue_order.FEW", COUNTED)
    work, taken = Work(), []
    for count in (FEW, MANY):
        # Each team has four drafts a week, of which three are shown.
        shape = Shape("four a week", 1, count // 4, MINUTE // count)
        with watched(work):
            async with filled(f"sqlite:///{tmp_path}/{count}.db", shape, count) as store, reviewing(store) as client:
                await client.get("/?show=folded")
                folded = (await client.get("/api/v1/near-misses?folded=true&limit=200")).json()["items"]
                assert len(folded) > 100
                taken.append(await work_of(client, work, "/?show=folded"))
    assert taken[1][1] <= 1.1 * taken[0][1] + 5, taken


async def test_ten_times_the_records_cost_the_database_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.store.near_misses.COUNTED", COUNTED)
    monkeypatch.setattr("monitor.review.views.COUNTED", COUNTED)
    monkeypatch.setattr("monitor.store.queue_order.FEW", COUNTED)
    half_waits = msgspec.structs.replace(YEARS, waits=2)
    for number, shape in enumerate((half_waits, STORM)):
        few = await pages(tmp_path / f"few-{number}", shape, FEW)
        many = await pages(tmp_path / f"many-{number}", shape, MANY)
        for path, (statements, steps) in many.items():
            assert statements <= few[path][0] + 1, (shape.name, path, few[path], many[path])
            assert 0 < steps <= 1.1 * few[path][1] + 5, (shape.name, path, few[path], many[path])
