"""What bodies take together is bounded, small ones always pass, and one large one is read at a time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from monitor.decode.jsontext import INLINE
from monitor.intake import flight as module
from monitor.intake.flight import SMALL, Busy, Flight
from monitor.ops.tasks import Aside


def test_bytes_beyond_the_first_of_each_body_count_together() -> None:
    flight = Flight(100)
    with flight.share() as one, flight.share() as other:
        one.take(SMALL)
        one.take(60)
        other.take(SMALL + 40)
        assert flight.taken == 100
        with pytest.raises(Busy, match="at most 100"):
            one.take(1)
        with flight.share() as small:
            small.take(SMALL)
    assert flight.taken == 0


def test_what_was_refused_is_not_counted() -> None:
    flight = Flight(100)
    with pytest.raises(Busy), flight.share() as share:
        share.take(SMALL + 101)
    assert flight.taken == 0


async def test_a_large_body_is_read_outside_of_the_event_loop() -> None:
    flight = Flight(0)
    assert await flight.work(INLINE, threading.current_thread) is threading.current_thread()
    assert await flight.work(INLINE + 1, threading.current_thread) is not threading.current_thread()


async def test_large_bodies_are_read_one_at_a_time_and_a_long_queue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    flight = Flight(0)
    release = threading.Event()
    first = Aside[bool]()
    first.begin("first", flight.work(INLINE + 1, release.wait))
    await asyncio.sleep(0)
    monkeypatch.setattr(module, "QUEUE_SECONDS", 0.0)
    with pytest.raises(Busy, match="wait for each other"):
        await flight.work(INLINE + 1, int)
    assert await flight.work(INLINE, int) == 0
    release.set()
    assert await first.result()
    assert await flight.work(INLINE + 1, int) == 0


async def test_where_there_is_no_memory_for_a_thread_it_is_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender is asked to come again; it is no defect."""

    def lacking(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading, "_start_new_thread", lacking)
    flight = Flight(0)
    with pytest.raises(MemoryError):
        await flight.work(INLINE + 1, len, b"")
    monkeypatch.undo()
    assert await flight.work(INLINE + 1, len, b"") == 0
