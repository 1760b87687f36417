"""Replay against the bare loop over the same file, and whether memory grows with the length of a stream."""

from __future__ import annotations

from pathlib import Path

import msgspec

from monitor.core.model.events import DAY, SECOND
from monitor.lab.generator import StreamShape
from tests.bench.make_stream import stream_of
from tests.bench.measure import Cost, run

LONGEST_REMEMBERED = 28 * DAY
"""More than any window, hold and feed together: a stream of this length has filled the memory."""


class ReplayFigures(msgspec.Struct, frozen=True):
    """Microseconds of processor time an event, speed against the bare loop, resident memory in MB.

    `least` is what any engine in Python costs at the least (`least_loop`), and `least_ratio` its speed.
    `memory` is that of the same replay; `memory_month` and `memory_months` are those of a stream that goes on for one
    and for four times what is remembered longest, at as many events a day.
    """

    events: int
    drafts: int
    bare: float
    least: float
    replay: float
    ratio: float
    least_ratio: float
    memory: float
    memory_month: float
    memory_months: float


def measure(events: int, directory: Path, services: int = 2000, rounds: int = 2) -> ReplayFigures:
    """The better of some rounds of each, taken in turns, so that a busy machine disturbs both alike."""
    user_facing = max(1, services // 10)
    shape = StreamShape(events, services, user_facing)
    file, catalogue = stream_of(shape, directory)
    bare: list[Cost] = []
    least: list[Cost] = []
    replays: list[Cost] = []
    for _ in range(rounds):
        bare.append(run(["-m", "tests.bench.bare_loop", str(file)]))
        least.append(run(["-m", "tests.bench.least_loop", str(file)]))
        replays.append(_replay(file, catalogue))
    best_bare = min(cost.processor for cost in bare)
    best_least = min(cost.processor for cost in least)
    best_replay = min(cost.processor for cost in replays)
    return ReplayFigures(
        events=events,
        drafts=replays[0].output.count(b"\n"),
        bare=best_bare / events * 1e6,
        least=best_least / events * 1e6,
        replay=best_replay / events * 1e6,
        ratio=best_bare / best_replay,
        least_ratio=best_bare / best_least,
        memory=max(cost.memory for cost in replays),
        memory_month=_replay(*stream_of(_slow(shape, events // 4), directory)).memory,
        memory_months=_replay(*stream_of(_slow(shape, events), directory)).memory,
    )


def _slow(shape: StreamShape, events: int) -> StreamShape:
    """So many events of an organisation that sends as many as the shape has within four times what is remembered."""
    return msgspec.structs.replace(shape, events=max(1, events), rate=shape.events / (4 * LONGEST_REMEMBERED / SECOND))


def _replay(file: Path, catalogue: Path) -> Cost:
    return run(["-m", "monitor.cli.main", "replay", str(file), "--catalogue", str(catalogue)])
