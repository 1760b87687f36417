"""A week of a shop with nothing but Prometheus, Alertmanager, PagerDuty and GitHub: its near misses, and nothing else.

Its names are spelt differently in each tool. Every body goes through the HTTP door at its time, the Prometheus is
pulled on its schedule, and the engine's loop works on the journal that both fill. Beside the stories lie real
incidents, deployments by the dozen, flapping alerts, announced work and a game day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from monitor.app.metrics import Metrics
from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, HOUR, Instant
from monitor.core.model.near_miss import State
from monitor.feeds.pull import Puller
from monitor.feeds.settings import FeedSettings
from monitor.intake.flight import Flight
from monitor.intake.receiver import Receiver
from monitor.intake.webhooks import IntakeSettings, build_router
from monitor.ops.clock import ManualClock
from monitor.packs.language.regex import make_regex
from monitor.packs.pack import LoadedPack, load_pack
from monitor.pipeline.loop import EngineLoop, LoopSettings
from monitor.ports import Batch, Positions, Query, Record, Saved
from monitor.settings import load_settings
from monitor.store.database import Store, open_store
from tests.e2e.week_story import STORIES, Found, tell
from tests.e2e.week_tools import CATALOGUE, MONDAY, Delivery, Probe, Tools, said_of

ROUND = HOUR
"""The engine reads what has arrived so often."""
LIVE = LoopSettings(gather_seconds=0, commit_seconds=0)
FEED = FeedSettings.model_validate(
    {"service": "storefront", "pull": {"prometheus": "http://prometheus.fernweh.example", "preset": "blackbox"}}
)


class Week:
    """The shop's week as the reader of the engine's journal: what comes next arrives when nothing is left to read."""

    def __init__(self, store: Store, catalogue: Catalogue, tools: Tools, stop: asyncio.Event) -> None:
        self._store, self._stop = store, stop
        self.clock, self._metrics = ManualClock(MONDAY - HOUR), Metrics()
        settings = load_settings({}, {})
        flight = Flight(settings.in_flight_limit)
        receiver = Receiver(store.journal, store.rejects, self.clock, self._metrics, settings.future_tolerance, flight)
        door = FastAPI()
        door.include_router(build_router(receiver, self.clock, IntakeSettings(), flight))
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://nearmiss.example")
        self._feed = FEED.feed()
        self._puller = Puller(
            [self._feed],
            Probe(tools.hurt),
            store.journal,
            store.feed_cursors,
            self.clock,
            self._metrics,
            lambda feed: catalogue.freshness(feed.name.service, feed.name.source, feed.name.evidence),
        )
        self._script = self._by_hours(tools)

    def _by_hours(self, tools: Tools) -> Iterator[tuple[Instant, list[Delivery]]]:
        """What arrives within each few hours, and when they are over; two days more for what waits."""
        sent = sorted(tools.sent, key=lambda one: one.at)
        for at in range(MONDAY, MONDAY + 9 * DAY, ROUND):
            yield Instant(at), [one for one in sent if at - ROUND <= one.at < at]

    async def read(self, positions: Positions, limit: int) -> Batch:
        return await self._store.journal.read(positions, limit)

    async def wait(self, timeout: float) -> None:
        at, deliveries = next(self._script, (None, []))
        if at is None:
            self._stop.set()
            return
        for delivery in deliveries:
            await self._until(delivery.at)
            answer = await self._http.post(delivery.path, content=delivery.body, headers=delivery.headers)
            assert answer.status_code == 202, answer.text
            assert answer.json()["rejected"] == [], (delivery.body, answer.text)
        await self._until(at)

    async def _until(self, at: Instant) -> None:
        """Time goes on, and the Prometheus is asked for what has passed."""
        self.clock.advance(at - self.clock.now())
        while await self._puller.pull(self._feed):
            pass


async def _played(directory: Path) -> list[Record]:
    (directory / "catalogue.yaml").write_text(CATALOGUE)
    pack = load_pack(None, [directory / "catalogue.yaml"])
    assert [str(problem) for problem in pack.errors] == []
    tools = tell()
    async with open_store(f"sqlite:///{directory / 'nearmiss.db'}") as store:
        stop = asyncio.Event()
        week = Week(store, pack.catalogue.catalogue, tools, stop)
        loop = EngineLoop(
            week, store.engine_store, lambda saved: _engine(pack, saved), week.clock, Metrics(), LIVE, owner="test"
        )
        await loop.run(stop)
        return list((await store.near_misses.page(Query(), None, 200)).records)


def _engine(pack: LoadedPack, saved: Saved) -> Engine:
    how = EngineSettings(weights=pack.weights.weights)
    return Engine(pack.rules.rules, pack.catalogue.catalogue, make_regex, how, saved.cells)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    return [
        record
        for record in asyncio.run(_played(tmp_path_factory.mktemp("week")))
        if record.state is not State.WITHDRAWN
    ]


def described(record: Record) -> str:
    draft = record.draft
    cited = "\n    ".join(f"{one.role}: {said_of(one.event)}" for one in draft.evidence)
    why = ", ".join(f"{reason.feature} {reason.weight:+.1f}" for reason in draft.reasons)
    judged = f"{draft.mode} {draft.verdict} {draft.missing_evidence} {draft.rules} {draft.probability}"
    return f"{judged} {draft.title!r}\n    {cited}\n    {why}"


def is_told(record: Record, found: Found) -> bool:
    return any(one.event.title == found.first_sign for one in record.draft.evidence if one.role == "hazard")


@pytest.mark.parametrize("found", STORIES, ids=lambda found: found.name)
def test_a_near_miss_of_the_week_is_found(records: list[Record], found: Found) -> None:
    about = [record for record in records if is_told(record, found)]
    assert len(about) == 1, "\n".join(map(described, about or records))
    draft, said = about[0].draft, described(about[0])
    sign = min(one.event.time for one in draft.evidence if one.role == "hazard" and one.event.title == found.first_sign)
    assert draft.first_sign_at == sign, said
    acts = {
        (one.event.kind, one.event.actor and one.event.actor.id) for one in draft.evidence if one.role == "intervention"
    }
    assert found.act in acts, said
    assert (draft.service, draft.mode, draft.verdict) == (found.service, found.mode, found.verdict), said
    assert draft.title == found.title, said


def test_nothing_else_of_the_week_is_drafted(records: list[Record]) -> None:
    others = [record for record in records if not any(is_told(record, found) for found in STORIES)]
    assert others == [], "\n" + "\n".join(map(described, others))
