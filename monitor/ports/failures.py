"""What the outside can fail with, by what the caller does next."""

from __future__ import annotations


class Unavailable(Exception):
    """The store cannot serve now (disk full, database away). Retry later; nothing of the call was kept."""


class NewerDatabase(Exception):
    """The database was made by a newer program; refuse to touch it."""


class OutdatedDatabase(Exception):
    """The database lacks migrations that this program needs; somebody has to upgrade it first."""


class MissingRight(Exception):
    """The database user may not do what this program has to; somebody has to grant it first."""


class WrongDatabase(Exception):
    """The database is not as this program needs it, or its address is wrong; somebody has to change that first."""


class Fenced(Exception):
    """Another owner took over; this one must stop without writing."""


class Held(Exception):
    """Somebody else owns it and showed lately that it is alive; stand by and ask again."""

    def __init__(self, owner: str) -> None:
        super().__init__(f"{owner} owns it")
        self.owner = owner
