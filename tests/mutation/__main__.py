"""Puts faults in one at a time, runs the tests beside them, and prints which of them nobody noticed.

    python -m tests.mutation [--count 60] [--seed 1] [--bar 0.95] [--until laws] [NAME …]

NAME is a module (`monitor/core/deciding/judge.py`), a folder, or one mutation (`…/judge.py#12`). Ends with 1 below the
bar. The same seed takes the same mutations of the same code.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutations import ROOT, Mutation, files, mutations_of

OWN, LAWS, ELSEWHERE = "own", "laws", "elsewhere"
STAGES = (OWN, LAWS, ELSEWHERE)
"""Whose tests notice a fault: the module's own, the laws, or those of some other part, which count for nothing."""
TESTS = {
    "monitor/core": {
        OWN: ("tests/unit/core",),
        LAWS: ("tests/property",),
        ELSEWHERE: ("tests/unit/packs", "tests/rules", "tests/unit/lab"),
    },
    "monitor/decode": {
        OWN: ("tests/unit/decode", "tests/conformance"),
        LAWS: ("tests/property/test_decode.py",),
        ELSEWHERE: ("tests/unit/intake",),
    },
    "monitor/store": {
        OWN: ("tests/unit/store", "tests/contract"),
        LAWS: ("tests/property/test_stop_laws.py",),
        ELSEWHERE: ("tests/unit/pipeline",),
    },
}
LONGEST = 900.0
"""Seconds: a mutation that makes the tests hang was noticed."""


def noticed_by(mutation: Mutation, until: str) -> str | None:
    """The first stage with a test that fails under it, no stage beyond `until` being asked; None where none fails."""
    package, stem = "/".join(mutation.file.split("/")[:2]), mutation.file.rsplit("/", 1)[1].removesuffix(".py")
    folder = "/".join(mutation.file.split("/")[2:-1])
    for stage in STAGES[: STAGES.index(until) + 1]:
        tests = TESTS[package][stage]
        mirrored = tests[0] + (f"/{folder}" if (ROOT / tests[0] / folder).is_dir() else "")
        nearest = [
            str(path.relative_to(ROOT)) for path in sorted((ROOT / mirrored).rglob(f"test_{stem.strip('_')}*.py"))
        ]
        tried = [nearest] * bool(nearest) + [[name] for name in dict.fromkeys((mirrored, *tests))]
        if any(not passes(mutation, names) for names in tried):
            return stage
    return None


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
    parser.add_argument("--until", choices=STAGES, default=LAWS)
    asked = parser.parse_args()
    mutations = chosen(asked.names, asked.count, asked.seed)
    by = Counter[str | None]()
    with ThreadPoolExecutor(asked.jobs) as pool:
        found = pool.map(lambda mutation: noticed_by(mutation, asked.until), mutations)
        for number, (mutation, stage) in enumerate(zip(mutations, found, strict=True), 1):
            by[stage] += 1
            print(f"{number:3} {stage or 'SURVIVED':9} {mutation}", flush=True)  # noqa: T201
    noticed = by[OWN] + by[LAWS]
    share = noticed / len(mutations) if mutations else 1.0
    told = ", ".join(f"{by[stage]} {stage}" for stage in STAGES if by[stage])
    print(f"{noticed} of {len(mutations)} mutations noticed ({share:.2f}; the bar is {asked.bar:g}): {told}")  # noqa: T201
    return 0 if share >= asked.bar else 1


if __name__ == "__main__":
    sys.exit(main())
