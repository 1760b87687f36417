"""The least of the limits that hold for the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.ops.memory_limit import BESIDE, LEAST, memory_limit, within_limit


def make_files(root: Path, groups: str, files: dict[str, str]) -> None:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups + "\n")
    for name, text in files.items():
        file = root / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/a/b", {"a/b/memory.max": "max", "a/memory.max": "700"}, 700),
        ("0::/a/b", {"a/b/memory.max": "600", "a/memory.max": "700"}, 600),
        ("0::/gone/from/here", {"memory.max": "800"}, 800),
        ("4:memory:/p", {"memory/p/memory.limit_in_bytes": "500"}, 500),
        ("4:memory:/p", {"memory/p/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("1:cpu:/p", {"p/memory.max": "500"}, None),
        ("0::/", {"memory.max": "what is this"}, None),
    ],
)
def test_the_least_limit_of_all_groups_holds(
    groups: str, files: dict[str, str], expected: int | None, tmp_path: Path
) -> None:
    make_files(tmp_path, groups, files)
    assert memory_limit(tmp_path) == expected


def test_without_files_of_the_kernel_there_is_no_limit(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) is None


@pytest.mark.parametrize(
    ("limit", "expected"), [("max", 10**9), (str(BESIDE + 10**9), 10**9), (str(BESIDE + 10**8), 10**8), ("9", LEAST)]
)
def test_a_budget_is_what_the_limit_leaves_of_it(limit: str, expected: int, tmp_path: Path) -> None:
    make_files(tmp_path, "0::/", {"memory.max": limit})
    assert within_limit(10**9, tmp_path) == expected
