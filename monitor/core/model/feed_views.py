"""What people see of the feeds that are pulled: one feed over a day, and whether a service can be judged."""

from __future__ import annotations

import msgspec


class FeedView(msgspec.Struct, frozen=True):
    """A pulled feed over the last day: `cells` are `clear`, `hurt`, `blind` or `none` (not looked at), oldest first.

    `blind` says how long it was blind for which reason, `behind` how far it is behind the clock (None: it was never
    asked), both in microseconds; `trouble` the failure that stands; `last_hour` why it saw nothing in its last hour.
    """

    service: str
    environment: str | None
    source: str
    evidence: str
    cells: tuple[str, ...]
    blind: tuple[tuple[str, int], ...]
    behind: int | None
    trouble: str | None
    last_hour: str | None


class Watch(msgspec.Struct, frozen=True):
    """A user-facing service, the sources of the pulled feeds that see its users, and why none does."""

    service: str
    sources: tuple[str, ...]
    why: str | None


class FeedsView(msgspec.Struct, frozen=True):
    """All pulled feeds, and each user-facing service."""

    feeds: tuple[FeedView, ...]
    services: tuple[Watch, ...]
