"""What Slack sends: is it Slack's, is it fresh, and what does it say. Pure; the time is an argument."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qs

import msgspec

from monitor.core.model.events import MINUTE, SECOND, Instant
from monitor.core.model.reasons import ChatRequest

OLDEST = 5 * MINUTE
"""A request that was signed longer ago, or is so far ahead, is refused."""
Kind = Literal["actions", "commands", "events"]


class Request(msgspec.Struct, frozen=True):
    """A request of Slack: `what` is the type that it names, `key` its identity for ever, `fields` all of it."""

    kind: Kind
    what: str
    key: str
    fields: dict[str, Any]

    def text(self, *path: str) -> str:
        """The text at a place; empty where there is none."""
        found: Any = self.fields
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        return found if isinstance(found, str) else ""


class NotReadable(Exception):
    """Signed by Slack, and yet not of a form that is known here."""


def check_signature(secret: str, headers: Mapping[str, str], body: bytes, now: Instant) -> ChatRequest | None:
    """None where the bytes are Slack's and fresh, else why not. Nothing is parsed before."""
    stamp = headers.get("x-slack-request-timestamp", "")
    given = headers.get("x-slack-signature", "")
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12 and given):
        return ChatRequest.UNSIGNED
    signed = b"v0:" + stamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return ChatRequest.UNSIGNED
    return ChatRequest.STALE if abs(now - int(stamp) * SECOND) > OLDEST else None


def read(kind: Kind, body: bytes, signature: str) -> Request:
    """What a checked request says. Raises NotReadable."""
    mark = hashlib.sha256(signature.encode()).hexdigest()
    if kind == "events":
        fields = _object(body)
        event_id = fields.get("event_id")
        key = f"event:{event_id}" if isinstance(event_id, str) and event_id else f"signed:{mark}"
        return Request(kind, str(fields.get("type", ""))[:100], key[:255], fields)
    form = _form(body)
    if kind == "commands":
        return Request(kind, form.get("command", "")[:100], f"signed:{mark}", dict(form))
    fields = _object(form.get("payload", "").encode())
    return Request(kind, str(fields.get("type", ""))[:100], f"signed:{mark}", fields)


def _form(body: bytes) -> dict[str, str]:
    try:
        parsed = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise NotReadable(f"no form: {error}") from error
    return {name: values[0] for name, values in parsed.items()}


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotReadable(f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise NotReadable("no object")
    return found
