"""Whoever cannot reach the store leaves the work to others, and takes part again once it can."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from monitor.pipeline.store_watch import StoreWatchSettings, watch_store
from monitor.ports import Unavailable

QUICK = StoreWatchSettings(silence=8.0, patience=0.05, every=0.001)


class GroupMember:
    """Remembers what became of it, and ends the watch after so many changes."""

    def __init__(self, stop: asyncio.Event, changes: int) -> None:
        self.changes: list[str] = []
        self._stop = stop
        self._most = changes

    def step_aside(self) -> None:
        self._note("aside")

    def come_back(self) -> None:
        self._note("back")

    def _note(self, change: str) -> None:
        self.changes.append(change)
        if len(self.changes) == self._most:
            self._stop.set()


def _pings(*answers: bool, at_end: Callable[[], None] = lambda: None) -> Callable[[], Awaitable[None]]:
    """A store that answers, or not, in this order."""
    left = list(answers)

    async def ping() -> None:
        answer = left.pop(0)
        if not left:
            at_end()
        if not answer:
            raise Unavailable("the database cannot be reached")

    return ping


async def test_it_steps_aside_when_the_store_is_gone_and_comes_back_with_it() -> None:
    stop = asyncio.Event()
    member = GroupMember(stop, changes=2)
    await watch_store(lambda: 9.0, _pings(True, False, False, True), member, stop, QUICK)
    assert member.changes == ["aside", "back"]


async def test_a_store_that_hangs_is_out_of_reach() -> None:
    stop = asyncio.Event()
    member = GroupMember(stop, changes=1)

    async def hangs() -> None:
        await asyncio.Event().wait()

    await watch_store(lambda: 9.0, hangs, member, stop, QUICK)
    assert member.changes == ["aside"]


async def test_who_is_only_waiting_for_something_else_keeps_the_seat() -> None:
    """Nothing was committed for long, since there is nothing to read or the broker is away; the store answers."""
    stop = asyncio.Event()
    member = GroupMember(stop, changes=1)
    await watch_store(lambda: 99.0, _pings(True, True, True, at_end=stop.set), member, stop, QUICK)
    assert member.changes == []


async def test_who_was_answered_lately_does_not_ask() -> None:
    stop = asyncio.Event()
    member = GroupMember(stop, changes=1)
    looks = iter(range(20))

    def silence() -> float:
        if next(looks) == 10:
            stop.set()
        return 1.0

    await watch_store(silence, _pings(), member, stop, QUICK)
    assert member.changes == []
