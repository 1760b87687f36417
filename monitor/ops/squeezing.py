"""Large values are compressed on their way into a column, and known by their first bytes on their way back.

Knows bytes only. A database that compresses large values itself takes ten times as long for it.
"""

from __future__ import annotations

import zstandard

LARGE = 2000
"""Bytes. PostgreSQL puts what is about as large outside of the row, in pieces."""

_LEVEL = 1
_MAGIC = b"\x28\xb5\x2f\xfd"


def squeeze(value: bytes) -> bytes:
    """The value as it is kept. What happens to begin like a compressed one is compressed however small."""
    if len(value) < LARGE and not value.startswith(_MAGIC):
        return value
    return zstandard.compress(value, _LEVEL)


def unsqueeze(kept: bytes) -> bytes:
    """What `squeeze` was given. Raises zstandard.ZstdError where the bytes are damaged."""
    return zstandard.decompress(kept) if kept.startswith(_MAGIC) else kept
