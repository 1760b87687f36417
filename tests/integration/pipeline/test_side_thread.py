"""While the engine works, the event loop answers others: no piece of its work holds the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import msgspec
import pytest

from monitor.app.metrics import Metrics
from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.decisions import Decision
from monitor.core.model.events import Event, Instant
from monitor.demo.story import story
from monitor.ops.clock import ManualClock
from monitor.packs.language.regex import make_regex
from monitor.pipeline.loop import EngineLoop
from monitor.ports import Saved
from monitor.store.database import Store
from tests.integration.pipeline.test_loop import NOW, QUICK, RULES, SHOP, Scripted


class _Patient(Engine):
    """An engine each of whose pieces of work goes on until the event loop has answered somebody who asked meanwhile."""

    def __init__(self) -> None:
        super().__init__(RULES, SHOP, make_regex, EngineSettings())
        self.asked: list[threading.Event] = []
        self.did: set[str] = set()

    def wait(self, what: str) -> None:
        self.did.add(what)
        self.asked.append(answered := threading.Event())
        assert answered.wait(30), f"while the engine did {what} nobody else was answered"

    def step(self, events: Sequence[Event], passed: Sequence[int] = ()) -> list[Decision]:
        self.wait("a step")
        return super().step(events, passed)

    def tick(self, watermark: Instant) -> list[Decision]:
        self.wait("a tick")
        return super().tick(watermark)

    def take_changes(self) -> dict[str, bytes | None]:
        self.wait("a commit")
        return super().take_changes()


async def test_while_the_engine_works_others_are_answered(store: Store) -> None:
    """Its start, a step, a tick and a commit: where one of them was in the event loop, all of the others waited."""
    await store.journal.append(story(NOW)[:20])
    stop, engine = asyncio.Event(), _Patient()
    settings = msgspec.structs.replace(QUICK, lateness=0)

    def make(_: Saved) -> Engine:
        engine.wait("the start")
        return engine

    reader, clock = Scripted(store, stop), ManualClock(NOW)
    loop = EngineLoop(reader, store.engine_store, make, clock, Metrics(), settings, owner="test")
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(loop.run(stop))
        while not working.done():
            while engine.asked:
                engine.asked.pop().set()
            await asyncio.sleep(0)
    assert engine.did == {"the start", "a step", "a tick", "a commit"}


async def test_a_busy_event_loop_is_no_reason_for_smaller_slices(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of the loop goes on while it serves others, and stands while the engine works."""
    await store.journal.append(story(NOW))
    stop = asyncio.Event()
    sizes: list[int] = []

    class Quickly(Engine):
        def step(self, events: Sequence[Event], passed: Sequence[int] = ()) -> list[Decision]:
            sizes.append(len(events))
            return super().step(events, passed)

    running = asyncio.get_running_loop()
    asked = [running.time()]

    def busy() -> float:
        # The engine asks before and after its work, in its own thread; the loop asks all the time.
        if threading.current_thread() is threading.main_thread():
            asked[0] += 0.05
            return asked[0]
        return 0.0

    monkeypatch.setattr(running, "time", busy)
    settings = msgspec.structs.replace(QUICK, slice_events=10)
    reader, clock = Scripted(store, stop), ManualClock(NOW)
    loop = EngineLoop(
        reader,
        store.engine_store,
        lambda _: Quickly(RULES, SHOP, make_regex, EngineSettings()),
        clock,
        Metrics(),
        settings,
        owner="test",
    )
    await loop.run(stop)
    assert set(sizes[:-1]) == {10}
