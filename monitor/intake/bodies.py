"""Reads the body of a request within bounds and unpacks it within the same bounds.

Knows sizes and encodings only, not what a body says. Never holds more than the limit, however much is sent.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import msgspec

from monitor.core.model.reasons import Rejected
from monitor.intake.flight import BodyShare

DRAINED = 64 * 1024 * 1024
"""A sender that is cut off while it sends sees a broken connection, not our answer: up to here we hear it out."""

ENCODING = "content-encoding"
MOST_MEMBERS = 1024
"""Members of one gzip body: a sender that flushes each 64 KiB needs half as many for the largest body."""
_STEP = 16 * 1024

_GZIP = 31
_ZLIB = 15
_WINDOW_BITS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


class Unusable(Exception):
    """A body that cannot be read: the reason, and a line for people."""

    def __init__(self, reason: Rejected, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Packed(msgspec.Struct, frozen=True):
    """The bytes of a body as they were sent, and their encoding; none: they are plain."""

    data: bytes
    encoding: str = ""


class Body(msgspec.Struct, frozen=True):
    """What was sent: its bytes as far as they were kept, and how many bytes were seen in all."""

    data: bytes
    size: int

    @property
    def whole(self) -> bool:
        return len(self.data) == self.size


async def read_body(pieces: AsyncIterator[bytes], limit: int, share: BodyShare) -> Body:
    """The body up to `limit` bytes; what lies beyond is counted and dropped. Raises Busy."""
    kept = bytearray()
    size = 0
    async for piece in pieces:
        size += len(piece)
        if len(kept) < limit:
            share.take(min(len(piece), limit - len(kept)))
            kept += piece[: limit - len(kept)]
        if size > DRAINED:
            break
    return Body(bytes(kept), size)


def readable(body: Body, encoding: str, limit: int) -> bytes:
    """The bytes that a decoder can read. Raises Unusable: too large, or not the compression that its header names."""
    if not body.whole:
        detail = f"the body has {body.size} bytes or more; at most {limit} are taken: send fewer events at once"
        raise Unusable(Rejected.TOO_LARGE, detail)
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body.data
    bits = _WINDOW_BITS.get(encoding)
    if bits is None:
        known = ", ".join(sorted(_WINDOW_BITS))
        detail = f"content-encoding {encoding[:40]!r} is not known; send the body plain or as one of {known}"
        raise Unusable(Rejected.BAD_COMPRESSION, detail)
    return _unpack(body.data, bits, encoding, limit)


def _unpack(packed: bytes, bits: int, encoding: str, limit: int) -> bytes:
    """In steps: a decompressor hands back a copy of what follows a member, which adds up to the square of the body."""
    unpacked = bytearray()
    unpacker, members = zlib.decompressobj(bits), 1
    for start in range(0, len(packed), _STEP):
        rest = packed[start : start + _STEP]
        while rest:
            if unpacker.eof:
                unpacker, members = zlib.decompressobj(bits), members + 1
            if members > MOST_MEMBERS:
                detail = f"the {encoding} body has more than {MOST_MEMBERS} members: compress it as one"
                raise Unusable(Rejected.BAD_COMPRESSION, detail)
            try:
                # One byte more than allowed tells "too large" from "just fits", and a bomb never unfolds further.
                unpacked += unpacker.decompress(rest, limit + 1 - len(unpacked))
            except zlib.error as error:
                raise Unusable(Rejected.BAD_COMPRESSION, f"not valid {encoding}: {error}") from error
            if len(unpacked) > limit:
                detail = f"the body unpacks to more than {limit} bytes: send fewer events at once"
                raise Unusable(Rejected.TOO_LARGE, detail)
            rest = unpacker.unused_data
    if packed and not unpacker.eof:
        raise Unusable(Rejected.BAD_COMPRESSION, f"the {encoding} body ends before its end mark")
    return bytes(unpacked)
