"""Live updates: one look serves every open page, a change is told, and closing ends every stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from monitor.core.model.events import SECOND
from monitor.ports import Unavailable
from monitor.review.live import Live
from tests.review.conftest import Desk
from tests.support import records


@pytest.fixture
def looks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often the store is asked."""
    counted: list[int] = []
    ask = desk.store.near_misses.counts

    async def counting() -> Any:
        counted.append(1)
        return await ask()

    monkeypatch.setattr(desk.store.near_misses, "counts", counting)
    return counted


def live(desk: Desk, every: float = 2.0) -> Live:
    return Live(desk.store.near_misses, desk.clock, every)


async def test_many_pages_cost_one_look(desk: Desk, looks: list[int]) -> None:
    source = live(desk)
    revisions = await asyncio.gather(*(source.revision() for _ in range(20)))
    assert len(set(revisions)) == 1
    assert len(looks) == 1
    desk.clock.advance(2 * SECOND)
    await asyncio.gather(*(source.revision() for _ in range(20)))
    assert len(looks) == 2


async def test_every_change_of_the_queue_is_a_new_revision(desk: Desk) -> None:
    source = live(desk, every=0)
    seen = [await source.revision()]
    await desk.put(records.draft())
    seen.append(await source.revision())
    await desk.put(records.draft(title="Amended by later evidence"))
    seen.append(await source.revision())
    await desk.accept()
    seen.append(await source.revision())
    assert len(set(seen)) == 4
    assert await source.revision() == seen[-1] == await live(desk).revision()


async def test_a_stream_tells_the_revision_and_its_changes(desk: Desk) -> None:
    source = live(desk, every=0.01)
    told = source.stream()
    first = await anext(told)
    assert first.startswith(b"event: revision\ndata: ")
    await desk.put(records.draft())
    desk.clock.advance(SECOND)
    assert await anext(told) != first


async def test_closing_ends_open_streams_and_later_ones(desk: Desk) -> None:
    source = live(desk, every=60)
    told = source.stream()
    await anext(told)
    waiting = asyncio.gather(_drain(told), _drain(source.stream()))
    source.close()
    assert sum(await waiting) <= 1
    assert await _drain(source.stream()) == 0


async def test_a_store_that_is_away_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    source = live(desk, every=0)
    before = await source.revision()

    async def away() -> None:
        raise Unavailable

    monkeypatch.setattr(desk.store.near_misses, "counts", away)
    assert await source.revision() == before


async def _drain(stream: AsyncIterator[bytes]) -> int:
    return len([part async for part in stream])
