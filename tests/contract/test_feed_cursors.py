"""What every keeper of cursors of feeds must do: the farthest one stands, for every process."""

from __future__ import annotations

from monitor.core.model.events import SECOND, Instant
from monitor.store.database import Store
from tests.support.records import BASE


async def test_the_farthest_cursor_stands(store: Store, other: Store) -> None:
    assert await store.feed_cursors.load("a") is None
    await store.feed_cursors.save("a", BASE, "first")
    await other.feed_cursors.save("a", Instant(BASE + SECOND), "second")
    await store.feed_cursors.save("a", BASE, "late")
    await store.feed_cursors.save("b", BASE, "other")

    assert await store.feed_cursors.load("a") == "second"
    assert await other.feed_cursors.everything() == {"a": "second", "b": "other"}
    assert await other.feed_cursors.load("b") == "other"
