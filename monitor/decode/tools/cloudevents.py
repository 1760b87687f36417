"""CloudEvents 1.0 over HTTP: structured, binary (attributes in `ce-` headers) and batch.

A type `nearmiss.<kind>` carries an event of our own, `dev.cdevents.…` a CDEvent; other types are counted, not used.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import unquote

from monitor.core.model.events import Event, Kind, to_text
from monitor.core.model.reasons import Ignored, Mark, Rejected
from monitor.decode.canonical import decode_value
from monitor.decode.jsontext import load
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.reading import Delivery, mapping, not_the_shape, text
from monitor.decode.tool import Sample, Tool
from monitor.decode.tools import cdevents

PREFIX = "nearmiss."
_ENVELOPE = frozenset(
    ("specversion", "type", "source", "id", "time", "subject", "data", "data_base64", "datacontenttype", "dataschema")
)


def is_cloud_event(value: Any) -> bool:
    return isinstance(value, dict) and "specversion" in value and "type" in value


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the headers are the envelope. The content type decides: a structured event may have `ce-` headers too."""
    if headers.get("content-type", "").lstrip().lower().startswith("application/cloudevents"):
        return False
    return "ce-type" in headers or "ce-specversion" in headers


def is_ours(headers: Mapping[str, str]) -> bool:
    """Whether the envelope in the headers is of a type that is read here; a cloud sends its own types so too."""
    return headers.get("ce-type", PREFIX).startswith((PREFIX, "dev.cdevents."))


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The envelopes of a body: one, or those of a batch; in binary mode the headers are the envelope."""
    if is_binary(delivery.headers):
        attributes = {
            name.removeprefix("ce-"): unquote(value)
            for name, value in delivery.headers.items()
            if name.startswith("ce-")
        }
        if any("\0" in value for value in attributes.values()):
            raise Unreadable(Rejected.NUL_BYTE, "a ce- header has a NUL character; databases refuse it")
        return [{**attributes, "data": body}]
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        raise not_the_shape("a CloudEvent or a batch of them", body)
    return [body]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The events of one CloudEvent. Raises Unreadable or NoEvent."""
    if not is_cloud_event(piece):
        raise not_the_shape("a CloudEvent with specversion, type, source and id", piece)
    version = text(piece["specversion"]) or ""
    if not version.startswith("1."):
        raise Unreadable(Rejected.NOT_AN_EVENT, f"specversion {version!r:.20} is not read; expected 1.0")
    type_name = text(piece["type"]) or ""
    for name in ("id", "source"):
        if text(piece.get(name)) is None:
            raise Unreadable(Rejected.MISSING_FIELD, f"{name} is missing; expected id, source, specversion and type")
    if type_name.startswith(PREFIX):
        return [_own(piece, type_name.removeprefix(PREFIX), delivery)]
    if type_name.startswith("dev.cdevents."):
        return _cdevent(piece, delivery)
    raise NoEvent(Ignored.UNKNOWN_TYPE, f"type {type_name!r:.120} is neither {PREFIX}<kind> nor dev.cdevents.…")


def _own(piece: Mapping[str, Any], kind: str, delivery: Delivery) -> Event:
    """The envelope's identity, time and subject go before what `data` says; extensions are kept as labels."""
    data = _data(piece)
    if data is not None and not isinstance(data, dict):
        raise not_the_shape("data to be an object with the fields of an event", data)
    extensions = {name: value for name, value in piece.items() if name not in _ENVELOPE}
    event = {**extensions, **(data or {}), "id": piece["id"], "source": piece["source"], "kind": kind}
    for name in ("time", "subject"):
        if piece.get(name) is not None:
            event[name] = piece[name]
    if event.get("time") is None and delivery.received_at is not None:
        event["time"] = to_text(delivery.received_at)
        marks = event.get("marks")
        event["marks"] = [*(marks if isinstance(marks, list) else []), str(Mark.TIME_FROM_RECEIPT)]
    return decode_value(event)


def _cdevent(piece: Mapping[str, Any], delivery: Delivery) -> list[Event]:
    data = mapping(_data(piece))
    context = {
        "id": piece["id"],
        "source": piece["source"],
        "type": piece["type"],
        "timestamp": piece.get("time"),
        **{name: value for name, value in mapping(data.get("context")).items() if value is not None},
    }
    return cdevents.read({**data, "context": context}, delivery)


def _data(piece: Mapping[str, Any]) -> Any:
    encoded = piece.get("data_base64")
    if encoded is None:
        return piece.get("data")
    try:
        return load(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise Unreadable(Rejected.NOT_AN_EVENT, "data_base64 is not base64; expected JSON, encoded") from None


_SAMPLE = """{"specversion": "1.0", "id": "c1", "source": "/desk", "type": "nearmiss.note.added",
 "time": "2026-03-10T12:00:00Z", "data": {"service": "payments", "title": "odd: the queue is stuck"}}"""

_SETUP = """
Point the sink at `/ingest/cloudevents`. Structured, binary and batch mode are read, and the webhook handshake
(`OPTIONS`) is answered. The content type decides the mode: `application/cloudevents+json` is structured even where
`ce-` headers stand beside it. A type `nearmiss.KIND` carries an event of your own.
"""

TOOL = Tool(
    name="cloudevents",
    title="CloudEvents",
    tells="events of your own, and CDEvents",
    kinds=get_args(Kind),
    sample=Sample(_SAMPLE, ("note.added",)),
    setup=_SETUP,
    limits=("Types that are neither `nearmiss.KIND` nor CDEvents are counted as unknown.",),
    split=split,
    read=read,
)
