"""Turns the bytes of a body into one JSON value: plain JSON, JSON in a field of a form, or JSON Lines.

Knows no tool. A line that is no JSON costs only itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from monitor.core.model.reasons import Rejected
from monitor.decode.jsontext import MAX_BODY_BYTES, load
from monitor.decode.outcome import Unreadable

MOST_FIELDS = 64
"""Fields of a form; what tools send has fewer."""


class BadLine(msgspec.Struct, frozen=True):
    """A line among JSON Lines that cannot be read, and why."""

    error: Unreadable


def one_json(body: bytes, headers: Mapping[str, str]) -> Any:
    """The JSON of a body, which may stand in the field `payload` of a form. Raises Unreadable."""
    if not is_form(headers) or body.lstrip()[:1] in (b"{", b"["):
        # curl calls everything a form that is not said to be something else.
        return load(body)
    fields = form(body)
    if "payload" not in fields:
        raise Unreadable(Rejected.NOT_AN_EVENT, "a form without a field payload")
    return load(fields["payload"].encode())


def json_or_form(body: bytes, headers: Mapping[str, str]) -> Any:
    """As `json_lines`, or the fields of a form that holds no payload. Raises Unreadable."""
    if is_form(headers) and body.lstrip()[:1] not in (b"{", b"[") and "payload" not in (fields := form(body)):
        return fields
    return json_lines(body, headers)


def json_lines(body: bytes, headers: Mapping[str, str]) -> Any:
    """The JSON of a body, or the list of its lines where each line is JSON of its own. Raises Unreadable."""
    try:
        return one_json(body, headers)
    except Unreadable as error:
        lines = [line for raw in body.split(b"\n") if (line := raw.strip())]
        if error.reason in (Rejected.TOO_LARGE, Rejected.NUL_BYTE) or len(lines) < 2 or len(body) > MAX_BODY_BYTES:
            raise
        found = [_line(line) for line in lines]
        if all(isinstance(value, BadLine) for value in found):
            raise
        return found


def _line(line: bytes) -> Any:
    try:
        return load(line)
    except Unreadable as error:
        return BadLine(error)


def is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def form(body: bytes) -> dict[str, str]:
    """The first value of each field of a form. Raises Unreadable."""
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=True, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except (UnicodeDecodeError, ValueError):
        raise Unreadable(Rejected.NOT_AN_EVENT, "a form that cannot be read; expected a field payload") from None
    found = {name: values[0] for name, values in fields.items()}
    for name, value in found.items():
        if "\0" in name or "\0" in value:
            raise Unreadable(Rejected.NUL_BYTE, "a field of the form has a NUL character; databases refuse it")
    return found
