"""The event format, version 1: bytes to `Event` and back; one typed pass for the regular, a closer look for the rest.

Knows nothing of the tools that send events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from monitor.core.model.events import Event, Instant, to_text
from monitor.core.model.reasons import Rejected
from monitor.decode.jsontext import load
from monitor.decode.lenient import MAX_TEXT, from_mapping, without_empty
from monitor.decode.outcome import Unreadable
from monitor.decode.times import instant_hook, time_as_text

__all__ = [
    "MAX_EVENT_BYTES",
    "Unreadable",
    "decode_line",
    "decode_lines",
    "decode_regular",
    "decode_value",
    "encode",
    "with_receipt",
]

MAX_EVENT_BYTES = 1024 * 1024
_DECODER = msgspec.json.Decoder(Event, dec_hook=instant_hook)
_FAST: Callable[[bytes], Event] = _DECODER.decode


def decode_line(line: bytes) -> Event:
    """One event from its JSON. Raises Unreadable, and nothing else.

    Irregular but readable lines are accepted: unknown fields go to `labels`, what was odd is named in `marks`.
    """
    event = decode_regular(line)
    return decode_value(load(line, MAX_EVENT_BYTES)) if event is None else event


def decode_regular(line: bytes) -> Event | None:
    """The event of a line that has the form of one and nothing else; None where it needs a closer look."""
    # The order of the checks is measured: one memchr for a backslash is far cheaper than a search for an escaped NUL.
    if len(line) > MAX_TEXT or (b"\\" in line and rb"\u0000" in line):
        return None
    try:
        event = _FAST(line)
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return None
    value, limit = event.value, event.limit
    if event.resolved_from:
        return None
    if (value is None or -9007199254740992.0 < value < 9007199254740992.0) and (
        limit is None or -9007199254740992.0 < limit < 9007199254740992.0
    ):
        return without_empty(event) if b'""' in line else event
    return None


def decode_lines(lines: Sequence[bytes]) -> list[Event] | None:
    """One event for each line, all in one pass; None where any line needs the closer look of `decode_line`.

    Lines hold no line break. Meant for files: a block of some hundred lines costs a sixth less than one by one.
    """
    # Where every line begins with a brace no object can reach over a line break, so that equal numbers mean one a line.
    if {line[:1] for line in lines} != {b"{"} or max(map(len, lines)) > MAX_TEXT:
        return None
    block = b"\n".join(lines)
    if b"\\" in block and rb"\u0000" in block:
        return None
    try:
        events = _DECODER.decode_lines(block)
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return None
    if len(events) != len(lines):
        return None
    for event in events:
        value = event.value
        if value is not None and not -9007199254740992.0 < value < 9007199254740992.0:
            return None
        limit = event.limit
        if limit is not None and not -9007199254740992.0 < limit < 9007199254740992.0:
            return None
        if event.resolved_from:
            return None
    return list(map(without_empty, events)) if b'""' in block else events


def decode_value(value: Any) -> Event:
    """One event from a JSON value that was already read. Raises Unreadable."""
    if not isinstance(value, dict):
        raise Unreadable(
            Rejected.NOT_AN_EVENT,
            f"found {_NAMES.get(type(value), 'something else')}; expected a JSON object with id, source, time and kind",
        )
    return from_mapping(value)


_NAMES: dict[type, str] = {
    list: "an array",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}


_ENCODE: Callable[[Any], bytes] = msgspec.json.Encoder(enc_hook=time_as_text).encode


def encode(event: Event) -> bytes:
    """The event as one line of JSON without its newline; `decode_line` gives the same event back."""
    return _ENCODE(event)


def with_receipt(line: bytes, received_at: Instant) -> bytes:
    """The line of a regular event that does not tell when it was received, so that it does.

    For a caller who has just read it: to encode the event again takes five times as long.
    """
    return line.rstrip()[:-1] + _receipt(received_at)


@lru_cache(maxsize=256)
def _receipt(received_at: Instant) -> bytes:
    """Receipts are in milliseconds, in which many arrive together."""
    return f',"received_at":"{to_text(received_at)}"}}'.encode()
