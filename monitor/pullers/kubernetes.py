"""What changes in a cluster, by the API server's own lists and watches: once a list, then whatever follows it.

A place in the API's history is a resource version. Where the server no longer knows ours (410), the list is read anew,
and only what is newer than the last answer is taken from it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.asking import Ask, QueryFailed, well
from monitor.core.model.events import MINUTE, SECOND, Instant
from monitor.core.model.reasons import FeedFailure
from monitor.pullers.target import Piece, PullCursor, Target

PAGE = 100
"""Objects of one answer of a list: each may have tens of KiB."""
OVERLAP = 5 * MINUTE
"""What a list holds of the time before the last answer is taken again: clocks differ, and the same event comes once."""
_LIST, _WATCH = "list ", "watch "
_GONE = 410


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _List(msgspec.Struct, frozen=True):
    kind: str
    items: list[msgspec.Raw] | None = None
    metadata: _Metadata = _Metadata()


class _Object(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()
    code: int = 0
    message: str = ""


class _Watched(msgspec.Struct, frozen=True):
    type: str
    object: _Object


_LISTED, _LINE = msgspec.json.Decoder(_List), msgspec.json.Decoder(_Watched)


async def ask_kubernetes(ask: Ask, target: Target, cursor: PullCursor, now: Instant) -> Piece:
    """The next page of the list, or what the watch brings in the next `target.every`. Raises QueryFailed."""
    if cursor.place.startswith(_WATCH):
        return await _watch(ask, target, cursor, now)
    return await _list(ask, target, cursor, now)


async def _list(ask: Ask, target: Target, cursor: PullCursor, now: Instant) -> Piece:
    query = {"limit": str(PAGE)}
    if page := cursor.place.removeprefix(_LIST):
        query["continue"] = page
    status, body = await ask.get(_address(target), query, target.caller)
    if status == _GONE and page:
        return _anew(target, cursor)
    found = _decoded(_LISTED, well(status, body), target)
    kind = msgspec.json.encode(found.kind.removesuffix("List"))
    lines = b"\n".join(b'{"type":"ADDED","kind":%b,"object":%b}' % (kind, bytes(item)) for item in found.items or ())
    since = Instant(max(0, cursor.at - OVERLAP))
    if found.metadata.continue_:
        # The list is not whole yet: should it have to begin anew, it does so where it began.
        return Piece(target.source, lines, Instant(cursor.at), True, _LIST + found.metadata.continue_, since)
    return Piece(target.source, lines, now, True, _WATCH + found.metadata.resource_version, since)


async def _watch(ask: Ask, target: Target, cursor: PullCursor, now: Instant) -> Piece:
    place = cursor.place.removeprefix(_WATCH)
    seconds = target.every / SECOND
    query = {
        "watch": "1",
        "resourceVersion": place,
        "allowWatchBookmarks": "true",
        "timeoutSeconds": str(int(2 * seconds)),
    }
    came = await ask.lines(_address(target), query, target.caller, seconds)
    if came.status == _GONE:
        return _anew(target, cursor)
    lines: list[bytes] = []
    for line in well(came.status, came.body).splitlines():
        each = _decoded(_LINE, line, target)
        if each.type == "ERROR":
            if each.object.code != _GONE:
                raise QueryFailed(FeedFailure.REFUSED, f"{each.object.code}: {each.object.message[:300]}")
            return _anew(target, cursor, b"\n".join(lines))
        place = each.object.metadata.resource_version or place
        if each.type != "BOOKMARK":
            lines.append(line)
    # One that hangs up at once without a word is asked again later.
    has_more = bool(lines) or not came.has_ended
    return Piece(target.source, b"\n".join(lines), now, has_more, _WATCH + place)


def _anew(target: Target, cursor: PullCursor, lines: bytes = b"") -> Piece:
    """Our place is too old for the server: the list is read at the next turn."""
    return Piece(target.source, lines, Instant(cursor.at))


def _address(target: Target) -> str:
    return f"{target.url.rstrip('/')}/{target.what}"


def _decoded(decoder: msgspec.json.Decoder[Any], body: bytes, target: Target) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise QueryFailed(FeedFailure.UNREADABLE, f"{_address(target)}: no answer of a Kubernetes: {error}") from None
