"""Puts faults in one at a time, runs the tests beside them, and prints which of them nobody noticed.

    python -m tests.mutation [--count 60] [--seed 1] [--bar 0.95] [NAME …]

NAME is a module (`monitor/core/deciding/judge.py`), a folder, or one mutation (`…/judge.py#12`). Ends with 1 below the
bar. The same seed takes the same mutations of the same code.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutations import ROOT, Mutation, files, mutations_of

# The tests beside a package, nearest first: the rest is asked only about what they did not notice.
NEAREST = {
    "monitor/core": ("tests/unit/core", "tests/property", "tests/unit/packs", "tests/rules", "tests/unit/lab"),
    "monitor/decode": ("tests/unit/decode", "tests/conformance", "tests/property/test_decode.py", "tests/unit/intake"),
    "monitor/store": ("tests/unit/store", "tests/contract", "tests/unit/pipeline", "tests/property/test_stop_laws.py"),
}
LONGEST = 900.0
"""Seconds: a mutation that makes the tests hang was noticed."""


def is_noticed(mutation: Mutation) -> bool:
    """Whether some test fails under it."""
    package = "/".join(mutation.file.split("/")[:2])
    nearest = NEAREST[package]
    own = "/".join(mutation.file.split("/")[2:-1])
    first = f"{nearest[0]}/{own}" if own and (ROOT / nearest[0] / own).is_dir() else nearest[0]
    return any(not passes(mutation, [tests]) for tests in dict.fromkeys((first, *nearest)))


def passes(mutation: Mutation | None, tests: Sequence[str]) -> bool:
    """Whether these tests pass under a mutation, or as the code is."""
    wanted = "" if mutation is None else f"{mutation.file}#{mutation.number}"
    environment = os.environ | {"MUTATION": wanted, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutation.plugin", "-p", "no:cacheprovider"]
    command += [
        "--hypothesis-profile=quick",
        "-m",
        "not postgresql and not kafka and not faults and not browser and not long",
        *tests,
    ]
    try:
        ended = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode in (0, 5)


def chosen(names: Sequence[str], count: int, seed: int) -> list[Mutation]:
    """So many mutations, spread over the modules; those that change nothing are left out."""
    wanted = [name.partition("#")[0] for name in names]
    some = [file for file in files() if not wanted or any(file.startswith(name) for name in wanted)]
    numbers = {int(name.partition("#")[2]) for name in names if "#" in name}
    pool = [m for file in some for m in mutations_of(file) if not numbers or m.number in numbers]
    pool = [mutation for mutation in pool if (mutation.file, mutation.what) not in EQUIVALENT]
    return sorted(Random(seed).sample(pool, min(count, len(pool))), key=lambda m: (m.file, m.number))


def main() -> int:
    """Run, print, and say by the status whether enough was noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bar", type=float, default=0.95)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    mutations = chosen(asked.names, asked.count, asked.seed)
    noticed = 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        for number, (mutation, found) in enumerate(zip(mutations, pool.map(is_noticed, mutations), strict=True), 1):
            noticed += found
            print(f"{number:3} {'noticed ' if found else 'SURVIVED'} {mutation}", flush=True)  # noqa: T201
    share = noticed / len(mutations) if mutations else 1.0
    print(f"{noticed} of {len(mutations)} mutations noticed ({share:.2f}; the bar is {asked.bar:g})")  # noqa: T201
    return 0 if share >= asked.bar else 1


if __name__ == "__main__":
    sys.exit(main())
