"""A run comes to its end: what hangs fails alone, a failing law prints its example, and a lost worker ends the run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.internal.conjecture import engine

from tests.architecture.files import ROOT
from tests.conftest import SHRINKING

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


def arguments() -> list[str]:
    """What `make test` gives to pytest."""
    recipe = re.search(
        r"^test:.*\n\t@\$\(BIN\)/pytest ((?:.*\\\n)*.*)\$\(PYTEST_ARGS\)",
        (ROOT / "Makefile").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert recipe
    return shlex.split(recipe[1].replace("\\\n", "").replace("$(WORKERS)", "2"))


def run(folder: Path, **files: str) -> subprocess.CompletedProcess[str]:
    """A suite of these files, under the settings of this one, by two workers."""
    for name, body in files.items():
        (folder / f"test_{name}.py").write_text(body, encoding="utf-8")
    settings = ("-p", "tests.conftest", "-c", "pyproject.toml", "--rootdir", str(folder), "-o", "timeout=3", "-rA")
    command = (sys.executable, "-m", "pytest", *arguments(), "-n", "2", *settings, str(folder))
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


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
