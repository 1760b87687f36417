"""Reads JSON that may be hostile: bounded in size and depth, without NUL, in UTF-8.

Knows nothing of events.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from monitor.core.model.reasons import Rejected
from monitor.decode.outcome import MOST_PIECES, Unreadable, too_many

MAX_BODY_BYTES = 5 * 1024 * 1024
"""No tool's webhook that we know is larger; the receiver's own limit may be lower."""

MAX_GROUP_BYTES = 32 * 1024 * 1024
"""A tool that sends alerts in groups may have no bound of its own; such a body is read member by member."""

INLINE = 16 * 1024
"""Larger bodies are read in a thread, since nothing else is answered while the event loop reads one."""

MAX_DEPTH = 64

MOST_VALUES = 1_000_000
"""About how many values the JSON of one body may have: parsed, each takes far more memory than the byte of a `1`."""
MOST_NESTED = 200_000
"""Objects and arrays among them, through all of which the garbage collector looks at once."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_STRING_OR_BRACKET = re.compile(_STRING.pattern + rb"|[\[\]{}]", re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_SHOWN = 40
"""Bytes of a body that a message repeats."""
_FEW = 20
"""Arrays that an object of a tool has at most; where there are more, its members are counted at once."""
_BOM = b"\xef\xbb\xbf"


class _Item:
    """One of an array whose items are counted; nobody keeps it."""


def load(body: bytes, limit: int = MAX_BODY_BYTES) -> Any:
    """The JSON value of `body`.

    Raises Unreadable: too_large, nul_byte, not_utf8, too_deep or not_json, with the place in bytes where there is one.
    """
    if len(body) > limit:
        raise Unreadable(Rejected.TOO_LARGE, f"{len(body):,} bytes; at most {limit:,} are read: send it in parts")
    if (at := body.find(b"\0")) >= 0:
        raise Unreadable(Rejected.NUL_BYTE, f"a NUL byte at byte {at}; JSON text has none")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(
            Rejected.NOT_UTF8, f"byte {error.start} (0x{body[error.start]:02x}) is not UTF-8: {error.reason}"
        ) from None
    text = body.removeprefix(_BOM)
    check_values(text)
    _check_depth(text)
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        if not isinstance(error, msgspec.ValidationError) and rb"\ud" not in text.lower():
            raise _no_json(error, text) from None
        value = _load_patiently(text)
    if rb"\u0000" in text:
        _refuse_nul(value, "")
    return value


def check_values(text: bytes) -> None:
    """Raises Unreadable where the text has more values than are read, by its brackets, commas and lines."""
    nested = text.count(b"[") + text.count(b"{")
    if nested > MOST_NESTED:
        raise too_many(f"about {nested:,} objects and arrays; at most {MOST_NESTED:,}")
    found = nested + text.count(b",") + text.count(b"\n")
    if found > MOST_VALUES:
        raise too_many(f"about {found:,} values; at most {MOST_VALUES:,}")


def load_group(body: bytes, field: str) -> Any:
    """The object of `body`, with the items of the array `field` still to be read: each is a `msgspec.Raw`.

    For a large body: to read it in one piece would stop everything else for as long as that takes. Raises as `load`.
    """
    if len(body) <= MAX_GROUP_BYTES:
        try:
            check_values(body)
            parts = _PARTS.decode(body.removeprefix(_BOM))
            items = raw_items(parts.pop(field, b""), body)
        except (ValueError, RecursionError):
            return load(body, MAX_GROUP_BYTES)  # another shape, or no JSON: says which, and where
        return {field: items} | {name: load(bytes(raw)) for name, raw in parts.items()}
    return load(body, MAX_GROUP_BYTES)


def raw_items(array: bytes | msgspec.Raw, body: bytes) -> list[msgspec.Raw]:
    """The items of an array in a body, each still to be read.

    Raises Unreadable for more than `MOST_PIECES`, before they are made: half a million of them take forty times the
    memory of a text of `1,1,1`, and nobody else is served meanwhile. Raises ValueError, RecursionError as a decoder.
    """
    if body.count(b",") >= MOST_PIECES:
        # They may still be fewer, of many values each. Other threads have their turn between two of them.
        left, item = iter(range(MOST_PIECES)), _Item()

        def count(kind: type[_Item], value: object) -> _Item:
            if next(left, None) is None:
                raise too_many(f"more than {MOST_PIECES:,} pieces; at most {MOST_PIECES:,}")
            return item

        msgspec.json.decode(array, type=list[_Item], dec_hook=count)
    return _ITEMS.decode(array)


def refuse_twice(found: Any, text: bytes) -> None:
    """Raises Unreadable where an object names one of its arrays twice: only the later one would be read of it.

    `found`: what was read of `text`. Names are looked for first, and members counted only where one occurs again.
    """
    if not isinstance(found, dict):
        return
    arrays = [name for name, value in found.items() if isinstance(value, list)]
    if len(arrays) <= _FEW and not any(text.count(msgspec.json.encode(name)) > 1 for name in arrays):
        return
    members = 0

    def count(kind: type[_Item], value: object) -> _Item:
        nonlocal members
        members += 1
        return _Item()

    try:
        names = msgspec.json.decode(text.removeprefix(_BOM), type=dict[str, _Item], dec_hook=count)
    except (msgspec.MsgspecError, RecursionError):
        return  # No JSON, such as a form; or numbers that no float holds.
    if members > len(names):
        raise Unreadable(
            Rejected.NOT_AN_EVENT, f"{members} members with {len(names)} names: an array is named twice; send it once"
        )


def load_item(value: Any) -> Any:
    """An item of `load_group`. Raises as `load`."""
    return load(bytes(value)) if isinstance(value, msgspec.Raw) else value


def _check_depth(text: bytes) -> None:
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _STRING.sub(b"", text).translate(None, _NO_BRACKET):
        if bracket in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                break
        else:
            depth -= 1
    else:
        return
    _refuse_depth(text)


def _refuse_depth(text: bytes) -> None:
    """Says where it is too deep, which the quick look does not know."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        token = match.group()
        if token in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise Unreadable(
                    Rejected.TOO_DEEP, f"nested deeper than {MAX_DEPTH} at byte {match.start()}; no tool nests so deep"
                )
        elif token in (b"]", b"}"):
            depth -= 1


def _load_patiently(text: bytes) -> Any:
    """Accepts what msgspec refuses and tools do send: numbers that no float holds, and half of a surrogate pair.

    The numbers are read as their text; the halves, which come from cutting an emoji in two, are replaced.
    """
    try:
        value = json.loads(text, parse_float=_float_or_text, parse_int=_int_or_text, parse_constant=_no_constant)
    except ValueError as error:
        raise _no_json(error, text) from None
    return _repaired(value)


def _no_json(error: Exception, text: bytes) -> Unreadable:
    whole = text.strip()
    shown = whole[:_SHOWN].decode("utf-8", "replace")
    cut = "…" if len(whole) > _SHOWN else ""
    return Unreadable(Rejected.NOT_JSON, f"{error}; expected one JSON value, found {shown!r}{cut}")


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_repaired(name): _repaired(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_repaired(item) for item in value]
    return value


def _float_or_text(digits: str) -> float | str:
    number = float(digits)
    return digits if number in (float("inf"), float("-inf")) else number


def _int_or_text(digits: str) -> int | str:
    return digits if len(digits) > 300 else int(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _refuse_nul(value: Any, place: str) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise Unreadable(Rejected.NUL_BYTE, f"{place or 'the text'} has a NUL character; databases refuse it")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_nul(key, f"a name in {place or 'the object'}")
            _refuse_nul(item, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_nul(item, f"{place}[{index}]")
