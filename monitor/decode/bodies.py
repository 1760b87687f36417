"""Bodies of our own format: one event, an array, or JSON Lines; CloudEvents and CDEvents may stand among them.

One bad event does not refuse its neighbours, and only the bytes of the bad ones are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from monitor.core.model.events import Event
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.canonical import MAX_EVENT_BYTES, decode_line, decode_regular
from monitor.decode.jsontext import MAX_BODY_BYTES, check_values, load, raw_items
from monitor.decode.outcome import DecodeOutcome, Unreadable, gather, left_out
from monitor.decode.reading import Delivery, admitted
from monitor.decode.tools import cdevents, cloudevents

_BOM = b"\xef\xbb\xbf"
_RAW = msgspec.json.Decoder(msgspec.Raw)
_ENVELOPES = (b'"specversion"', b'"context"')


def decode(body: bytes, delivery: Delivery) -> DecodeOutcome:
    """The events of a body. Raises Unreadable where the body as a whole cannot be read."""
    if len(body) > MAX_BODY_BYTES:
        raise Unreadable(
            Rejected.TOO_LARGE, f"{len(body):,} bytes; at most {MAX_BODY_BYTES:,} are read: send it in parts"
        )
    pieces, joined = _pieces(body.removeprefix(_BOM).strip())
    if not pieces:
        return left_out(Ignored.EMPTY, "the body holds no event")
    return gather(pieces, lambda piece: admitted([decode_one(piece, delivery)], delivery), joined, len(body))


def decode_one(piece: bytes, delivery: Delivery) -> Event:
    """The event of one JSON object: our own format, or an envelope around it. Raises Unreadable or NoEvent."""
    if (event := decode_regular(piece)) is not None:
        return event
    if any(name in piece for name in _ENVELOPES):
        value = load(piece, MAX_EVENT_BYTES)
        if cloudevents.is_cloud_event(value):
            return cloudevents.read(value, delivery)[0]
        if _is_cdevent(value):
            return cdevents.read(value, delivery)[0]
    return decode_line(piece)


def _is_cdevent(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("context"), dict) and "kind" not in value


def _pieces(body: bytes) -> tuple[list[bytes], Callable[[list[bytes]], bytes]]:
    """The pieces, and how some of them become a body again that reads as they did."""
    check_values(body)
    if body.startswith(b"["):
        try:
            raws = raw_items(body, body)
        except (ValueError, RecursionError):
            load(body)  # says what is wrong, and where
            raise Unreadable(Rejected.NOT_JSON, "expected an array of events") from None
        return [bytes(raw) for raw in raws], _as_array
    if b"\n" not in body or _is_json(body):
        return [body] if body else [], _as_lines
    lines = [line for raw in body.split(b"\n") if (line := raw.strip())]
    return (lines if any(line.startswith(b"{") and _is_json(line) for line in lines) else [body]), _as_lines


def _as_array(pieces: list[bytes]) -> bytes:
    return pieces[0] if len(pieces) == 1 else b"[" + b",".join(pieces) + b"]"


def _as_lines(pieces: list[bytes]) -> bytes:
    return b"\n".join(pieces)


def _is_json(text: bytes) -> bool:
    try:
        _RAW.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
