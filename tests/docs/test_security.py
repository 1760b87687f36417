"""Each threat of SECURITY.md names the tests that hold its defence, and they exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [line for line in (ROOT / "SECURITY.md").read_text().splitlines() if line.startswith("| ") and "`tests/" in line]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_there_are_threats() -> None:
    assert len(ROWS) >= 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_threat_names_tests_that_exist(row: str) -> None:
    named = NAMED.findall(row)
    assert named
    for path, test in named:
        assert re.search(rf"^(async )?def {test}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path} has no {test}"
