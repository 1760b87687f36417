"""A small disk for one program: a file system in memory of so many bytes, which can be filled and cleared.

Linux only, and only root may mount it. Must not know what lies on it.
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_BLOCK = b"\0" * 65_536


class SmallDisk:
    """A mounted file system. `fill` leaves nothing of what is free."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Take all the space that is left."""
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for size in (len(_BLOCK), 1):
                self._write(descriptor, _BLOCK[:size])
        finally:
            os.close(descriptor)

    def clear(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink(missing_ok=True)

    def _write(self, descriptor: int, block: bytes) -> None:
        while True:
            try:
                os.write(descriptor, block)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[SmallDisk]:
    """A disk of this size ("96m") at `path`. Says that the test did not run where it cannot be mounted."""
    path.mkdir()
    mounted = _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path))
    if mounted:
        pytest.skip(f"did not run: a small disk cannot be mounted here ({mounted}); it takes root")
    try:
        yield SmallDisk(path)
    finally:
        if busy := _run("umount", str(path)):
            # Whoever still holds a file there lets go of the rest when it ends.
            _run("umount", "--lazy", str(path))
            assert "busy" in busy, busy


def _run(*command: str) -> str:
    """What went wrong, or nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"there is no {command[0]}"
    return done.stderr.strip() if done.returncode else ""
