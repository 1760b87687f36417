"""`python -m tests.bench.soak`: the engine's memory over days of event time, its plateau, and after a restart.

Realistic traffic, event time as fast as it can be read, the state written as a service writes it. Prints one JSON
object: `days` has the resident megabytes at the end of each day, `restarted` those of a new process made of the saved
cells.
"""

from __future__ import annotations

import argparse
import base64
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from monitor.core.deciding.engine import Engine
from monitor.core.model.events import DAY, Event
from monitor.decode.canonical import decode_line
from monitor.lab.generator import Shape, generate, make_catalogue
from monitor.ops.squeezing import squeeze, unsqueeze
from monitor.packs.loader import load_rules
from monitor.packs.regex import make_regex
from monitor.packs.shipped import shipped_rules
from monitor.pipeline.draining import Draining

_BATCH = 5_000
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> float:
    """Megabytes that the process holds now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1e6


def engine(shape: Shape, cells: dict[str, bytes]) -> Engine:
    rules = load_rules(shipped_rules()).rules
    return Engine(rules, make_catalogue(shape), make_regex, cells=Draining(cells))


def batches(shape: Shape) -> Iterator[list[Event]]:
    lines = generate(shape)
    while batch := [decode_line(line) for line in islice(lines, _BATCH)]:
        yield batch


def run(shape: Shape, path: Path) -> list[float]:
    """Feed a new engine; what a service would have written lies at `path` then. The memory at the end of each day."""
    running, days, day = engine(shape, {}), [], None
    with path.open("wb") as file:
        for batch in batches(shape):
            running.step(batch)
            # On disk, as a service has it: here it would be taken for the engine's.
            written = {k: v and squeeze(v) for k, v in running.take_changes().items()}
            file.write(base64.b64encode(msgspec.msgpack.encode(written)) + b"\n")
            today = batch[-1].time // DAY
            if day is not None and today > day:
                days.append(resident())
            day = today
    return [*days, resident()]


def merge(written: Path, kept: Path) -> None:
    """What a database has in the end: each cell that was not removed, one a line."""
    cells: dict[str, bytes] = {}
    with written.open("rb") as file:
        for line in file:
            changed = msgspec.msgpack.decode(base64.b64decode(line), type=dict[str, bytes | None])
            for name, value in changed.items():
                if value is None:
                    cells.pop(name, None)
                else:
                    cells[name] = value
    with kept.open("wb") as file:
        for cell in cells.items():
            file.write(base64.b64encode(msgspec.msgpack.encode(cell)) + b"\n")


def restart(shape: Shape, kept: Path) -> float:
    """The memory of an engine made of what was written."""
    cells: dict[str, bytes] = {}
    with kept.open("rb") as file:
        for line in file:
            name, value = msgspec.msgpack.decode(base64.b64decode(line), type=tuple[str, bytes])
            cells[name] = unsqueeze(value)
    restored = engine(shape, cells)
    found = resident()
    assert restored.watermark is not None
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=2.0, help="events a second of event time")
    parser.add_argument("--days", type=float, default=6.0)
    parser.add_argument("--services", type=int, default=300)
    parser.add_argument("--restart", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    events = int(given.rate * given.days * 86_400)
    shape = Shape(events=events, services=given.services, user_facing=given.services // 10, rate=given.rate)
    if given.restart is not None:
        print(restart(shape, given.restart))
        return
    with tempfile.TemporaryDirectory() as folder:
        written, kept = Path(folder) / "written", Path(folder) / "cells"
        days = run(shape, written)
        merge(written, kept)
        again = [sys.executable, "-m", "tests.bench.soak", *sys.argv[1:], "--restart", str(kept)]
        restarted = float(subprocess.run(again, check=True, capture_output=True, text=True).stdout)
    print(json.dumps({"events": shape.events, "days": days, "restarted": restarted}))


if __name__ == "__main__":
    main()
