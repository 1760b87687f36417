"""On every store a comment tells of a record only teams that may see it: its own, and those it is shared with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest_asyncio

from monitor.app.metrics import Metrics
from monitor.chat.postman import Postman
from monitor.chat.teams import Team, Teams
from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.decisions import Open
from monitor.core.model.events import SECOND, Instant
from monitor.core.model.near_miss import Move
from monitor.core.model.risk import Handling, Share
from monitor.ops.clock import ManualClock
from monitor.ports import Commit, Decide
from monitor.review.budget import ReviewBudget
from monitor.store.database import Store, open_store
from tests.support.records import BASE, draft

CATALOGUE = Catalogue(
    services={name: Service(name, owner=owner) for name, owner in (("pay", "team-pay"), ("web", "team-web"))}
)
CALLED = "Was it yours, @team-web? Or yours, @team-pay?"


@pytest_asyncio.fixture
async def telling(store_url: str) -> AsyncIterator[Store]:
    async with open_store(store_url, announces=True) as opened:
        yield opened


class Asking:
    """Comments on one record, and whom each of them asked."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, ManualClock(BASE)
        budget = ReviewBudget(store.near_misses, lambda: CATALOGUE, 0)
        teams = Teams({"*": Team("*", to={"mail": "mailto://example.com"})})
        self.postman = Postman(
            store.outbox, store.chat_inbox, {}, store.near_misses, budget, teams, lambda: CATALOGUE, self.clock,
            Metrics(), "test",
        )  # fmt: skip

    async def move(self, move: Move, handling: Handling) -> None:
        decide = Decide("nm-1", move, "lead", self.clock.now(), handling=handling)
        await self.store.near_misses.decide(decide)

    async def comment(self) -> set[str]:
        self.clock.advance(SECOND)
        await self.store.near_misses.comment("nm-1", "on-call", CALLED, self.clock.now())
        await self.postman.hand_out()
        due = await self.store.outbox.due("mail", Instant(self.clock.now() + SECOND), 100)
        key = f":{int(self.clock.now())}:"
        return {msgspec.json.decode(each.body)["team"] for each in due if key in each.key}


async def test_only_who_may_see_the_record_is_asked(telling: Store) -> None:
    saved = await telling.engine_store.acquire("engine")
    opened = Open(draft("nm-1", service="pay", services=("pay",)))
    await telling.engine_store.commit(Commit((opened,), {}, {}, saved.epoch, BASE))
    asking = Asking(telling)
    assert await asking.comment() == {"team-pay"}
    await asking.move(Move.SHARE, Handling(share=Share.ORGANISATION))
    assert await asking.comment() == {"team-pay", "team-web"}
    await asking.move(Move.SHARE, Handling(share=Share.TEAM))
    assert await asking.comment() == {"team-pay"}
    await asking.move(Move.HAND_OVER, Handling(team="team-web"))
    assert await asking.comment() == {"team-pay", "team-web"}
