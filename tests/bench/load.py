"""How long a pack of many rules takes: to be read with its examples and without, and to be compiled."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.located.files import find_files
from monitor.located.problems import Problems
from monitor.packs.language.regex import make_regex
from monitor.packs.rules.loader import load_rules
from monitor.packs.rules.shipped import shipped_rules

_NAME = re.compile(r"^rule: (.*)$", re.MULTILINE)


class LoadFigures(msgspec.Struct, frozen=True):
    """Seconds of processor time for a pack of so many rules, which are the shipped ones under other names."""

    rules: int
    examples: int
    run: float
    check: float
    compiled: float


def write_pack(directory: Path, count: int) -> None:
    """The shipped rules again and again, each file with a name of its own."""
    shipped = [path.read_text(encoding="utf-8") for path in find_files(shipped_rules(), Problems())]
    for number in range(count):
        text = _NAME.sub(rf"rule: \g<1>-{number}", shipped[number % len(shipped)], count=1)
        (directory / f"{number}.yaml").write_text(text, encoding="utf-8")


def measure(directory: Path, count: int = 1_000, rounds: int = 3) -> LoadFigures:
    """The best of some rounds of each; `directory` is empty and is filled."""
    write_pack(directory, count)
    loaded = load_rules(directory)
    if len(loaded.rules) != count or loaded.errors:
        raise RuntimeError(f"{len(loaded.rules)} of {count} rules load: {loaded.errors[:1]}")
    return LoadFigures(
        rules=count,
        examples=len(loaded.examples),
        run=_best(lambda: load_rules(directory, with_examples=False), rounds),
        check=_best(lambda: load_rules(directory), rounds),
        compiled=_best(lambda: Matcher(loaded.rules, Catalogue(), LastValues(), make_regex), rounds),
    )


def _best(work: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best
