"""Exceptions to the rules of the tools are still needed: one that no file uses any more has to go."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.files import ROOT, python

LINT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]


@pytest.fixture(scope="module")
def no_exceptions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration that bans what ours bans, and knows no exception."""
    banned = LINT["flake8-tidy-imports"]["banned-api"]
    lines = ["preview = true", "[lint]", "explicit-preview-rules = true", "[lint.flake8-tidy-imports.banned-api]"]
    lines += [f"{json.dumps(name)}.msg = {json.dumps(told['msg'])}" for name, told in banned.items()]
    path = tmp_path_factory.mktemp("ruff") / "ruff.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def broken(codes: list[str], paths: list[Path], config: Path) -> set[str]:
    """Which of these rules the files would break if there were no exceptions. A prefix such as T20 stands for many."""
    command = [sys.executable, "-m", "ruff", "check", "--config", str(config), "--exit-zero", "--no-cache"]
    done = subprocess.run(
        [*command, f"--select={','.join(codes)}", "--output-format=json", *paths],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    hits = {str(each["code"]) for each in json.loads(done.stdout)}
    return {code for code in codes if any(hit.startswith(code) for hit in hits)}


def test_rules_that_are_switched_off_would_be_broken(no_exceptions: Path) -> None:
    codes = list(LINT["ignore"])
    stale = set(codes) - broken(codes, python("monitor", "tests", "scripts"), no_exceptions)
    assert not stale, f"no longer needed in pyproject.toml: {', '.join(sorted(stale))}"


@pytest.mark.parametrize(("pattern", "codes"), LINT["per-file-ignores"].items())
def test_rules_that_are_switched_off_for_some_files_would_be_broken_there(
    pattern: str, codes: list[str], no_exceptions: Path
) -> None:
    paths = [path for path in python("monitor", "tests", "scripts") if path.match(pattern) or _below(path, pattern)]
    assert paths, f"no file is meant by {pattern}"
    stale = set(codes) - broken(codes, paths, no_exceptions)
    assert not stale, f"no longer needed in pyproject.toml: {', '.join(sorted(stale))}"


def _below(path: Path, pattern: str) -> bool:
    return pattern.endswith("/**") and path.is_relative_to(pattern.removesuffix("/**"))
