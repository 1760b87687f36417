"""What every keeper of topics must do: one cluster for one journal, and halts that last until somebody ends them."""

from __future__ import annotations

import asyncio

import pytest

from monitor.core.model.events import SECOND, Instant
from monitor.kafka.halts import MemoryBook
from monitor.ports import Halt, TopicBook
from monitor.store.database import Store
from tests.support.records import BASE


@pytest.fixture(params=["store", "memory"])
def book(request: pytest.FixtureRequest, store: Store) -> TopicBook:
    return store.topics if request.param == "store" else MemoryBook()


async def test_the_first_cluster_stays(book: TopicBook) -> None:
    told = await asyncio.gather(*(book.bind("kafka", f"cluster-{number}") for number in range(4)))

    assert len(set(told)) == 1
    assert await book.bind("kafka", "another") == told[0]
    assert await book.bind("elsewhere", "another") == "another"


async def test_a_halt_lasts_until_it_is_ended(book: TopicBook) -> None:
    first = Halt("alerts", BASE, "100 messages in a row cannot be read")
    await book.halt(first)
    await book.halt(Halt("alerts", Instant(BASE + SECOND), "again"))
    await book.halt(Halt("pages", BASE, "too"))

    assert await book.halts() == [first, Halt("pages", BASE, "too")]
    assert await book.resume("alerts")
    assert not await book.resume("alerts")
    assert [halt.topic for halt in await book.halts()] == ["pages"]
