"""Events that wait on this machine for a monitor that is away: one file each, oldest first, bounded.

Knows files and nothing of how they are sent.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from monitor.core.model.events import Event
from monitor.decode.canonical import encode

MOST = 1000
"""Events that wait at most; the oldest go first."""
REFUSED = ".refused"
"""Ends the name of what the monitor will not take; it stays for who looks."""


def spool_folder(environ: Mapping[str, str]) -> Path:
    """Where this user's state is kept: `$XDG_STATE_HOME/nearmiss/spool`, else below `~/.local/state`."""
    base = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".local/state")
    return Path(base) / "nearmiss" / "spool"


class Spool:
    """The spool in one folder. Several processes may use it at once."""

    def __init__(self, folder: Path, most: int = MOST) -> None:
        self._folder, self._most = folder, most

    def add(self, event: Event) -> int:
        """Keep an event, and tell how many older ones had to go. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # By time, so that the names sort as the events happened.
        path = self._folder / f"{event.time:020}-{event.id[-32:]}.json"
        draft = path.with_suffix(".new")
        draft.touch(0o600)
        with draft.open("wb") as file:
            file.write(encode(event))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        waiting = self.waiting()
        evicted = waiting[: max(0, len(waiting) - self._most)]
        self.remove(evicted)
        return len(evicted)

    def waiting(self) -> list[Path]:
        """The files that wait, oldest first; none where the folder cannot be read."""
        try:
            return sorted(self._folder.glob("*.json"))
        except OSError:
            return []

    def read(self, path: Path) -> bytes:
        """The event as one line; empty where another process has sent it meanwhile."""
        try:
            return b" ".join(path.read_bytes().split(b"\n")).strip()
        except OSError:
            return b""

    def remove(self, paths: list[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)

    def put_aside(self, path: Path) -> None:
        """It would be refused again and keep the others waiting."""
        path.replace(path.with_suffix(REFUSED))
