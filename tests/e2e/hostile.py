"""Hostile inputs, made when they are needed: what is sent, which answers are right, and what it may cost."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

MIB = 1 << 20
EVENT: dict[str, Any] = {
    "id": "h",
    "source": "test",
    "time": "2026-03-01T12:00:00Z",
    "kind": "note.added",
    "service": "checkout",
}
ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "service": "checkout", "padding": "x" * 600},
    "annotations": {"summary": "z" * 100},
    "startsAt": "2026-03-01T12:00:00Z",
}
_TAKEN = frozenset({202})
_REFUSED = frozenset({413})
_GZIP = {"content-encoding": "gzip"}


class Hostile(msgspec.Struct, frozen=True):
    """One request. `disk` and `memory` are bytes by which the service may grow, the latter at its peak.

    SQLite's log of what was written last takes 4 MiB of the disk by itself.
    """

    name: str
    path: str
    make: Callable[[], bytes]
    statuses: frozenset[int] = _TAKEN
    headers: Mapping[str, str] = {}
    disk: int = 8 * MIB
    memory: int = 96 * MIB


def _event(**changes: object) -> bytes:
    return json.dumps({**EVENT, **changes}).encode()


def _array(piece: bytes, count: int) -> bytes:
    return b"[" + b",".join([piece] * count) + b"]"


def _alerts(pieces: bytes) -> bytes:
    return b'{"version":"4","status":"firing","alerts":' + pieces + b"}"


def _group(count: int) -> bytes:
    return _alerts(json.dumps([{**ALERT, "fingerprint": f"{number:016x}"} for number in range(count)]).encode())


def _deflated_bomb() -> bytes:
    return zlib.compress(gzip.compress(bytes(200 * MIB), 1), 1)


def _recorded(name: str, inner: object) -> dict[str, Any]:
    return {"@timestamp": "2026-03-10T12:00:00Z", "instance": "am-0", "data": {name: inner}}


def _labels(count: int) -> dict[str, Any]:
    return {"labels": [{"key": f"k{number}", "value": "v" * 30} for number in range(count)]}


def _paged(labels: int, times: int) -> bytes:
    details = {"fingerprint": "7", "startsAt": "2026-03-10T12:00:00Z", "labels": _labels(labels)}
    return json.dumps(_recorded("notification", {
        "integration": {"name": "pagerduty"}, "reason": "NOTIFY_REASON_FIRST_NOTIFICATION",
        "alerts": [{"hash": "1", "details": details}], "firingAlerts": [{"hash": "1"}] * times,
    })).encode()  # fmt: skip


def _lines(count: int) -> bytes:
    silence = {"id": "s", "createdBy": "a" * 20, "matchers": [{"type": "TYPE_EQUAL", "name": "a", "pattern": "b"}]}
    return b"\n".join([json.dumps(_recorded("silenceCreated", {"silence": silence})).encode()] * count)


def _matchers(count: int) -> bytes:
    matchers = [{"type": "TYPE_EQUAL", "name": f"n{each}", "pattern": "p", "rendered": "n=p"} for each in range(count)]
    return json.dumps(_recorded("silenceCreated", {"silence": {"id": "s", "matchers": matchers}})).encode()


_MANY = "[" + ", ".join(["join('-', keys(@))"] * 20) + "]"
_EACH = ", ".join(f'{name}: "{_MANY}"' for name in "abcde")
MAPPINGS = {
    "laborious": f"mapping: laborious\neach: items\nevents:\n  - {{kind: alert.fired, labels: {{{_EACH}}}}}\n",
    "growing": "mapping: growing\nevents:\n  - kind: alert.fired\n"
    "    title: \"join('', items[*].join('', [a, a, a, a, a, a, a, a]))\"\n",
    "crossing": "mapping: crossing\nevents:\n  - kind: alert.fired\n"
    "    title: \"to_string(items[?contains(join(',', items[*].a), a)])\"\n",
}
"""Mappings as somebody may write them who thinks of well-meant bodies only."""


def _items(count: int, text: str = "") -> bytes:
    return json.dumps({"items": [{"a": text + str(number)} for number in range(count)]}).encode()


RECORDER = "/ingest/alertmanager-events"
EVENTS, ALERTS, GITHUB = "/ingest/events", "/ingest/alertmanager", "/ingest/github"

CORPUS: tuple[Hostile, ...] = (
    # Compression.
    Hostile("a quarter of a million empty members", EVENTS, lambda: gzip.compress(b"") * 262_144,
            headers=_GZIP, disk=16 * MIB),
    Hostile("members of one byte", EVENTS, lambda: gzip.compress(b" ") * 200_000, headers=_GZIP, disk=16 * MIB),
    Hostile("a bomb", EVENTS, lambda: gzip.compress(bytes(400 * MIB), 1), _REFUSED, _GZIP),
    Hostile("a bomb within", EVENTS, _deflated_bomb, headers={"content-encoding": "deflate"}),
    Hostile("a bomb for a group", ALERTS, lambda: gzip.compress(b" " * 400 * MIB, 1), _REFUSED, _GZIP),
    Hostile("unknown compression", EVENTS, lambda: bytes(MIB), headers={"content-encoding": "br, zstd"}),
    Hostile("members cut off", EVENTS, lambda: (gzip.compress(b" ") * 1000)[:-3], headers=_GZIP),
    # Amplification.
    Hostile("half a million ones", EVENTS, lambda: gzip.compress(_array(b"1", 500_000)), _REFUSED, _GZIP),
    Hostile("as many as are read", EVENTS, lambda: gzip.compress(_array(b"1", 50_000)), headers=_GZIP),
    Hostile("as many lines", EVENTS, lambda: gzip.compress(b"{}\n" * 50_000), headers=_GZIP),
    Hostile("half a million alerts", ALERTS, lambda: gzip.compress(_alerts(_array(b"1", 500_000))), _REFUSED, _GZIP),
    Hostile("alerts of nothing", ALERTS, lambda: gzip.compress(_alerts(_array(b"{}", 50_000))), headers=_GZIP),
    Hostile("millions of values", GITHUB, lambda: gzip.compress(_array(b"1", 2_600_000)), _REFUSED, _GZIP),
    Hostile("millions of lines", EVENTS, lambda: gzip.compress(b"{}" + b"\n" * 5_000_000 + b"{}"), _REFUSED, _GZIP),
    Hostile("spaces and a broken end", EVENTS, lambda: gzip.compress(b" " * 5_000_000 + b"x"), headers=_GZIP),
    Hostile("a broken large object", GITHUB, lambda: gzip.compress(b'{"a":"' + b"y" * 5_000_000), headers=_GZIP),
    # Nesting.
    Hostile("many brackets", EVENTS, lambda: b"[" * 190_000),
    Hostile("a million braces", GITHUB, lambda: b'{"a":' * 200_000),
    Hostile("empty arrays side by side", GITHUB, lambda: gzip.compress(_array(b"[]", 900_000)), _REFUSED, _GZIP),
    Hostile("deep alerts", ALERTS, lambda: gzip.compress(_alerts(_array(b"[" * 60 + b"]" * 60, 40_000))),
            _REFUSED, _GZIP),
    Hostile("as many as are read, deep", ALERTS,
            lambda: gzip.compress(_alerts(_array(b"[" * 60 + b"]" * 60, 3_000))), headers=_GZIP),
    # Text that a pattern takes long for.
    Hostile("spaces before an expression", ALERTS, lambda: _alerts(json.dumps(
        [{**ALERT, "generatorURL": "http://p/graph?g0.expr=" + "+" * 8000}] * 500).encode()), disk=16 * MIB),
    Hostile("brackets after an expression", ALERTS, lambda: _alerts(json.dumps(
        [{**ALERT, "generatorURL": "http://p/graph?g0.expr=x%3E1" + "+" * 3000 + ")" * 3000 + "x"}] * 500
        ).encode()), disk=16 * MIB),
    Hostile("digits without an end", EVENTS, lambda: _event()[:-1] + b',"value":' + b"9" * 900_000 + b"}"),
    Hostile("labels without a fingerprint", ALERTS, lambda: _alerts(json.dumps(
        [{**ALERT, "labels": {**ALERT["labels"], "x": "y" * 900_000}}] * 4).encode()), disk=16 * MIB),
    # Size.
    Hostile("a group of nine thousand alerts", ALERTS, lambda: _group(9000), disk=64 * MIB, memory=160 * MIB),
    Hostile("beyond the limit", EVENTS, lambda: bytes(6 * MIB), _REFUSED),
    Hostile("a form of many fields", GITHUB, lambda: b"&".join([b"a=b"] * 100_000),
            headers={"content-type": "application/x-www-form-urlencoded"}),
    Hostile("an event of many labels", EVENTS, lambda: _event(labels={f"k{n}": "v" for n in range(60_000)})),
    # The event recorder of an Alertmanager.
    Hostile("an alert whose hash is named again and again", RECORDER, lambda: _paged(30_000, 100_000), disk=16 * MIB),
    Hostile("as often, in few bytes", RECORDER, lambda: _paged(150, 500)),
    Hostile("a recorder's file", RECORDER, lambda: gzip.compress(_lines(18_000)), headers=_GZIP, disk=64 * MIB,
            memory=160 * MIB),
    Hostile("a recorder's file without an end", RECORDER, lambda: gzip.compress(_lines(60_000)), _REFUSED, _GZIP),
    Hostile("a silence of very many matchers", RECORDER, lambda: _matchers(40_000)),
    Hostile("a recorder that goes deep", RECORDER, lambda: b'{"data":' * 100_000),
    Hostile("a recorder that says nothing, often", RECORDER,
            lambda: gzip.compress(_array(b'{"data":{"a":{}}}', 45_000)), headers=_GZIP),
    # Mappings of one's own.
    Hostile("what a mapping loops over", "/ingest/laborious", lambda: _items(900)),
    Hostile("what a mapping loops over for long", "/ingest/laborious", lambda: _items(45_000)),
    Hostile("what a mapping makes grow", "/ingest/growing", lambda: _items(100, "x" * 100)),
    Hostile("what a mapping makes grow from much", "/ingest/growing", lambda: _items(100, "x" * 30_000)),
    Hostile("what a mapping compares with itself", "/ingest/crossing", lambda: _items(1_000)),
    Hostile("what a mapping compares with itself for long", "/ingest/crossing", lambda: _items(45_000, "x" * 10)),
    # Names and headers.
    Hostile("an origin that is none", EVENTS, _event, frozenset({403}), {"origin": "http://["}),
    Hostile("an address that is none", "/", bytes, frozenset({421}), {"host": "["}),
    Hostile("a length that is none", "/api/v1/reports", bytes, frozenset({400}), {"content-length": "-1"}),
    Hostile("a path of dots", "/ingest/pagerduty/%2e/acme", _event, frozenset({404})),
    Hostile("a long path", "/ingest/" + "a" * 30_000, _event, frozenset({404})),
    Hostile("a handshake in a large body", EVENTS, lambda: b'{"type":"url_verification","challenge":"c","x":"'
            + b"y" * 900_000 + b'"}'),
    Hostile("a type of content that is none", EVENTS, _event, headers={"content-type": "\xff\xfe;;="}),
    Hostile("attributes of an envelope that are none", EVENTS, lambda: b"{}",
            headers={"ce-specversion": "1.0", "ce-type": "nearmiss.note.added", "ce-id": "%ff%fe", "ce-source": "%"}),
)  # fmt: skip
