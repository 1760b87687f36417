"""Makes values of the core plain for the JSON that commands print; knows no command and no file."""

from __future__ import annotations

from monitor.core.events import Instant, to_text


def time_as_text(value: object) -> object:
    """A hook of msgspec: an `Instant` becomes RFC 3339 in UTC. Raises NotImplementedError for any other type."""
    if isinstance(value, Instant):
        return to_text(value)
    raise NotImplementedError(type(value).__name__)
