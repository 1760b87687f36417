"""Core values to bytes and back, for state that is kept: one compact form, without meaning to anybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from monitor.core.model.events import Instant

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """msgspec's hook for what it does not know how to write."""
    if isinstance(value, Instant):
        return int(value)
    raise NotImplementedError(f"cannot pack a {type(value).__name__}")


def from_plain(kind: type[Any], value: Any) -> Any:
    """msgspec's hook for what it does not know how to read."""
    if kind is Instant:
        return Instant(value)
    raise NotImplementedError(f"cannot unpack a {kind.__name__}")


pack: Callable[[Any], bytes] = msgspec.msgpack.Encoder(enc_hook=to_plain).encode


def unpack(value: bytes, kind: type[T]) -> T:
    """Raises msgspec.DecodeError where the bytes are not of this type."""
    return msgspec.msgpack.decode(value, type=kind, dec_hook=from_plain)
