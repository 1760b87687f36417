"""A store that never answers: whoever asks whether the service lives, or for its metrics, is answered all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from jinja2 import Environment

from monitor.app import composition
from monitor.app.composition import build_web, compiled_pack
from monitor.app.journals import Journal
from monitor.app.metrics import Metrics
from monitor.core.model.decisions import Open
from monitor.core.model.events import SECOND
from monitor.ops.clock import ManualClock, SystemClock
from monitor.ops.tasks import WatchedTasks
from monitor.packs.pack import load_pack
from monitor.pipeline.current_pack import Current
from monitor.ports import Commit, Unavailable
from monitor.review.budget import ReviewBudget
from monitor.review.queue_watch import QueueWatch
from monitor.settings import load_settings
from monitor.store.connections import Database
from monitor.store.database import Store
from monitor.store.near_misses import SqlNearMisses
from tests.support import records
from tests.support.stores import sqlite_template, sqlite_url

__all__ = ["sqlite_template", "sqlite_url"]


@pytest_asyncio.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    opened = Store(sqlite_url)
    await opened.open()
    yield opened
    await opened.close()


def web(store: Store, *roles: str) -> FastAPI:
    clock, metrics = SystemClock(), Metrics()
    given = {"roles": ",".join(roles), "watch_every": "0s"}
    settings = load_settings(given, {})
    pack = compiled_pack(load_pack(None, ()))

    async def no_trouble() -> None: ...

    journal = Journal(store.journal, {}, lambda: None, no_trouble)
    return build_web(settings, Current(pack, clock, metrics), store, journal, clock, metrics)


@pytest.mark.parametrize("roles", [("ingest", "engine", "review"), ("ingest",), ("engine",), ("review",)])
async def test_while_the_store_never_answers_whoever_watches_is_answered(
    store: Store, roles: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    class Never:
        __aenter__ = __aexit__ = never

    for name, answer in (
        ("reading", lambda *_: Never()),
        ("writing", lambda *_: Never()),
        ("read_at_once", never),
        ("write_at_once", never),
        ("ping", never),
    ):
        monkeypatch.setattr(Database, name, answer)
    app = web(store, *roles)
    transport = httpx.ASGITransport(app)
    # Leaving it ends the part, which waits for the store, and does not make the others wait.
    async with WatchedTasks() as tasks, httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        tasks.start("queue", app.state.queue.run(asyncio.Event()))
        metrics = await http.get("/metrics")
        assert (metrics.status_code, (await http.get("/healthz")).status_code) == (200, 200)
        assert "nearmiss_undecided_drafts 0.0" in metrics.text
        assert tasks.names == ("queue",)


def shown(metrics: Metrics) -> list[float | None]:
    names = ("nearmiss_undecided_drafts", "nearmiss_oldest_undecided_age_seconds")
    return [metrics.registry.get_sample_value(name) for name in names]


async def test_the_queue_is_measured_beside_and_its_oldest_draft_grows_older(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, metrics = ManualClock(records.MONDAY), Metrics()
    watch = QueueWatch(store.near_misses, ReviewBudget(store.near_misses), clock, metrics)
    epoch = (await store.engine_store.acquire("engine")).epoch
    opened = (Open(records.draft()), Open(records.draft("nm-2")))
    await store.engine_store.commit(Commit(opened, {}, {}, epoch, records.MONDAY))
    await watch.measure()
    assert shown(metrics) == [2, 0]

    async def away() -> None:
        raise Unavailable("nothing can be read")

    monkeypatch.setattr(store.near_misses, "counts", away)
    with pytest.raises(Unavailable):
        await watch.measure()
    clock.advance(90 * SECOND)
    watch.show()
    assert shown(metrics) == [2, 90]


async def test_a_start_does_not_wait_for_a_store_that_never_answers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Database, "read_at_once", never)
    monkeypatch.setattr(composition, "PREPARE_SECONDS", 0.01)
    await composition.prepare_pages(web(store, "review"))
    await composition.prepare_pages(web(store, "ingest"))


async def test_the_first_view_compiles_nothing_and_reads_no_fold(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    epoch = (await store.engine_store.acquire("engine")).epoch
    await store.engine_store.commit(Commit((Open(records.draft()),), {}, {}, epoch, records.MONDAY))
    app = web(store, "review")
    await composition.prepare_pages(app)

    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("this was to be done before the service answers")

    monkeypatch.setattr(Environment, "compile", refused)
    monkeypatch.setattr(SqlNearMisses, "asked", refused)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        for path in ("/", "/near-misses/nm-1", "/report", "/?show=folded"):
            assert (await client.get(path)).status_code == 200, path
