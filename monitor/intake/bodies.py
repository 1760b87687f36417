"""Reads the body of a request within bounds and unpacks it within the same bounds.

Knows sizes and encodings only, not what a body says. Never holds more than the limit, however much is sent.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import msgspec

from monitor.core.model.reasons import Rejected

KIBIBYTE = 1024
KEPT = 64 * KIBIBYTE
"""How many bytes of a body beyond the limit are kept with its reject."""
DRAINED = 64 * 1024 * KIBIBYTE
"""A sender that is cut off while it sends sees a broken connection, not our answer: up to here we hear it out."""

_GZIP = 31
_ZLIB = 15
_WINDOW_BITS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


class Unusable(Exception):
    """A body that cannot be read: the reason, a line for people, and the bytes that are worth keeping."""

    def __init__(self, reason: Rejected, detail: str, kept: bytes) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.kept = kept[:KEPT]


class Body(msgspec.Struct, frozen=True):
    """What was sent: its bytes as far as they were kept, and how many bytes were seen in all."""

    data: bytes
    size: int

    @property
    def whole(self) -> bool:
        return len(self.data) == self.size


async def read_body(pieces: AsyncIterator[bytes], limit: int) -> Body:
    """The body up to `limit` bytes; what lies beyond is counted and let go."""
    kept = bytearray()
    size = 0
    async for piece in pieces:
        size += len(piece)
        if len(kept) < limit:
            kept += piece[: limit - len(kept)]
        if size > DRAINED:
            break
    return Body(bytes(kept), size)


def readable(body: Body, encoding: str, limit: int) -> bytes:
    """The bytes that a decoder can read. Raises Unusable: too large, or not the compression that its header names."""
    if not body.whole:
        detail = f"the body has {body.size} bytes or more; at most {limit} are taken: send fewer events at once"
        raise Unusable(Rejected.TOO_LARGE, detail, body.data)
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body.data
    bits = _WINDOW_BITS.get(encoding)
    if bits is None:
        known = ", ".join(sorted(_WINDOW_BITS))
        detail = f"content-encoding {encoding[:40]!r} is not known; send the body plain or as one of {known}"
        raise Unusable(Rejected.BAD_COMPRESSION, detail, body.data)
    return _unpack(body.data, bits, encoding, limit)


def _unpack(packed: bytes, bits: int, encoding: str, limit: int) -> bytes:
    unpacked = bytearray()
    rest = packed
    while rest:
        unpacker = zlib.decompressobj(bits)
        try:
            # One byte more than allowed tells "too large" from "just fits", and a bomb never unfolds further.
            unpacked += unpacker.decompress(rest, limit + 1 - len(unpacked))
        except zlib.error as error:
            raise Unusable(Rejected.BAD_COMPRESSION, f"not valid {encoding}: {error}", packed) from error
        if len(unpacked) > limit:
            detail = f"the body unpacks to more than {limit} bytes: send fewer events at once"
            raise Unusable(Rejected.TOO_LARGE, detail, packed)
        if not unpacker.eof:
            raise Unusable(Rejected.BAD_COMPRESSION, f"the {encoding} body ends before its end mark", packed)
        rest = unpacker.unused_data
    return bytes(unpacked)
