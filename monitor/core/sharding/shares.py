"""How the byte budget is divided among the shards: by the catalogue alone.

So what a shard evicts is the same however many partitions carry the shards, and all of them together keep the budget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from monitor.core.sharding.routing import SHARDS

EVEN = 4
"""One part in so many of the budget is the same for every shard: for services that the catalogue does not know."""
LEAST = 256 * 1024
"""Bytes that a shard has in any case: with less it could hold no more than an event or two."""


class Shares:
    """`limit`: bytes for all shards together; None: no limit. `homes`: for each service of the catalogue its shard."""

    def __init__(self, limit: int | None, homes: Iterable[int]) -> None:
        self._limit = limit
        self._services = Counter(homes)

    def of(self, shard: int) -> int | None:
        """The bytes of a shard: its even share, and of the rest as much as it has of the services."""
        if self._limit is None:
            return None
        known = self._services.total()
        even = self._limit // EVEN if known else self._limit
        rest = (self._limit - even) * self._services[shard] // known if known else 0
        return max(LEAST, even // SHARDS + rest)
