"""A run comes to its end: what hangs fails alone, a failing law prints its example, and a lost worker ends the run.

What failed of real servers is repeated once, and nothing else is.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.internal.conjecture import engine

from tests.architecture.files import ROOT
from tests.conftest import SHRINKING
from tests.support.service import without_settings

HANGS = """
import asyncio
import threading

def test_waits():
    threading.Event().wait()

async def test_awaits():
    await asyncio.Event().wait()

async def test_awaits_a_task_that_goes_on_once():
    async def work():
        try:
            while True:
                await asyncio.sleep(0)
        except BaseException:
            await asyncio.Event().wait()

    await asyncio.create_task(work())

def test_comes_after(): pass
"""
FALSE_LAW = """
import threading
from hypothesis import given, strategies as st
from hypothesis.internal.conjecture import engine

engine.MAX_SHRINKING_SECONDS = 1

@given(st.lists(st.integers()))
def test_hangs_on_some(numbers):
    if sum(numbers) > 1000:
        threading.Event().wait()

def test_comes_after(): pass
"""
LOST = """
import os

def test_ends_the_process(): os._exit(1)
"""


# Fails on the first try, as on a machine that is busy for a while: the file beside it says whether there was one.
UNSTEADY = """
from pathlib import Path

def test_fails_once():
    tried = Path(__file__).with_suffix(".tried")
    if not tried.exists():
        tried.touch()
        assert False, "too slow"

def test_passes(): pass
"""
FAILS = "def test_fails(): assert False"
SKIPPED_LATER = UNSTEADY.replace("def test_passes(): pass", "").replace(
    "    if not", "    if tried.exists():\n        import pytest; pytest.skip()\n    if not"
)


def arguments() -> list[str]:
    """What `make test` gives to pytest."""
    recipe = re.search(
        r"^test:.*\n\t@\$\(BIN\)/pytest ((?:.*\\\n)*.*)\$\(PYTEST_ARGS\)",
        (ROOT / "Makefile").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert recipe
    return shlex.split(recipe[1].replace("\\\n", "").replace("$(WORKERS)", "2"))


def settings(folder: Path) -> tuple[str, ...]:
    """Those of this suite, for one whose root is the folder."""
    return ("-p", "tests.conftest", "-c", "pyproject.toml", "--rootdir", str(folder), "-o", "timeout=3", "-rA")


def run(folder: Path, *more: str, **files: str) -> subprocess.CompletedProcess[str]:
    """A suite of these files, by two workers."""
    for name, body in files.items():
        (folder / f"test_{name}.py").write_text(body, encoding="utf-8")
    command = (sys.executable, "-m", "pytest", *arguments(), "-n", "2", *settings(folder), *more, str(folder))
    environment = without_settings(os.environ)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def run_as_continuous_integration(folder: Path, files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`.ci/run` itself, in a checkout of these files whose `make test` is nothing but pytest."""
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")
    command = shlex.join((sys.executable, "-m", "pytest", *arguments(), "-n", "1"))
    bare = "setup measure fuzz mutants: ;\n"
    (folder / "Makefile").write_text(f"{bare}test:\n\t@{command} $(PYTEST_ARGS)\n", encoding="utf-8")
    for name in (".ci/run", "scripts/repeat.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    (folder / ".venv" / "bin" / "python").chmod(0o755)
    own = shlex.join(("-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)))
    environment = {
        **without_settings(os.environ),
        "PYTEST_ADDOPTS": f"{own} -o timeout=3 -o testpaths=tests",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        ["bash", str(folder / ".ci" / "run")], env=environment, capture_output=True, text=True, check=False
    )


def test_what_hangs_fails_alone(tmp_path: Path) -> None:
    ended = run(tmp_path, hangs=HANGS, law=FALSE_LAW)
    failed = {"test_waits", "test_awaits", "test_awaits_a_task_that_goes_on_once", "test_hangs_on_some"}
    assert set(re.findall(r"^FAILED .*::(\w+)", ended.stdout, re.MULTILINE)) == failed, ended.stdout
    assert "4 failed, 2 passed" in ended.stdout
    assert re.search(r"numbers=\[\d", ended.stdout), "the example is printed"
    assert "@reproduce_failure(" in ended.stdout
    assert ended.returncode == 1


def test_a_lost_worker_ends_the_run_with_its_summary(tmp_path: Path) -> None:
    ended = run(tmp_path, lost=LOST)
    assert "crashed while running" in ended.stdout
    assert "1 failed" in ended.stdout
    assert ended.returncode == 1


def test_a_test_of_real_servers_that_passes_when_repeated_is_named_as_unsteady(tmp_path: Path) -> None:
    ended = run_as_continuous_integration(
        tmp_path, {"tests/e2e/test_away.py": UNSTEADY, "tests/unit/test_sum.py": "def test_sum(): pass"}
    )
    name = "tests/e2e/test_away.py::test_fails_once"
    assert f"\nFAILED {name}" in ended.stdout, "the first failure is shown"
    *_, unsteady, summary = ended.stdout.splitlines()
    assert unsteady == f"unsteady: {name}"
    assert summary.strip("= ") == "3 passed, 1 unsteady (1 repeated)"
    assert ended.returncode == 0


def test_what_does_not_pass_alone_fails_the_run(tmp_path: Path) -> None:
    """It fails again, or is skipped."""
    ended = run_as_continuous_integration(
        tmp_path,
        {
            "tests/contract/test_skipped.py": SKIPPED_LATER,
            "tests/e2e/test_away.py": UNSTEADY,
            "tests/review/test_pages.py": FAILS,
        },
    )
    assert ended.stdout.splitlines()[-4:] == [
        "unsteady: tests/e2e/test_away.py::test_fails_once",
        "did not pass: tests/contract/test_skipped.py::test_fails_once",
        "did not pass: tests/review/test_pages.py::test_fails",
        " 2 failed, 2 passed, 1 unsteady (3 repeated) ".center(80, "="),
    ]
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"tests/unit/test_sum.py": UNSTEADY}, "tests/unit/test_sum.py::test_fails_once starts no server"),
        ({"tests/e2e/test_lost.py": LOST + UNSTEADY}, "the run did not come to its end: exit code 1, "),
        ({"tests/e2e/test_a.py": UNSTEADY, "tests/e2e/test_broken.py": "assert False"}, "did not come to its end"),
    ],
    ids=["unit", "a lost worker", "not collected"],
)
def test_nothing_else_is_repeated(tmp_path: Path, files: dict[str, str], why: str) -> None:
    ended = run_as_continuous_integration(tmp_path, files)
    *_, refused, summary = ended.stdout.splitlines()
    assert refused.startswith("not repeated: ")
    assert why in refused
    assert re.fullmatch(r"=+ \d+ (failed|error).* =+", summary), ended.stdout
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("failed", "why"),
    [
        (
            ["e2e/test_a.py::test", "property/test_law.py::test"],
            "tests/property/test_law.py::test starts no server and no process",
        ),
        ([f"e2e/test_a.py::test[{each}]" for each in range(4)], "4 tests failed, and at most 3 are repeated"),
    ],
    ids=["a law beside", "four"],
)
def test_a_run_that_failed_otherwise_too_is_not_repeated(tmp_path: Path, failed: list[str], why: str) -> None:
    counts = {"failed": len(failed), "error": 0, "passed": 9, "skipped": 1}
    outcomes = {"exit": 1, "failed": [f"tests/{each}" for each in failed], "not ended": 0, "counts": counts}
    (tmp_path / "outcomes.json").write_text(json.dumps(outcomes), encoding="utf-8")
    command = (sys.executable, str(ROOT / "scripts" / "repeat.py"), str(tmp_path / "outcomes.json"))
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    summary = f" {len(failed)} failed, 9 passed, 1 skipped ".center(80, "=")
    assert ended.stdout.splitlines() == [f"not repeated: {why}", summary]
    assert ended.returncode == 1


def test_what_fails_before_the_tests_begin_is_no_failure_of_a_run_before(tmp_path: Path) -> None:
    """Such as the format."""
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "outcomes.json").write_text('{"exit": 1, "failed": ["tests/e2e/test_a.py::test"]}')
    ended = run_as_continuous_integration(
        tmp_path, {"tests/test_lint.py": "", "tests/conftest.py": "import os; os._exit(7)"}
    )
    assert "repeated" not in ended.stdout
    assert ended.returncode != 0


def test_a_failing_law_is_shrunk_for_a_part_of_its_time(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    assert engine.MAX_SHRINKING_SECONDS == SHRINKING < float(pytestconfig.getini("timeout")) / 4
    tried = [examples_until_told(), 0]
    monkeypatch.setattr(engine, "MAX_SHRINKING_SECONDS", 0)
    tried[1] = examples_until_told()
    assert tried[1] < tried[0] / 4, "Hypothesis takes its bound from elsewhere now"


def examples_until_told() -> int:
    """How many examples a false law is tried on until it fails."""
    seen = []

    @hypothesis.settings(phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink], derandomize=True, database=None)
    @hypothesis.given(st.lists(st.integers(), min_size=3))
    def law(numbers: list[int]) -> None:
        seen.append(numbers)
        assert sum(numbers) < 1000

    with pytest.raises(AssertionError):
        law()
    return len(seen)
