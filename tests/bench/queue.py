"""How long queue and draft page take with very many records: processor time of the app in this process, no network.

Three shapes of 100,000 records: years in which one in twenty still waits; all of them waiting; and a storm, where a few
teams got all of them within a week. The first view of each is taken by itself: it compiles the templates and reads the
reviewer budget whole.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles

import httpx
import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from monitor.app.metrics import Metrics
from monitor.core.model.decisions import Open
from monitor.core.model.events import MINUTE, SECOND
from monitor.ops.clock import ManualClock
from monitor.ports import Commit
from monitor.review.budget import ReviewBudget
from monitor.review.web import build_app
from monitor.store.connections import Locations
from monitor.store.database import Store, open_store
from tests.bench import servers
from tests.bench.live import new_database
from tests.support import records

ROUNDS = 40


class Shape(msgspec.Struct, frozen=True):
    """One record in `waits` waits, the others are decided; `apart` microseconds lie between two."""

    name: str
    waits: int
    services: int
    apart: int


YEARS = Shape("years, one in 20 waits", 20, 200, 10 * MINUTE)
WAITING = Shape("all wait", 1, 200, 10 * MINUTE)
STORM = Shape("a storm: all within a week", 1, 5, SECOND)
SHAPES = (YEARS, WAITING, STORM)


_POSTGRES_BYTES = ("convert_from(draft, 'UTF8')", "convert_to({}, 'UTF8')")


class Answer(msgspec.Struct, frozen=True):
    """Milliseconds of the first answer and the 95th percentile of those after it; of the latter also on the clock."""

    name: str
    first: float
    p95: float
    p95_clock: float
    size: int


def _fill(shape: Shape, *, sqlite: bool) -> tuple[str, ...]:
    """Copies of one record, which differ in what the queue looks at, each with its line in the trail."""
    state = f"CASE WHEN i % {shape.waits} = 0 THEN 'draft' ELSE 'dismissed' END"
    read, wrote = ("CAST(draft AS TEXT)", "CAST({} AS BLOB)") if sqlite else _POSTGRES_BYTES
    draft = wrote.format(f'replace({read}, \'"id":"nm-1"\', \'"id":"copy-\' || i || \'"\')')
    copies = f"""
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO near_misses (id, state, version, rank, opened_at, mode, verdict, family, service, environment,
  recurrence_key, search, draft, why_near_miss, what_saved_it, what_next_time, impact_evidence, created_at)
SELECT 'copy-' || i, {state}, 1, i % 97, opened_at - i * CAST({shape.apart} AS BIGINT),
  CASE WHEN i % 11 = 0 THEN 'digest' ELSE 'live' END, verdict, family,
  'service-' || (i % {shape.services}), environment,
  recurrence_key, search, {draft}, '', '', '', impact_evidence, created_at - i * CAST({shape.apart} AS BIGINT)
FROM near_misses, n WHERE id = 'nm-1'"""  # noqa: S608 -- numbers of this file
    return (
        copies,
        "INSERT INTO near_miss_services (record_id, service) SELECT id, service FROM near_misses WHERE id != 'nm-1'",
        """INSERT INTO audit (record_id, at, by, action, after)
           SELECT id, created_at, 'machine', 'open', 'draft' FROM near_misses WHERE id != 'nm-1'""",
        # SQLite's planner is to do without statistics, as in the service.
        *(() if sqlite else ("ANALYZE",)),
    )


@asynccontextmanager
async def filled(url: str, shape: Shape, count: int) -> AsyncIterator[Store]:
    """A store with `count` records, each as large as one with its evidence is."""
    async with open_store(url) as store:
        epoch = (await store.engine_store.acquire("bench")).epoch
        draft = records.draft(evidence=records.evidence()[1:3])
        await store.engine_store.commit(Commit((Open(draft),), {}, {}, epoch, records.MONDAY))
        engine = create_async_engine(Locations(url).records)
        async with engine.begin() as connection:
            for statement in _fill(shape, sqlite=url.startswith("sqlite")):
                await connection.execute(
                    text(statement.replace('":"', '"\\:"')), {"count": count - 1} if ":count" in statement else {}
                )
        await engine.dispose()
        yield store


@asynccontextmanager
async def reviewing(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    budget = ReviewBudget(store.near_misses, a_week=3)
    app = build_app(store.near_misses, store.journal, ManualClock(records.MONDAY), Metrics(), budget=budget)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


async def paths(client: httpx.AsyncClient) -> dict[str, str]:
    after = (await client.get("/api/v1/near-misses?limit=200")).json()["next"]
    return {
        "folded": "/?show=folded",
        "far page": f"/?show=all&after={after}",
        "one service": "/?service=service-3",
        "draft": "/near-misses/copy-500",
        "next draft": "/near-misses/copy-500/step/next",
    }


async def measure(url: str, shape: Shape, count: int, rounds: int) -> list[Answer]:
    async with filled(url, shape, count) as store, reviewing(store) as client:
        # The collector is set as the service sets it.
        gc.collect()
        gc.freeze()
        queue = await _measured(client, "queue", "/", rounds)
        others = [await _measured(client, name, path, rounds) for name, path in (await paths(client)).items()]
        return [queue, *others]


async def after_decisions(url: str, shape: Shape, count: int, rounds: int) -> float:
    """The 95th percentile of the queue where before each look somebody dismisses a draft, in milliseconds."""
    async with filled(url, shape, count) as store, reviewing(store) as client:
        await client.get("/")
        taken = []
        for _ in range(rounds):
            first = (await client.get("/api/v1/near-misses?state=draft&limit=1")).json()["items"][0]["id"]
            body = {"decision": "dismiss", "reason": "routine_hygiene"}
            (await client.post(f"/api/v1/near-misses/{first}/decision", json=body)).raise_for_status()
            began = time.process_time()
            (await client.get("/")).raise_for_status()
            taken.append(time.process_time() - began)
    return quantiles(taken, n=20)[-1] * 1000


async def _measured(client: httpx.AsyncClient, name: str, path: str, rounds: int) -> Answer:
    taken, lasted, size = [], [], 0
    for _ in range(rounds + 1):
        began, clock = time.process_time(), time.perf_counter()
        answer = await client.get(path)
        taken.append((time.process_time() - began) * 1000)
        lasted.append((time.perf_counter() - clock) * 1000)
        if answer.status_code not in (200, 303):
            raise RuntimeError(f"{path} answered {answer.status_code}")
        size = len(answer.content)
    return Answer(name, taken[0], quantiles(taken[1:], n=20)[-1], quantiles(lasted[1:], n=20)[-1], size)


def on_sqlite(shape: Shape, count: int, rounds: int = ROUNDS) -> tuple[list[Answer], float]:
    """The answers, and the queue after decisions."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = (f"sqlite:///{Path(folder) / name}.db" for name in "ab")
        return (
            asyncio.run(measure(first, shape, count, rounds)),
            asyncio.run(after_decisions(second, shape, count, rounds)),
        )


def on_postgres(shape: Shape, count: int, rounds: int = ROUNDS) -> tuple[list[Answer], float]:
    """The same; the database's own processor time is in the clock's figures alone."""
    with servers.postgres() as server:
        first, second = new_database(server, "a"), new_database(server, "b")
        return (
            asyncio.run(measure(first, shape, count, rounds)),
            asyncio.run(after_decisions(second, shape, count, rounds)),
        )
