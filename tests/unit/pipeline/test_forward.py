"""What carries topics over lets time go on for the engines: by the clock, but not by a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from monitor.app.metrics import Metrics
from monitor.core.model.events import DAY, MINUTE, SECOND, Event, Instant
from monitor.ops.clock import STEP, ManualClock
from monitor.pipeline.forward import Forwarder
from monitor.pipeline.lease import LeaseSettings
from monitor.ports import NOT_AT_HAND, WHOLE, Appended, Batch, Commit, Positions, Saved

NOON = Instant(1_767_268_800 * SECOND)  # 2026-01-01T12:00:00Z


class QuietTopics:
    """Nothing in them but `first`. Each wait is a turn of the test's script."""

    def __init__(self, turns: Sequence[Callable[[], object]]) -> None:
        self._turns = list(turns)
        self.first = Batch((), {}, at_head=True)

    async def read(self, positions: Positions, limit: int) -> Batch:
        batch, self.first = self.first, Batch((), dict(positions), at_head=True)
        return batch

    async def wait(self, timeout: float) -> None:
        self._turns.pop(0)()


class Marks:
    """Keeps the marks that are written, and what was at hand of the events."""

    def __init__(self) -> None:
        self.newest = Instant(0)
        self.at: list[Instant] = []
        self.bodies: list[bytes] = []

    async def append(self, events: Sequence[Event], bodies: Sequence[bytes] = ()) -> Appended:
        self.bodies += bodies
        return Appended((True,) * len(events))

    async def mark(self, at: Instant) -> None:
        self.at.append(at)


class Owned:
    """A store that lets everybody work."""

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        return Saved(cells={}, positions={}, epoch=1, scopes={})

    async def heartbeat(self, part: str, epoch: int) -> None: ...

    async def commit(self, commit: Commit) -> int:
        return 0

    async def release(self, part: str, epoch: int) -> None: ...


async def _run(
    clock: ManualClock, marks: Marks, *turns: Callable[[], object], first: Batch | None = None
) -> list[Instant]:
    stop = asyncio.Event()
    topics = QuietTopics([*turns, stop.set])
    topics.first = first or topics.first
    how = {"owner": "test", "part": "intake", "lateness": MINUTE, "settings": LeaseSettings()}
    await Forwarder(topics, marks, Owned(), clock, Metrics(), **how).run(stop)  # type: ignore[arg-type]  # by name
    return marks.at


async def test_time_goes_on_once_senders_had_time_to_repeat() -> None:
    clock = ManualClock(NOON)
    found = await _run(clock, Marks(), lambda: clock.advance(30 * SECOND), lambda: clock.advance(30 * SECOND))
    assert found == [NOON + MINUTE]


async def test_a_jump_of_the_clock_closes_no_windows() -> None:
    clock = ManualClock(NOON)
    found = await _run(
        clock,
        Marks(),
        lambda: clock.advance(MINUTE),
        lambda: clock.set(NOON + DAY),
        lambda: clock.advance(SECOND),
    )
    assert found == [NOON + MINUTE, NOON + MINUTE + SECOND]


async def test_what_senders_tell_bears_the_new_time_out() -> None:
    clock, marks = ManualClock(NOON), Marks()

    def it_slept() -> None:
        clock.set(NOON + DAY)
        marks.newest = Instant(NOON + DAY - STEP)

    found = await _run(clock, marks, lambda: clock.advance(MINUTE), it_slept)
    assert found == [NOON + MINUTE, NOON + DAY]


async def test_what_is_at_hand_of_an_event_is_not_written_anew() -> None:
    event = Event(id="e1", source="test", time=NOON, kind="note.added")
    first = Batch((event, event), {"ops/0": 2}, at_head=True, bodies=(b"{ as it lay there }", NOT_AT_HAND))
    marks = Marks()
    await _run(ManualClock(NOON), marks, first=first)
    assert marks.bodies == [b"{ as it lay there }", NOT_AT_HAND]
