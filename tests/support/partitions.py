"""A routed journal without a broker: one list of events a partition, and the engines that read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.core.deciding.engine import EngineSettings
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.decisions import Decision
from monitor.core.model.events import Event, Instant
from monitor.core.model.rule import Rule
from monitor.core.sharding.routing import Route, Router, partitions_of, shards_of
from monitor.core.sharding.shards import Shards
from monitor.packs.language.regex import make_regex

Entry = tuple[Event, Route]


def routed(events: Iterable[Event], catalogue: Catalogue, partitions: int) -> list[list[Entry]]:
    """What each partition holds, in order of arrival."""
    router = Router(catalogue)
    lists: list[list[Entry]] = [[] for _ in range(partitions)]
    for event in events:
        route = router.route(event)
        for partition in partitions_of(route, partitions):
            lists[partition].append((event, route))
    return lists


def engines_of(
    rules: Sequence[Rule],
    catalogue: Catalogue,
    partition: int,
    partitions: int,
    cells: dict[str, dict[str, bytes]] | None = None,
    settings: EngineSettings = EngineSettings(),
) -> Shards:
    """The engines of one partition."""
    owned = shards_of(partition, partitions)
    return Shards(f"events/{partition}", owned, rules, catalogue, make_regex, settings, cells=cells)


def run_partition(shards: Shards, entries: Sequence[Entry], until: Instant, batch: int = 1000) -> list[Decision]:
    """Read one partition to its end, and let the time go on until then."""
    decided: list[Decision] = []
    for start in range(0, len(entries), batch):
        part = entries[start : start + batch]
        decided += shards.step([event for event, _ in part], [route for _, route in part])
    return decided + shards.tick(until)


def keep(saved: dict[str, dict[str, bytes]], shards: Shards) -> None:
    """Do with the changed cells what a store does."""
    for scope, cells in shards.take_changes().items():
        kept = saved.setdefault(scope, {})
        for name, value in cells.items():
            if value is None:
                kept.pop(name, None)
            else:
                kept[name] = value
