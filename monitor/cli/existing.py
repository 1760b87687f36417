"""Opens the database that a command changes beside the service, and refuses one that is not there.

Databases are made by `nearmiss run` and `nearmiss db upgrade` alone. A command that only looks takes
`open_for_reading`, which makes none either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from monitor.store.database import Store, open_store
from monitor.store.migrations import check


@asynccontextmanager
async def open_existing(url: str) -> AsyncIterator[Store]:
    """A store to write to, whose files or tables are there and of this program's version.

    Raises OutdatedDatabase where they are not, NewerDatabase, Unavailable.
    """
    # First: to open the files of a database that is not there would create them.
    await check(url)
    async with open_store(url) as store:
        yield store
