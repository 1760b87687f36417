"""What every keeper of arrivals must do: add up what several processes counted, and forget what is old."""

from __future__ import annotations

from monitor.core.model.events import DAY, HOUR, SECOND, Instant
from monitor.ops.arrivals import SourceHour, SourceWord
from monitor.store.database import Store
from tests.support.records import BASE

HOUR_NOW, DAY_NOW = BASE // HOUR, BASE // DAY


async def test_two_processes_add_up(store: Store, other: Store) -> None:
    first = SourceHour("github", HOUR_NOW, 2, BASE, None, None)
    second = SourceHour("github", HOUR_NOW, 3, Instant(BASE - SECOND), Instant(BASE - 9), 9)
    third = SourceHour("github", HOUR_NOW, 1, Instant(BASE - 2), Instant(BASE - 20), -5)
    for book, hour in ((store, first), (other, second), (store, third)):
        await book.sources.add([hour], [], BASE)
    assert await other.sources.hours(BASE) == [SourceHour("github", HOUR_NOW, 6, BASE, Instant(BASE - 9), -5)]

    for detail in ("new", "", "newer"):
        await store.sources.add([], [SourceWord("github", DAY_NOW, "ignored", "unknown_type", 1, detail)], BASE)
    assert await other.sources.words(BASE) == [SourceWord("github", DAY_NOW, "ignored", "unknown_type", 3, "newer")]


async def test_what_is_old_is_forgotten(store: Store) -> None:
    await store.sources.add(
        [SourceHour("a", HOUR_NOW, 1, BASE)], [SourceWord("a", DAY_NOW, "kind", "note.added", 1)], BASE
    )
    assert await store.sources.hours(Instant(BASE + HOUR)) == []
    await store.sources.add([], [], Instant(BASE + 23 * DAY))
    assert await store.sources.hours(Instant(0)) == []
    assert await store.sources.words(Instant(0)) == []
