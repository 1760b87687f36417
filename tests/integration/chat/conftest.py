"""A team with a channel: the store, the fake Slack, the postman and the door, with a clock that stands still."""

from __future__ import annotations

import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from monitor.app.metrics import Metrics
from monitor.chat.bulletin import Bulletin, Line, Section
from monitor.chat.postman import Postman
from monitor.chat.slack_answers import SlackAnswers
from monitor.chat.slack_api import SlackApi
from monitor.chat.slack_command import SlackCommand
from monitor.chat.slack_door import SlackDoor
from monitor.chat.slack_replies import Replies
from monitor.chat.slack_sender import SlackSender
from monitor.chat.slack_work import Rights, SlackWorker
from monitor.chat.teams import Team, Teams
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision, Open
from monitor.core.model.near_miss import Draft
from monitor.ops.clock import ManualClock
from monitor.ports import Commit
from monitor.review.budget import ReviewBudget
from monitor.review.reports import Reports
from monitor.review.service import Review
from monitor.store.database import Store, open_store
from tests.support import records
from tests.support.slack import SECRET, TOKEN, FakeSlack
from tests.support.stores import sqlite_template

__all__ = ["sqlite_template"]

CHANNEL = "C0PAYMENTS"
ADDRESS = "https://nearmiss.example.com"


class Office:
    """What a test of the chat needs in one place."""

    def __init__(self, store: Store, epoch: int, slack: FakeSlack, api: SlackApi) -> None:
        self.store, self.slack, self.api, self._epoch = store, slack, api, epoch
        self.clock, self.metrics, self.catalogue = ManualClock(records.MONDAY), Metrics(), Catalogue()
        self.team = Team("*", channel=CHANNEL)
        self.rights = Rights("on-call")
        self.review = Review(store.near_misses, store.journal, self.clock, self.metrics)
        self.postman = self.build()
        self.door = self.open_door()

    def teams(self) -> Teams:
        return Teams({self.team.name: self.team})

    def build(self) -> Postman:
        """A postman as after a start of the process."""
        budget = ReviewBudget(self.store.near_misses, lambda: self.catalogue, 0)
        args = (self.store.outbox, self.store.near_misses, self.teams(), self.clock, ADDRESS)
        senders = {"slack": SlackSender(self.api, *args)}
        self.postman = Postman(
            self.store.outbox, self.store.chat_inbox, senders, self.store.near_misses, budget, self.teams(),
            lambda: self.catalogue, self.clock, self.metrics, "office",
        )  # fmt: skip
        return self.postman

    def open_door(self, answer_seconds: float = 10.0, body_seconds: float = 10.0) -> SlackDoor:
        async def shift(team: Team) -> Bulletin:
            return Bulletin(f"Shift of {team.name}", (Section("Hazards", (Line("a disk"),)),))

        answers = SlackAnswers(self.api, self.metrics)
        worker = SlackWorker(
            answers, self.review, Reports(self.store.journal, self.clock, self.metrics),
            Replies(self.store.outbox, self.store.near_misses, "on-call"),
            SlackCommand(answers, self.review, self.teams(), lambda: self.catalogue, shift, ADDRESS),
            self.teams(), lambda: self.catalogue, self.rights,
        )  # fmt: skip
        self.door = SlackDoor(
            SECRET, self.store.chat_inbox, worker, self.clock, self.metrics, answer_seconds, body_seconds=body_seconds
        )
        return self.door

    async def put(self, *drafts: Draft) -> None:
        await self.commit(*(Open(draft) for draft in drafts))

    async def commit(self, *decisions: Decision) -> None:
        await self.store.engine_store.commit(Commit(decisions, {}, {}, self._epoch, self.clock.now()))

    async def round(self) -> None:
        """What the postman does until nothing is left."""
        await self.postman.hand_out()
        await self.postman.deliver("slack")

    async def finish(self) -> None:
        """Wait for what the door has begun."""
        for task in list(self.door._tasks._tasks.values()):
            await task

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def reply(self) -> dict[str, Any]:
        """The one reply in the day's thread."""
        (found,) = self.slack.posted(thread=True)
        return found


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest_asyncio.fixture
async def office(tmp_path: Path, sqlite_template: Path, slack: FakeSlack) -> AsyncIterator[Office]:
    shutil.copytree(sqlite_template, tmp_path, dirs_exist_ok=True)
    async with open_store(f"sqlite:///{tmp_path}/nearmiss.db", announces=True) as store:
        saved = await store.engine_store.acquire("test")
        async with SlackApi(TOKEN, slack.address) as api:
            made = Office(store, saved.epoch, slack, api)
            async with made.door:
                yield made
