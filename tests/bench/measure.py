"""Runs a command in a process of its own and says what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]


class Cost(msgspec.Struct, frozen=True):
    """Processor and wall time in seconds, the largest resident memory in MB, and what the command printed."""

    processor: float
    wall: float
    memory: float
    output: bytes


def run(arguments: Sequence[str]) -> Cost:
    """Run `python ARGUMENTS…` to its end. Raises RuntimeError with its complaint when it fails."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=complaints)
        assert child.stdout is not None
        with child.stdout:
            output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        complaints.seek(0)
        complaint = complaints.read()
    wall = time.perf_counter() - started
    # Popen must not wait again for a process that was waited for here, where its resources are told.
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(arguments)} exited {child.returncode}: {complaint.decode(errors='replace')}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, output)
