"""Whether the database takes a write now; a part of the readiness."""

from __future__ import annotations

from monitor.ports import MissingRight, Unavailable, WrongDatabase
from monitor.store.database import Store


async def write_fault(store: Store) -> str | None:
    """One line that says why nothing can be stored; None where a write succeeds."""
    try:
        await store.prove_write()
    except (Unavailable, MissingRight, WrongDatabase) as error:
        return f"nothing can be stored: {error}"
    return None
