"""Repeats, once and alone, what failed in a run: on a busy machine a test of real servers can fail that is right.

At most three tests, and only those that start servers or processes. One that passes now is unsteady: a defect to cure,
and no reason to refuse the change at hand. Everything else fails the run, as does a test that fails again.

    repeat.py OUTCOMES [ARGUMENTS OF PYTEST]     OUTCOMES is what `pytest --outcomes` wrote
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MOST = 3
REAL = ("e2e", "integration", "contract", "faults", "review", "bench")
"""The folders of tests whose tests start servers or processes."""


def refusal(outcomes: dict[str, Any]) -> str | None:
    """Why nothing is repeated, if so."""
    failed = outcomes["failed"]
    if outcomes["exit"] != 1 or outcomes["not ended"]:
        return f"the run did not come to its end: exit code {outcomes['exit']}, {outcomes['not ended']} tests not run"
    if len(failed) > MOST:
        return f"{len(failed)} tests failed, and at most {MOST} are repeated"
    bare = [each for each in failed if not each.startswith(tuple(f"tests/{folder}/" for folder in REAL))]
    return f"{bare[0]} starts no server and no process" if bare else None


def passed_alone(failed: list[str], record: Path, arguments: list[str]) -> set[str]:
    """The tests that pass when they run again with no other beside them. What is skipped now has not passed."""
    record.unlink(missing_ok=True)
    alone = ("-n", "1", "--max-worker-restart", "0", f"--outcomes={record}")
    subprocess.run([sys.executable, "-m", "pytest", *alone, *arguments, *failed], check=False)
    return set(json.loads(record.read_text(encoding="utf-8"))["passed"]) if record.exists() else set()


def summary(counts: dict[str, int], again: int, unsteady: int) -> str:
    """As pytest closes its output, with what the repetition changed."""
    parts = {
        "failed": counts["failed"] + counts["error"] - unsteady,
        "passed": counts["passed"] + unsteady,
        "skipped": counts["skipped"],
        "unsteady": unsteady,
    }
    said = ", ".join(f"{number} {name}" for name, number in parts.items() if number)
    return f" {said}{f' ({again} repeated)' if again else ''} ".center(80, "=")


def main(arguments: list[str]) -> int:
    path = Path(arguments[0])
    outcomes = json.loads(path.read_text(encoding="utf-8"))
    why = refusal(outcomes)
    if why is not None:
        print(f"not repeated: {why}")
        print(summary(outcomes["counts"], 0, 0), flush=True)
        return 1
    failed = outcomes["failed"]
    print(f"repeated alone: {', '.join(failed)}", flush=True)
    passed = passed_alone(failed, path.with_name("repeated.json"), arguments[1:])
    unsteady = [each for each in failed if each in passed]
    for each in unsteady:
        print(f"unsteady: {each}")
    for each in failed:
        if each not in passed:
            print(f"did not pass: {each}")
    print(summary(outcomes["counts"], len(failed), len(unsteady)), flush=True)
    return 0 if len(unsteady) == len(failed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
