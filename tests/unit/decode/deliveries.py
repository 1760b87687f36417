"""What the tests of decoders share: a body in, its outcome or its one event out."""

from __future__ import annotations

import json
from typing import Any

from monitor.core.model.events import SECOND, Event, Instant, to_text
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.canonical import decode_line, encode
from monitor.decode.outcome import DecodeOutcome
from monitor.decode.registry import decode

RECEIVED_AT = Instant(1_773_144_000 * SECOND)


def outcome(
    source: str, body: Any, headers: dict[str, str] | None = None, received_at: Instant = RECEIVED_AT
) -> DecodeOutcome:
    found = decode(source, body if isinstance(body, bytes) else json.dumps(body).encode(), headers or {}, received_at)
    assert all(decode_line(encode(event)) == event for event in found.events)
    return found


def events(source: str, body: Any, headers: dict[str, str] | None = None) -> tuple[Event, ...]:
    found = outcome(source, body, headers)
    assert (found.refusals, found.skipped) == ((), ())
    return found.events


def event(source: str, body: Any, headers: dict[str, str] | None = None) -> Event:
    (one,) = events(source, body, headers)
    return one


def left_out(source: str, body: Any, headers: dict[str, str] | None = None) -> Ignored:
    found = outcome(source, body, headers)
    assert (found.events, found.refusals) == ((), ())
    (skipped,) = found.skipped
    assert skipped.detail
    return skipped.reason


def refused(source: str, body: Any, headers: dict[str, str] | None = None) -> Rejected:
    found = outcome(source, body, headers)
    assert (found.events, found.skipped) == ((), ())
    (refusal,) = found.refusals
    assert refusal.detail
    return refusal.reason


def at(found: Event) -> str | None:
    return to_text(found.time)
