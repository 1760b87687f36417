"""Replay against the bare loop over the same file, and the memory of a short and a long stream."""

from __future__ import annotations

from pathlib import Path

import msgspec

from monitor.lab.generator import Shape
from tests.bench.make_stream import stream_of
from tests.bench.measure import Cost, run


class ReplayFigures(msgspec.Struct, frozen=True):
    """Microseconds of processor time an event, speed against the bare loop, memory in MB at a quarter and in full."""

    events: int
    drafts: int
    bare: float
    replay: float
    ratio: float
    memory_quarter: float
    memory_full: float


def measure(events: int, directory: Path, services: int = 2000, rounds: int = 2) -> ReplayFigures:
    """The better of some rounds of each, taken in turns, so that a busy machine disturbs both alike."""
    user_facing = max(1, services // 10)
    shape = Shape(events, services, user_facing)
    file, catalogue = stream_of(shape, directory)
    quarter, _ = stream_of(Shape(max(1, events // 4), services, user_facing), directory)
    bare: list[Cost] = []
    replays: list[Cost] = []
    for _ in range(rounds):
        bare.append(run(["-m", "tests.bench.bare_loop", str(file)]))
        replays.append(_replay(file, catalogue))
    short = _replay(quarter, catalogue)
    best_bare = min(cost.processor for cost in bare)
    best_replay = min(cost.processor for cost in replays)
    return ReplayFigures(
        events=events,
        drafts=replays[0].output.count(b"\n"),
        bare=best_bare / events * 1e6,
        replay=best_replay / events * 1e6,
        ratio=best_bare / best_replay,
        memory_quarter=short.memory,
        memory_full=max(cost.memory for cost in replays),
    )


def _replay(file: Path, catalogue: Path) -> Cost:
    return run(["-m", "monitor.cli.main", "replay", str(file), "--catalogue", str(catalogue)])
