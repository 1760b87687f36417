"""Bodies as the tools of an organisation send them: one file a group of tools, one function a body."""

from __future__ import annotations

import msgspec

from monitor.core.model.events import Instant, to_text


class SentBody(msgspec.Struct, frozen=True):
    """What arrives by HTTP: the source that it is named for, its headers, its bytes."""

    source: str
    bytes: bytes
    headers: dict[str, str] = {}


def written(source: str, content: object, **headers: str) -> SentBody:
    return SentBody(
        source, msgspec.json.encode(content), {name.replace("_", "-"): value for name, value in headers.items()}
    )


def stamp(at: int) -> str:
    """A time as most tools write it: UTC, whole seconds."""
    return to_text(Instant(at // 1_000_000 * 1_000_000)) or ""
