"""How much memory the process may take, by its own limits and those of its control groups, and what of it is to spare.

Reads files of the kernel and limits of the process; must not know what the memory is for.
"""

from __future__ import annotations

import resource
from pathlib import Path

from monitor.ops.logs import get_logger

_log = get_logger("memory")
BESIDE = 500_000_000
"""Bytes that the process takes beside its budget: the program, bodies under way, a commit."""
LEAST = 16 * 1024**2

_ROOT = Path("/")
_NO_LIMIT = 1 << 60
"""Version 1 of control groups says "none" by a number near the largest there is."""


def within_limit(budget: int, root: Path = _ROOT) -> int:
    """The budget, or what the limit of the process leaves of it, which is logged. Bytes; at least `LEAST`.

    A process that the kernel ends for its memory begins with as much again: restarting would not help it.
    """
    limit = memory_limit(root)
    if limit is None or budget <= (room := max(limit - BESIDE, LEAST)):
        return budget
    _log.warning("budget_beyond_limit", engine_memory=budget, limit=limit, used=room, beside=BESIDE)
    return room


def memory_limit(root: Path = _ROOT) -> int | None:
    """In bytes, the least of all limits that hold; None where there is none. `root`: where the kernel's files lie."""
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    found = [address_space] if address_space != resource.RLIM_INFINITY else []
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            found += _upwards(root / "sys/fs/cgroup", path, "memory.max")
        elif "memory" in controllers.split(","):
            found += _upwards(root / "sys/fs/cgroup/memory", path, "memory.limit_in_bytes")
    return min((limit for limit in found if limit < _NO_LIMIT), default=None)


def _upwards(mount: Path, path: str, name: str) -> list[int]:
    """The limits of a group and of all that it lies in; within a container it is the mount itself."""
    group = mount / path.strip("/")
    groups = [each for each in (group, *group.parents) if each.is_relative_to(mount)]
    texts = [line for each in groups for line in _lines(each / name)]
    return [int(text) for text in texts if text.isdigit()]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return []


def lacks_thread(error: RuntimeError) -> bool:
    """Whether it says that there is no memory, or no leave, for another thread: it passes, as a lack of memory does."""
    return "can't start new thread" in str(error)
