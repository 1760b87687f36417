"""A reviewer's desk: the app over a real store in a file, a clock that stands still, and a client in the process."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI

from monitor.app.metrics import Metrics
from monitor.chat.pages import build_chat_pages
from monitor.chat.reporter import Reporter
from monitor.chat.teams import Team, Teams
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Open, Withdraw
from monitor.core.model.events import Event
from monitor.core.model.feed_views import FeedsView
from monitor.core.model.near_miss import Cited, Draft
from monitor.core.model.reasons import Withdrawn
from monitor.core.model.rule import Rule
from monitor.ops.clock import ManualClock
from monitor.ports import ActivePack, Commit, Unavailable
from monitor.review.auth import Auth
from monitor.review.budget import ReviewBudget
from monitor.review.sign_in.people import SignIn
from monitor.review.web import build_app
from monitor.store.database import Store, open_store
from tests.support import records

HOST = "http://localhost:8080"


class Desk:
    """What a test of the review needs in one place."""

    def __init__(self, store: Store, epoch: int, file: Path) -> None:
        self.store = store
        self.file = file
        self.clock = ManualClock(records.MONDAY)
        self.metrics = Metrics()
        self._epoch = epoch
        self.catalogue = Catalogue()
        self.a_week = 0
        self.feeds: FeedsView | Unavailable = FeedsView((), ())
        self.known: tuple[Catalogue, tuple[Rule, ...]] = (Catalogue(), ())
        self.pack = ActivePack("a1b2c3d4e5f60718", "0f1e2d3c4b5a6978", rules=44, services=300, loaded_at=records.MONDAY)
        self.app = self.build()
        self.http = self.client(self.app)

    def build(self, auth: Auth | None = None, sign_in: SignIn | None = None) -> FastAPI:
        near_misses = self.store.near_misses
        budget = ReviewBudget(near_misses, lambda: self.catalogue, self.a_week)
        return build_app(
            near_misses,
            self.store.journal,
            self.clock,
            self.metrics,
            auth,
            sign_in=sign_in,
            budget=budget,
            version="1.2.3",
            active_pack=lambda: self.pack,
            services=lambda: ("checkout", "payments-db"),
            past=self.store.history,
            sources=self.store.sources,
            known=lambda: (*self.known, ()),
            feeds=self.read_feeds,
            awaiting=self.store.awaited,
        )

    async def read_feeds(self) -> FeedsView:
        if isinstance(self.feeds, Unavailable):
            raise self.feeds
        return self.feeds

    def ask_at_most(self, a_week: int, catalogue: Catalogue | None = None) -> None:
        """Give the reviewers a budget; a desk has none to begin with."""
        self.a_week, self.catalogue = a_week, catalogue or self.catalogue
        self.app = self.build()
        self.http = self.client(self.app)

    def add_chat_pages(self) -> None:
        """The shift report, the incidents that were foretold, and what becomes of messages."""
        store, teams = self.store, Teams({"*": Team("*")})
        reporter = Reporter(
            store.history, store.near_misses, store.outbox, store.feed_cursors, teams, lambda: self.catalogue,
            self.clock, self.metrics, "",
        )  # fmt: skip
        router = build_chat_pages(reporter, store.outbox, self.app.state.pages)
        self.app.include_router(router, dependencies=[Depends(self.app.state.gate)])

    def client(self, app: FastAPI, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST, **options)

    def tamper(self, statement: str) -> None:
        """Change the database as somebody does who may."""
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute(statement)
            connection.commit()

    async def put(self, *drafts: Draft) -> None:
        """Open drafts as the engine does."""
        await self._commit(*(Open(draft) for draft in drafts))

    async def withdraw(self, draft_id: str, *evidence: Event) -> None:
        cited = tuple(Cited("impact", event) for event in evidence)
        await self._commit(Withdraw(draft_id, Withdrawn.IMPACT_AFTERWARDS, self.clock.now(), cited))

    async def _commit(self, *decisions: Decision) -> None:
        await self.store.engine_store.commit(
            Commit(decisions=decisions, cells={}, positions={}, epoch=self._epoch, at=self.clock.now())
        )

    async def decide(self, record_id: str, **body: Any) -> httpx.Response:
        return await self.http.post(f"/api/v1/near-misses/{record_id}/decision", json=body)

    async def accept(self, record_id: str = "nm-1", **more: Any) -> httpx.Response:
        answers = {"why_near_miss": "Somebody knew about slots", "users_hit": False}
        return await self.decide(record_id, decision="accept", answers=answers, **more)

    async def get(self, path: str, **parameters: Any) -> Any:
        answer = await self.http.get(f"/api/v1{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def journal(self) -> list[Event]:
        return list((await self.store.journal.read({}, 100)).events)

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an empty store, made once: to be copied."""
    directory = tmp_path_factory.mktemp("store")

    async def make() -> None:
        async with open_store(f"sqlite:///{directory}/nearmiss.db"):
            pass

    asyncio.run(make())
    return directory


@pytest.fixture
async def desk(tmp_path: Path, empty_store: Path) -> AsyncIterator[Desk]:
    shutil.copytree(empty_store, tmp_path, dirs_exist_ok=True)
    async with open_store(f"sqlite:///{tmp_path}/nearmiss.db") as store:
        saved = await store.engine_store.acquire("test")
        made = Desk(store, saved.epoch, tmp_path / "nearmiss.db")
        async with made.http:
            yield made
