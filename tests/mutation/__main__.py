"""Puts faults in one at a time, runs the tests beside them, and prints which of them nobody noticed.

    python -m tests.mutation [--count 60] [--seed 1] [--bar 0.95] [--until laws] [NAME …]

NAME is a module (`monitor/core/deciding/judge.py`), a folder, or one mutation (`…/judge.py#12`). Ends with 1 below the
bar. The same seed takes the same mutations of the same code.

The tests are collected once. A mutation of a function is put into a child of that process, which runs only the tests
that come by its line. One of a constant or a default is put in before the import, in a process of its own; so is, a
second time, what nobody noticed in a child, unless `--once`: nothing that the process remembers may hide a fault.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import msgspec

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutations import ROOT, Mutation, files, mutations_of
from tests.mutation.warm import Answer, Plan

OWN, LAWS, BESIDE = "own", "laws", "beside"
STAGES = (OWN, LAWS, BESIDE)
"""Whose tests notice a fault: those of the module's package, the laws, or others, which count for nothing."""
TESTS = {
    "monitor/core": {
        OWN: ("tests/unit/core",),
        LAWS: ("tests/property",),
        BESIDE: ("tests/unit/core", "tests/unit/packs", "tests/rules", "tests/unit/lab"),
    },
    "monitor/decode": {
        OWN: ("tests/unit/decode", "tests/conformance"),
        LAWS: ("tests/property/test_decode.py", "tests/property/test_mappings.py"),
        BESIDE: ("tests/unit/intake",),
    },
    "monitor/store": {
        OWN: ("tests/unit/store", "tests/integration/store", "tests/contract"),
        LAWS: ("tests/property/test_stop_laws.py",),
        BESIDE: ("tests/unit/pipeline",),
    },
}
LONGEST = 1_800.0
"""Seconds on the clock, for tests with a fault that was put in before the import; `bounds` ends those that compute."""
IDLE = 120.0
"""Seconds in which a child computes nothing: tests that wait for ever noticed the fault."""
SLOW_LAWS = (
    "tests/property/test_partition_laws.py::test_generated_organisations_in_partitions",
    "tests/property/test_quarantine_laws.py::test_a_failure_at_any_event_leaves_the_drafts_of_all_others",
    "tests/property/test_stop_laws.py::test_a_stop_changes_nothing_in_a_busy_stream",
    "tests/property/test_engine_costs.py",
)
"""Not asked: they take five sixths of the time of all laws. What only they would notice counts as not noticed."""
COMMAND = (
    sys.executable,
    *("-m", "pytest", "-x", "-q", "-n", "0", "--timeout=0", "-p", "tests.mutation.warm"),
    *("-p", "tests.mutation.plugin", "--hypothesis-profile=mutation"),
    *("-m", "not postgresql and not kafka and not faults and not browser and not long"),
    *(f"--deselect={law}" for law in SLOW_LAWS),
)


def tests_of(file: str, stage: str) -> tuple[str, ...]:
    """Which tests this stage asks; of core only those of the module's own package are its own."""
    tests = TESTS["/".join(file.split("/")[:2])][stage]
    mirrored = (f"{tests[0]}/{'/'.join(file.split('/')[2:-1])}").rstrip("/")
    return (mirrored,) if stage == OWN and mirrored != tests[0] and (ROOT / mirrored).is_dir() else tests


def nearest(file: str) -> list[str]:
    """The test files that bear the module's name."""
    stem = Path(file).stem.strip("_")
    found = (path for name in tests_of(file, OWN) for path in (ROOT / name).rglob(f"test_{stem}*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in found)


def noticed_by(mutations: Sequence[Mutation], until: str, jobs: int, *, once: bool) -> dict[Mutation, str]:
    """The first stage with a test that fails under each; no stage beyond `until` is asked."""
    found: dict[Mutation, str] = {}
    for stage in STAGES[: STAGES.index(until) + 1]:
        asked: dict[tuple[str, ...], list[Mutation]] = defaultdict(list)
        for mutation in mutations:
            if mutation not in found:
                asked[tests_of(mutation.file, stage)].append(mutation)
        for tests, some in asked.items():
            named = {(mutation.file, mutation.number): mutation for mutation in some}
            answers = in_children(some, tests, jobs)
            found |= {named[it.file, it.number]: stage for it in answers if it.by}
            again = [named[it.file, it.number] for it in answers if it.cold or not (it.by or once or stage != OWN)]
            with ThreadPoolExecutor(jobs) as pool:
                good = pool.map(lambda it, tests=tests: _passes_nearest_first(it, tests), again)
                found |= dict.fromkeys((it for it, passed in zip(again, good, strict=True) if not passed), stage)
            left = [str(it) for it in some if it not in found]
            print(*tests, f"{len(some) - len(left)} of {len(some)}", *left, sep="\n    ", file=sys.stderr)  # noqa: T201
    return found


def _passes_nearest_first(mutation: Mutation, tests: Sequence[str]) -> bool:
    near = [name for name in nearest(mutation.file) if name.startswith(tuple(tests))]
    return all(passes(mutation, names) for names in ([near] if near else []) + [list(tests)])


def in_children(mutations: Sequence[Mutation], tests: Sequence[str], jobs: int) -> list[Answer]:
    """What these tests say of mutations, each in a child of one process. Raises RuntimeError where it did not run."""
    near = {file: nearest(file) for file in {mutation.file for mutation in mutations}}
    plan = Plan([(it.file, it.number, it.line) for it in mutations], near, jobs, IDLE)
    with tempfile.TemporaryDirectory() as folder:
        path, answers = Path(folder, "plan"), Path(folder, "answers")
        path.write_bytes(msgspec.json.encode(plan))
        environment = os.environ | {"MUTATION_PLAN": str(path), "MUTATION_ANSWERS": str(answers), "MUTATION": ""}
        ended = subprocess.run([*COMMAND, *tests], check=False, cwd=ROOT, env=environment, capture_output=True)
        said = answers.read_bytes().splitlines() if answers.exists() else []
    if len(said) != len(mutations):
        raise RuntimeError(f"{ended.stdout.decode()}\n{ended.stderr.decode()}")
    return [msgspec.json.decode(line, type=Answer) for line in said]


def passes(mutation: Mutation | None, tests: Sequence[str]) -> bool:
    """Whether these tests pass under a mutation that is put in before the import, or as the code is."""
    wanted = "" if mutation is None else f"{mutation.file}#{mutation.number}"
    environment = os.environ | {"MUTATION": wanted, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            [*COMMAND, *tests], check=False, cwd=ROOT, env=environment, capture_output=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode in (0, 5)


def chosen(names: Sequence[str], count: int, seed: int) -> list[Mutation]:
    """So many mutations, spread over the modules; those that change nothing are left out."""
    pool = [
        mutation
        for file in files()
        for mutation in mutations_of(file)
        if not names or f"{file}#{mutation.number}" in names or file.startswith(tuple(names))
    ]
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
    parser.add_argument("--once", action="store_true", help="what nobody noticed in a child is not tried again")
    asked = parser.parse_args()
    mutations = chosen(asked.names, asked.count, asked.seed)
    by = noticed_by(mutations, asked.until, asked.jobs, once=asked.once)
    for number, mutation in enumerate(mutations, 1):
        print(f"{number:3} {by.get(mutation, 'SURVIVED'):9} {mutation}")  # noqa: T201
    for package in sorted({it.file.rsplit("/", 1)[0] for it in mutations}):
        some = [it for it in mutations if it.file.rsplit("/", 1)[0] == package]
        print(f"{package:26} {_share(some, by)}")  # noqa: T201
    share = _noticed(mutations, by) / len(mutations) if mutations else 1.0
    print(f"{_share(mutations, by)} (the bar is {asked.bar:g})")  # noqa: T201
    return 0 if share >= asked.bar else 1


def _noticed(mutations: Sequence[Mutation], by: dict[Mutation, str]) -> int:
    return sum(by.get(mutation) in (OWN, LAWS) for mutation in mutations)


def _share(mutations: Sequence[Mutation], by: dict[Mutation, str]) -> str:
    counted = Counter(by[mutation] for mutation in mutations if mutation in by)
    told = ", ".join(f"{counted[stage]} {stage}" for stage in STAGES if counted[stage])
    noticed = _noticed(mutations, by)
    return f"{noticed} of {len(mutations)} mutations noticed, {noticed / len(mutations):.2f}: {told}"


if __name__ == "__main__":
    sys.exit(main())
