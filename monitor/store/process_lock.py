"""A lock between processes of one machine, which the system releases as soon as its holder is dead.

For SQLite, whose processes share a disk: nobody has to wait to see whether an owner is alive. Knows files only.
"""

from __future__ import annotations

import fcntl
from io import BufferedRandom
from pathlib import Path


class ProcessLock:
    """The locks that this process holds, by the name of what is owned."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._held: dict[str, BufferedRandom] = {}

    def acquire(self, name: str) -> bool:
        """Whether the lock is ours; it stays ours until `release`, or until the process ends. Raises OSError."""
        if name in self._held:
            return True
        file = self._path(name).open("ab+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._held[name] = file
        return True

    def release(self, name: str) -> None:
        """Release it. The file stays: to remove it would let two hold locks of one name."""
        if (file := self._held.pop(name, None)) is not None:
            file.close()

    def release_all(self) -> None:
        for name in list(self._held):
            self.release(name)

    def _path(self, name: str) -> Path:
        suffix = "".join(character if character.isalnum() else "-" for character in name)
        return self._database.with_name(f"{self._database.name}{f'-{suffix}' if suffix else ''}.lock")
