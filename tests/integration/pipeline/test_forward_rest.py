"""What a journal that is given up still holds goes into the one that takes its place: all of it, and once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from monitor.core.model.events import Event
from monitor.ops.clock import ManualClock
from monitor.pipeline.forward import forward_rest
from monitor.ports import Appended, Batch, Commit, Held, Positions, Unavailable
from monitor.store.database import Store
from monitor.store.journal import PARTITION
from tests.support.records import MONDAY, event

LEASE = 6.0


class Topic:
    """Keeps what was written; is away for the first so many calls."""

    def __init__(self, away: int = 0) -> None:
        self.events: list[Event] = []
        self.away = away

    async def append(self, events: Sequence[Event]) -> Appended:
        if self.away:
            self.away -= 1
            raise Unavailable("no broker answers")
        self.events += events
        return Appended(tuple(True for _ in events))


async def carried(store: Store, topic: Topic) -> int:
    return await forward_rest(store.journal, topic, store.engine_store, ManualClock(MONDAY), "new", LEASE)


@pytest.fixture
def events() -> list[Event]:
    return [event(f"e{number}", "note.added", number) for number in range(2500)]


async def test_what_nobody_has_read_is_carried_once(store: Store, events: list[Event]) -> None:
    await store.journal.append(events)
    saved = await store.engine_store.acquire("old")
    await store.engine_store.commit(Commit((), {"meta:": b"kept"}, {PARTITION: 101}, saved.epoch, MONDAY))
    await store.engine_store.release("", saved.epoch)
    topic = Topic()

    assert await carried(store, topic) == 2400
    assert await carried(store, topic) == 0

    assert topic.events == events[100:]
    assert (await store.engine_store.acquire("new")).cells == {"meta:": b"kept"}


class Gapped:
    """A journal whose second read gives nothing but a later position, as where retention removed what lay between."""

    def __init__(self, events: list[Event]) -> None:
        self._reads = [
            Batch(tuple(events[:2]), {PARTITION: 3}, at_head=False),
            Batch((), {PARTITION: 7}, at_head=False, lost=4),
            Batch(tuple(events[2:4]), {PARTITION: 9}, at_head=False),
            Batch((), {PARTITION: 9}, at_head=True),
        ]

    async def read(self, positions: Positions, limit: int) -> Batch:
        return self._reads.pop(0)

    async def wait(self, timeout: float) -> None:
        raise AssertionError("nobody waits for a journal that is given up")


async def test_a_read_without_events_is_no_end(
    store: Store, events: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    topic = Topic()
    count = await forward_rest(Gapped(events), topic, store.engine_store, ManualClock(MONDAY), "new", LEASE)
    assert (count, topic.events) == (4, events[:4])
    assert dict((await store.engine_store.acquire("next")).positions) == {PARTITION: 9}
    assert "journal_gap" in caplog.text


async def test_what_could_not_be_written_is_carried_the_next_time(store: Store, events: list[Event]) -> None:
    await store.journal.append(events)
    topic = Topic(away=1)

    with pytest.raises(Unavailable):
        await carried(store, topic)
    assert await carried(store, topic) == len(events)

    assert topic.events == events


async def test_while_somebody_works_on_it_nothing_is_carried(store: Store, other: Store, events: list[Event]) -> None:
    await store.journal.append(events)
    await other.engine_store.acquire("old", lease=6_000_000)
    topic = Topic()

    with pytest.raises(Held):
        await carried(store, topic)

    assert topic.events == []
