"""`python -m tests.bench.soak`: the memory of a service's engine over days of event time, its plateau, and a restart.

Realistic traffic into the journal of a new SQLite database, read, weighed, bounded and committed as the service does
it; event time goes faster than the clock on the wall, so that days pass. Prints one JSON object: `held` has for each
moment the days of event time, the resident megabytes of the process and the megabytes that the engine counts;
`restarted` has the last two of a new process over the same database before it took anything, `after` once it went on.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Self

import msgspec
import yaml

from monitor.app.composition import COLLECT_AFTER, compiled_pack, loop_maker
from monitor.app.metrics import Metrics
from monitor.core.model.events import DAY, Event, Instant
from monitor.decode.canonical import decode_line
from monitor.lab.generator import STARTS_AT, StreamShape, catalogue_mapping, generate
from monitor.ops.clock import ManualClock
from monitor.packs.pack import load_pack
from monitor.pipeline.current_pack import Current
from monitor.pipeline.lease import LoopState
from monitor.settings import load_settings
from monitor.store.database import Store, open_store

_LOOK_EVERY = 20.0
"""Seconds between two looks."""
_MORE = 20
"""Seconds of traffic that the new process takes before its last look."""


class Look(msgspec.Struct, frozen=True):
    """`days` of event time since the first event; `resident` and `counted` in megabytes."""

    days: float
    resident: float
    counted: float


class Soak(msgspec.Struct, frozen=True):
    """`rate`: events a second by the wall; `shape` has the rate in event time."""

    shape: StreamShape
    rate: int
    seconds: int
    folder: Path
    engine_memory: int

    def settings(self) -> dict[str, object]:
        database = f"sqlite:///{self.folder / 'nearmiss.db'}"
        return {"database": database, "catalogue": [str(self.catalogue)], "engine_memory": self.engine_memory}

    @property
    def catalogue(self) -> Path:
        return self.folder / "catalogue.yaml"

    def batches(self) -> Iterator[list[Event]]:
        """What comes in one second by the wall, for all the seconds and those after the restart."""
        lines = generate(self.shape)
        while batch := [decode_line(line) for line in islice(lines, self.rate)]:
            yield batch


class Running:
    """An engine at work on the database, and the journal that it reads."""

    def __init__(self, soak: Soak, store: Store, at: Instant) -> None:
        settings = load_settings(soak.settings(), {})
        self._store, self._clock, self._metrics = store, ManualClock(at), Metrics()
        loaded = load_pack(settings.rules, settings.catalogue, settings.mappings, settings.weights)
        assert not loaded.errors, loaded.errors
        self._current = Current(compiled_pack(loaded), self._clock, self._metrics)
        make_loop = loop_maker(settings, self._current, self._clock, self._metrics, "soak")
        self._loop = make_loop(store.journal, store.engine_store, keeps_history=False)
        self._stop = asyncio.Event()
        self._given = 0

    @classmethod
    @asynccontextmanager
    async def over(cls, soak: Soak, at: Instant) -> AsyncIterator[Self]:
        """Until the end of the block, with everything committed then."""
        async with open_store(str(soak.settings()["database"])) as store:
            running = cls(soak, store, at)
            gc.freeze()
            gc.set_threshold(*COLLECT_AFTER)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(running._loop.run(running._stop))
                await running._until_read()
                await running._until(running.has_memory if at > STARTS_AT else lambda: True)
                yield running
                await running._until_read()
                running._stop.set()

    async def _until_read(self) -> None:
        def is_read() -> bool:
            is_running = self._loop.state is LoopState.RUNNING
            return is_running and self._value("nearmiss_events_processed_total") >= self._given

        await self._until(is_read)
        # Once more, so that the figures of the last batch are shown.
        await asyncio.sleep(1)

    def has_memory(self) -> bool:
        """Whether a new engine has read what the one before remembered: it is made beside the event loop."""
        return self._value("nearmiss_engine_state_bytes") > 0

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():  # noqa: ASYNC110 - a metric has no event
            await asyncio.sleep(0.05)

    def _value(self, name: str) -> float:
        return self._metrics.registry.get_sample_value(name) or 0.0

    async def take(self, batch: list[Event]) -> None:
        """A second's events have come; it is as late as the newest of them says."""
        newest = max(event.time for event in batch)
        self._clock.advance(max(0, newest - self._clock.now()))
        now = self._clock.now()
        await self._store.journal.append([msgspec.structs.replace(event, received_at=now) for event in batch])
        self._given += len(batch)

    def look(self) -> Look:
        gc.collect()
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        counted = self._value("nearmiss_engine_state_bytes")
        return Look((self._clock.now() - STARTS_AT) / DAY, resident * 1024 / 1e6, counted / 1e6)


async def run(soak: Soak) -> list[Look]:
    """Give a new engine its traffic, second by second; what was held."""
    found: list[Look] = []
    async with Running.over(soak, STARTS_AT) as running:
        began = looked = perf_counter()
        for number, batch in enumerate(islice(soak.batches(), soak.seconds), 1):
            await running.take(batch)
            await asyncio.sleep(max(0.0, began + number - perf_counter()))
            if perf_counter() - looked >= _LOOK_EVERY:
                looked = perf_counter()
                found.append(running.look())
        await running._until_read()
        found.append(running.look())
    return found


async def again(soak: Soak) -> list[Look]:
    """What a new process holds, before and after it took more."""
    batches, at = soak.batches(), STARTS_AT
    for batch in islice(batches, soak.seconds):
        at = Instant(max(at, *(event.time for event in batch)))
    async with Running.over(soak, at) as running:
        found = [running.look()]
        for batch in batches:
            await running.take(batch)
            await running._until_read()
        return [*found, running.look()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=int, default=200, help="events a second by the wall")
    parser.add_argument("--event-rate", type=float, default=1.0, help="events a second of event time")
    parser.add_argument("--services", type=int, default=300)
    parser.add_argument("--engine-memory", type=int, default=1 << 30, help="bytes")
    parser.add_argument("--again", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    seconds = int(given.minutes * 60)
    shape = StreamShape(
        events=given.rate * (seconds + _MORE),
        services=given.services,
        user_facing=max(1, given.services // 10),
        rate=given.event_rate,
    )
    if given.again is not None:
        found = asyncio.run(again(Soak(shape, given.rate, seconds, given.again, given.engine_memory)))
        print(json.dumps(msgspec.to_builtins(found)))
        return
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(shape, given.rate, seconds, Path(folder), given.engine_memory)
        soak.catalogue.write_text(yaml.safe_dump(catalogue_mapping(shape)), encoding="utf-8")
        held = asyncio.run(run(soak))
        command = [sys.executable, "-m", "tests.bench.soak", *sys.argv[1:], "--again", folder]
        output = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ).stdout
    restarted, after = msgspec.json.decode(output.splitlines()[-1], type=list[Look])
    print(json.dumps(msgspec.to_builtins({"held": held, "restarted": restarted, "after": after})))


if __name__ == "__main__":
    main()
