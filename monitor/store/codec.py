"""Values to what columns hold, and back. Knows the wire form of stored values and nothing of tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from monitor.core.model.decisions import Ignore
from monitor.core.model.events import Event, EventId, Instant
from monitor.core.model.near_miss import Draft
from monitor.core.model.packing import from_plain, to_plain
from monitor.core.model.risk import OpenUntil
from monitor.decode.canonical import decode_line, encode

encode_event: Callable[[Event], bytes] = encode
decode_event: Callable[[bytes], Event] = decode_line
"""Raises `monitor.decode.canonical.Unreadable`."""


_ENCODE: Callable[[Any], bytes] = msgspec.json.Encoder(enc_hook=to_plain).encode
encode_draft: Callable[[Draft], bytes] = _ENCODE
decode_draft: Callable[[bytes], Draft] = msgspec.json.Decoder(Draft, dec_hook=from_plain).decode
encode_ignore: Callable[[Ignore], bytes] = _ENCODE
decode_ignore: Callable[[bytes], Ignore] = msgspec.json.Decoder(Ignore, dec_hook=from_plain).decode
encode_events: Callable[[Sequence[Event]], bytes] = _ENCODE
decode_events: Callable[[bytes], tuple[Event, ...]] = msgspec.json.Decoder(
    tuple[Event, ...], dec_hook=from_plain
).decode
encode_ids: Callable[[Sequence[EventId]], bytes] = _ENCODE
decode_ids: Callable[[bytes], tuple[EventId, ...]] = msgspec.json.Decoder(tuple[EventId, ...]).decode
encode_open_until: Callable[[OpenUntil], bytes] = _ENCODE
decode_open_until: Callable[[bytes], OpenUntil] = msgspec.json.Decoder(OpenUntil).decode
encode_headers: Callable[[dict[str, str]], bytes] = _ENCODE
decode_headers: Callable[[bytes], dict[str, str]] = msgspec.json.Decoder(dict[str, str]).decode


def instant(value: int | None) -> Instant | None:
    return None if value is None else Instant(value)


def plain(text: str) -> str:
    """The text without what no database can hold: NUL and lone surrogates become U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    elif text.isascii():
        return text
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def plain_or_none(text: str | None) -> str | None:
    return None if text is None else plain(text)
