"""Large values are compressed on their way into a column, and known by their first bytes on their way back.

Knows bytes only. A database that compresses large values itself takes ten times as long for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import zstandard

LARGE = 2000
"""Bytes. PostgreSQL puts what is about as large outside of the row, in pieces."""

_LEVEL = 1
_MAGIC = b"\x28\xb5\x2f\xfd"


def squeeze(value: bytes) -> bytes:
    """The value as it is kept. What happens to begin like a compressed one is compressed however small.

    Raises MemoryError.
    """
    if len(value) < LARGE and not value.startswith(_MAGIC):
        return value
    try:
        return zstandard.compress(value, _LEVEL)
    except zstandard.ZstdError as error:
        # Any bytes can be compressed: what fails is the allocation, and only the library's words say so.
        raise MemoryError(str(error)) from error


def unsqueeze(kept: bytes) -> bytes:
    """What `squeeze` was given. Raises zstandard.ZstdError where the bytes are damaged."""
    return zstandard.decompress(kept) if kept.startswith(_MAGIC) else kept


class Unsqueezed(Mapping[str, bytes]):
    """Values under names, kept as they were given and decompressed one by one, whenever one is asked for."""

    def __init__(self, kept: dict[str, bytes]) -> None:
        self._kept = kept

    def __getitem__(self, name: str) -> bytes:
        return unsqueeze(self._kept[name])

    def __contains__(self, name: object) -> bool:
        return name in self._kept

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def pop(self, name: str) -> bytes:
        """The value, which is not kept here any more."""
        return unsqueeze(self._kept.pop(name))
