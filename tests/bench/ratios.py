"""The engine's ratios in one table: processor time, the best of some rounds in turns, each with its bar.

The start of a process is measured by itself and taken off, so that small sizes say something. Seconds are those of the
machine.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import msgspec

from monitor.decode.canonical import encode
from monitor.lab.generator import StreamShape
from monitor.lab.year.organisation import catalogue_mapping
from monitor.lab.year.shape import YearShape
from monitor.lab.year.stream import Year
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules
from tests.bench import rules, texts
from tests.bench.make_stream import stream_of
from tests.bench.measure import Cost, run

A_YEAR = 1_400_000
"""Events of a year, for which the time of a backtest is asked."""
_WITHIN = re.compile(r"(within: )(\d+)")


class Ratio(msgspec.Struct, frozen=True):
    """One row: a figure and its bar, which it is to reach, or not to exceed. `unit`: empty for a ratio."""

    what: str
    figure: float
    bar: float
    at_least: bool = False
    unit: str = ""

    @property
    def is_met(self) -> bool:
        return self.figure >= self.bar if self.at_least else self.figure <= self.bar


def measure(events: int, shape: YearShape, directory: Path, rounds: int = 3, changes: int = 10) -> list[Ratio]:
    """`events`: of the bench stream; `shape`: of the synthetic year; `changes`: how many rules, one at a time."""
    directory.mkdir(parents=True, exist_ok=True)
    stream, catalogue = stream_of(_shape(events), directory)
    fifth, its_catalogue = stream_of(_shape(max(1, events // 5)), directory)
    year, its_organisation, count = year_of(shape, directory)
    start = directory / "start.jsonl"
    start.write_bytes(stream.read_bytes().partition(b"\n")[0] + b"\n")
    backtest = ["rules", "backtest", str(shipped_rules()), "--format", "json"]
    costs = in_turns(
        {
            "start of the loop": _loop(start),
            "start": _nearmiss("replay", str(start), "--catalogue", str(catalogue)),
            "loop": _loop(stream),
            "replay": _nearmiss("replay", str(stream), "--catalogue", str(catalogue)),
            "a fifth": _nearmiss("replay", str(fifth), "--catalogue", str(its_catalogue)),
            "no catalogue": _nearmiss("replay", str(stream)),
            "loop over the year": _loop(year),
            "year": _nearmiss("replay", str(year), "--catalogue", str(its_organisation)),
            "backtest": _nearmiss(*backtest, "--events", str(year), "--catalogue", str(its_organisation)),
        },
        rounds,
    )
    best = {name: min(cost.processor for cost in found) for name, found in costs.items()}
    most = {name: max(cost.memory for cost in found) for name, found in costs.items()}
    for name in best.keys() - {"start", "start of the loop"}:
        best[name] = max(1e-6, best[name] - best["start of the loop" if name.startswith("loop") else "start"])
    again = [max(0.0, cost - best["start"]) for cost in changed(year, its_organisation, directory, changes, rounds)]
    few_many = rules.measure(max(1, min(events, 200_000)), rounds=rounds)
    return [
        Ratio("replay of the bench stream, speed against the bare loop", best["loop"] / best["replay"], 0.07, True),
        Ratio("replay of a synthetic year, the same", best["loop over the year"] / best["year"], 0.08, True),
        Ratio("cost of an event, in all against a fifth", best["replay"] / best["a fifth"] * _share(events), 1.3),
        Ratio("memory of the replay", most["replay"], 250, unit=" MB"),
        Ratio("memory without a catalogue", most["no catalogue"], 250, unit=" MB"),
        Ratio("backtest of the shipped rules against replay", best["backtest"] / best["year"], 1.1),
        Ratio("a changed rule by the index, median, for 1.4 million", median(again) * A_YEAR / count, 5.0, unit=" s"),
        Ratio("a changed rule by the index, slowest, against a replay", max(again) / best["year"], 1.0),
        Ratio("200 rules against 10 that want nothing", few_many.ratio, 1.24),
        Ratio("a hostile text that is twice as long", texts.measure(rounds), 3.0),
    ]


def in_turns(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Cost]]:
    """Each command so many times, one after the other, so that a busy machine disturbs all alike."""
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(run(command))
    return found


def changed(year: Path, catalogue: Path, directory: Path, changes: int, rounds: int) -> list[float]:
    """Seconds of processor time of a backtest by the index, for each of some rules whose window is doubled."""
    pack, index = directory / "pack", directory / "index"
    shutil.rmtree(pack, ignore_errors=True)
    shutil.copytree(shipped_rules(), pack)
    index.unlink(missing_ok=True)
    options = ["--events", str(year), "--catalogue", str(catalogue), "--index", str(index), "--format", "json"]
    command = _nearmiss("rules", "backtest", str(pack), *options)
    run(command)
    files = [file for file in sorted(pack.rglob("*.yaml")) if _WITHIN.search(file.read_text(encoding="utf-8"))]
    found = []
    for file in files[:: max(1, len(files) // changes)]:
        text = file.read_text(encoding="utf-8")
        file.write_text(_WITHIN.sub(lambda known: known[1] + str(2 * int(known[2])), text, count=1), encoding="utf-8")
        if not load_rules(file).errors:
            found.append(min(run(command).processor for _ in range(rounds)))
        file.write_text(text, encoding="utf-8")
    return found


def year_of(shape: YearShape, directory: Path) -> tuple[Path, Path, int]:
    """The file of a synthetic year, its catalogue, and how many events it has."""
    path = directory / "year.jsonl"
    catalogue = path.with_name(path.name + ".catalogue.yaml")
    year = Year(shape)
    count = 0
    with path.open("wb") as file:
        for batch in year.batches():
            file.writelines(encode(event) + b"\n" for event in batch)
            count += len(batch)
    catalogue.write_bytes(msgspec.json.encode(catalogue_mapping(year.organisation.catalogue)))
    return path, catalogue, count


def _shape(events: int) -> StreamShape:
    return StreamShape(events, 2000, 200)


def _share(events: int) -> float:
    return max(1, events // 5) / events


def _loop(file: Path) -> list[str]:
    return ["-m", "tests.bench.bare_loop", str(file)]


def _nearmiss(*arguments: str) -> list[str]:
    return ["-m", "monitor.cli.main", *arguments]
