"""Which decoder reads which source: a body in, events, refusals and omissions out. Never raises.

The source's name up to the first slash picks the decoder: `github/acme/checkout` is read as GitHub.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from monitor.core.events import Event, Instant
from monitor.core.reasons import Ignored, Rejected
from monitor.decode import (
    alertmanager,
    bodies,
    cdevents,
    cloudevents,
    github,
    kubernetes,
    pagerduty,
    statuspage,
)
from monitor.decode.canonical import decode_regular
from monitor.decode.jsontext import load
from monitor.decode.outcome import Outcome, Unreadable, defect, gather, left_out, refused
from monitor.decode.reading import Delivery


class _Decoder(NamedTuple):
    split: Callable[[Any, Delivery], list[Any]]
    read: Callable[[Any, Delivery], list[Event]]


_VENDORS: dict[str, _Decoder] = {
    "alertmanager": _Decoder(alertmanager.split, alertmanager.read),
    "cdevents": _Decoder(cdevents.split, cdevents.read),
    "cloudevents": _Decoder(cloudevents.split, cloudevents.read),
    "github": _Decoder(github.split, github.read),
    "kubernetes": _Decoder(kubernetes.split, kubernetes.read),
    "pagerduty": _Decoder(pagerduty.split, pagerduty.read),
    "statuspage": _Decoder(statuspage.split, statuspage.read),
}
_CANONICAL = frozenset({"canonical", "events"})
SOURCES: frozenset[str] = _CANONICAL | _VENDORS.keys()
"""The first part that a source's name may have."""


def decode(
    source: str, body: bytes, headers: Mapping[str, str] | None = None, received_at: Instant | None = None
) -> Outcome:
    """Everything that one body of `source` gives. Header names may be in any case.

    Whatever happens is in the outcome: a defect of a decoder becomes a refusal `decoder_failed` that keeps the body.
    """
    lowered = {name.lower(): value for name, value in (headers or {}).items()}
    vendor = source.partition("/")[0]
    try:
        if vendor not in SOURCES or not source.isprintable():
            known = ", ".join(sorted(SOURCES))
            return refused(Rejected.UNKNOWN_SOURCE, f"nothing reads {source!r:.80}; known are {known}", body)
        delivery = Delivery(source, lowered, received_at)
        if vendor in _CANONICAL and not cloudevents.is_binary(lowered):
            return bodies.decode(body, delivery)
        decoder = _VENDORS["cloudevents"] if cloudevents.is_binary(lowered) else _VENDORS[vendor]
        return _decode(decoder, body, delivery)
    except Unreadable as error:
        return refused(error.reason, error.detail, body)
    except Exception as error:  # noqa: BLE001 - a defect of ours must not cost the sender's bytes
        return refused(Rejected.DECODER_FAILED, defect(error), body)


def decode_plain(source: str, body: bytes, headers: Mapping[str, str]) -> Event | None:
    """The event of a body that is just one event of our own format; None where `decode` has to be asked.

    Gives the event that `decode` would give. Header names are in lower case.
    """
    if not _is_ours(source) or (headers and cloudevents.is_binary(headers)):
        return None
    return decode_regular(body)


@lru_cache(maxsize=256)
def _is_ours(source: str) -> bool:
    return source.partition("/")[0] in _CANONICAL and source.isprintable()


def _decode(decoder: _Decoder, body: bytes, delivery: Delivery) -> Outcome:
    if not body.strip():
        return left_out(Ignored.EMPTY, "the body is empty")
    pieces = decoder.split(load(_unwrapped(body, delivery.headers)), delivery)
    if not pieces:
        return left_out(Ignored.EMPTY, "the body holds nothing")
    kept = iter([body])  # once: a body of many bad pieces must not be stored many times over
    return gather(pieces, lambda piece: decoder.read(piece, delivery), lambda _: next(kept, b""))


def _unwrapped(body: bytes, headers: Mapping[str, str]) -> bytes:
    """GitHub can send its JSON as the field `payload` of a form."""
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return body
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=16)
    except (UnicodeDecodeError, ValueError):
        raise Unreadable(Rejected.NOT_AN_EVENT, "a form that cannot be read; expected a field payload") from None
    if "payload" not in fields:
        raise Unreadable(Rejected.NOT_AN_EVENT, "a form without a field payload")
    return fields["payload"][0].encode()
