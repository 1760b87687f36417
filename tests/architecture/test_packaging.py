"""What is built from the checkout is complete: every file of the program and every shipped rule is in the wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.files import ROOT, tracked


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built from a copy, so that the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    for path in tracked():
        if path.parts[0] in ("monitor", "rules", "pyproject.toml", "README.md", "LICENSE"):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, copy / path)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(copy)], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_every_file_of_the_program_is_in_it(wheel: zipfile.ZipFile) -> None:
    ours = {str(path) for path in tracked() if path.parts[0] == "monitor"}
    assert ours - set(wheel.namelist()) == set()


def test_every_shipped_rule_is_in_it(wheel: zipfile.ZipFile) -> None:
    packed = {name.partition("/share/nearmiss/")[2] for name in wheel.namelist()}
    assert {str(path) for path in tracked() if path.parts[0] == "rules"} - packed == set()


def test_nothing_else_is_in_it(wheel: zipfile.ZipFile) -> None:
    top = {Path(name).parts[0].partition("-")[0] for name in wheel.namelist()}
    assert top == {"monitor", "nearmiss_monitor"}
