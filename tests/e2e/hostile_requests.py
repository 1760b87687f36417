"""Hostile requests as they lie on the wire, to every kind of door: what no client sends, and how it is answered."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

import msgspec
import zstandard

MIB = 1 << 20
_NOTE = b'{"id":"w","source":"test","time":"2026-03-01T12:00:00Z","kind":"note.added","value":%b}'


class Request(msgspec.Struct, frozen=True):
    """The bytes of one request. `disk` and `memory` are bounds as of a `Hostile`."""

    name: str
    make: Callable[[], bytes]
    statuses: frozenset[int]
    disk: int = 8 * MIB
    memory: int = 96 * MIB


def _head(line: str, *headers: bytes, host: bytes = b"host: localhost") -> bytes:
    lines = (line.encode("latin-1") + b" HTTP/1.1", host, b"connection: close", *headers)
    return b"\r\n".join(each for each in lines if each) + b"\r\n\r\n"


def _get(path: str, *headers: bytes) -> Callable[[], bytes]:
    return lambda: _head(f"GET {path}", *headers)


def _post(path: str, body: bytes, *headers: bytes) -> bytes:
    return _head(f"POST {path}", b"content-length: %d" % len(body), *headers) + body


def _json(path: str, body: bytes) -> bytes:
    return _post(path, body, b"content-type: application/json")


def _chunked(*chunks: bytes, trailers: bytes = b"") -> bytes:
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return _head("POST /ingest/events", b"transfer-encoding: chunked") + pieces + b"0\r\n" + trailers + b"\r\n"


def _numbers(literal: bytes) -> Callable[[], bytes]:
    return lambda: _json("/ingest/events", _NOTE % literal)


def _many_alerts() -> bytes:
    alerts = [{"labels": {"alertname": f"a{n}"}, "startsAt": "2026-03-01T12:00:00Z"} for n in range(2_000)]
    return _json("/api/v2/alerts", json.dumps(alerts).encode())


def _packed(path: str, encoding: str, body: Callable[[], bytes]) -> bytes:
    return _post(path, body(), b"content-encoding: " + encoding.encode(), b"content-type: application/json")


def _zstd_bomb() -> bytes:
    return zstandard.compress(bytes(300 * MIB))


def _deflate_bomb() -> bytes:
    return zlib.compress(bytes(300 * MIB), 1)


_OK, _BAD, _ODD = frozenset({200}), frozenset({400}), frozenset({400, 404, 421, 422})
_TAKEN, _LARGE = frozenset({202}), frozenset({413})
_CE = (b"ce-specversion: 1.0", b"ce-type: nearmiss.note.added", b"ce-id: %00", b"ce-time: 9999-12-31T23:59:59-23:59")
_CLOUD = b"content-type: application/cloudevents+json"
_FORM = b"content-type: application/x-www-form-urlencoded"
_PARTS = b"content-type: multipart/form-data; boundary=x"
_COMMENT = "/near-misses/nm-1/comments"

REQUESTS: tuple[Request, ...] = (
    # Two readings of where a request ends.
    Request("two lengths", lambda: _head("POST /ingest/events", b"content-length: 5", b"content-length: 0"), _BAD),
    Request("a length with a sign", lambda: _head("POST /ingest/events", b"content-length: +5") + b"12345", _BAD),
    Request("a length beyond all numbers", lambda: _head("POST /ingest/events", b"content-length: " + b"9" * 30), _BAD),
    Request("two encodings of a transfer", lambda: _head(
        "POST /ingest/events", b"transfer-encoding: x", b"transfer-encoding: chunked") + b"0\r\n\r\n", _BAD | {501}),
    Request("a chunk of a negative size",
            lambda: _head("POST /ingest/events", b"transfer-encoding: chunked") + b"-1\r\n{}\r\n0\r\n\r\n", _BAD),
    Request("a chunk with a long extension", lambda: _head("POST /ingest/events", b"transfer-encoding: chunked")
            + b"2;" + b"a" * 200_000 + b"\r\n{}\r\n0\r\n\r\n", _BAD),
    Request("a megabyte in single bytes", lambda: _chunked(*[b" "] * 200_000), _BAD),
    Request("trailers without an end", lambda: _chunked(b"{}", trailers=b"x: y\r\n" * 5_000), _BAD | _TAKEN),
    # Heads.
    Request("a lone carriage return", _get("/", b"x: a\rb"), _BAD),
    Request("a hundred thousand headers", _get("/", *[b"x: y"] * 100_000), _BAD),
    Request("a header of a megabyte", _get("/", b"x: " + b"a" * MIB), _BAD),
    Request("no host", lambda: _head("GET /", host=b""), _BAD),
    Request("two hosts", _get("/", b"host: elsewhere"), _BAD),
    Request("the address of another site", _get("http://elsewhere/near-misses"), _ODD),
    Request("a tunnel", lambda: _head("CONNECT a:1"), frozenset({404, 405})),
    Request("an upgrade", _get("/", b"connection: upgrade", b"upgrade: websocket"), _OK),
    Request("proxies that are none",
            _get("/", b'forwarded: for="[::1";host="\xff', b"x-forwarded-for: " + b"1," * 5000), _OK),
    Request("cookies that are none", _get("/", b'cookie: nearmiss="\\303\\251\\000"; s=\xff; =; ;;;' + b"a=b;" * 4000),
            _OK),
    # Numbers and texts that nothing can hold.
    *(Request(f"the number {literal[:9].decode()}", _numbers(literal), _TAKEN)
      for literal in (b"1e999999", b"-1e999999", b"NaN", b"Infinity", b"9" * 4400, b"1" + b"0" * 100_000)),
    Request("half a character in an event", lambda: _json("/ingest/events", _NOTE.replace(b'"w"', b'"\\ud800"') % b"1"),
            _TAKEN),
    Request("every key twice", lambda: _json("/ingest/events", b"{" + b",".join([b'"id":"a"'] * 50_000) + b"}"),
            _TAKEN),
    Request("half a character in a token", lambda: _json("/api/v1/reports/follow", b'{"token":"\\ud800"}'),
            frozenset({404})),
    Request("half a character in a report",
            lambda: _json("/api/v1/reports", b'{"story":"\\ud800","service":"\\udfff"}'), frozenset({422})),
    Request("a report without an end", lambda: _json("/api/v1/reports", b'{"story":' + b"[" * 200_000), _BAD | {422}),
    Request("a version beyond all numbers",
            lambda: _json("/api/v1/near-misses/nm-1/decision", b'{"version":1e999999}'), frozenset({422})),
    # The door of Prometheus.
    Request("thousands of alerts", _many_alerts, _OK, disk=16 * MIB),
    Request("deep labels", lambda: _json("/api/v2/alerts", b'[{"labels":' + b'{"a":' * 50_000 + b"}" * 50_000 + b"}]"),
            _BAD),
    Request("a prefix of thousands of parts", lambda: _json("/ingest/" + "a/" * 2000 + "api/v2/alerts", b"[]"),
            frozenset({404})),
    Request("times at the end of all time", lambda: _json("/api/v2/alerts", json.dumps([{
        "labels": {"alertname": "x"}, "startsAt": "0000-00-00T00:00:00Z",
        "endsAt": "9999-12-31T23:59:59.999999999+23:59"}]).encode()), _BAD | _OK),
    # Envelopes.
    Request("a binary envelope at the end of all time", lambda: _post("/ingest/cloudevents", b"{}", *_CE), _TAKEN),
    Request("data that is no base64", lambda: _post("/ingest/cloudevents", b'{"specversion":"1.0","type":"x",'
            b'"id":"1","source":"a","data_base64":"\xc3\xa9' + b"A" * 400_000 + b'"}', _CLOUD), _TAKEN),
    # Packed.
    *(Request(f"a bomb of {name}, {path}", partial(_packed, path, name, body), statuses)
      for name, body in (("zstd", _zstd_bomb), ("br", partial(bytes, MIB)), ("deflate", _deflate_bomb),
                         ("gzip, gzip, gzip", bytes))
      for path, statuses in (("/ingest/events", _TAKEN | _LARGE), ("/api/v1/reports", _LARGE | _BAD | {422}))),
    # What pages and lists are asked for.
    *(Request(f"{path} {query[:20]}", _get(f"{path}?{query}"), _OK | _ODD)
      for path in ("/", "/api/v1/near-misses", "/api/v1/export.csv", "/told", "/sources", "/shift.md")
      for query in ("team=" + "a" * 5000, "team=%00&sort=%ff&service=%ED%A0%80", "after=%7B%7D&limit=1e999999",
                    "text=" + quote("(a+)+$") * 300, "&".join(f"state=s{n}" for n in range(900)))),
    *(Request(f"{path[:40]}", _get(path), _OK | _ODD | {303, 401, 403})
      for path in ("/near-misses/%00/learning.ics", "/near-misses/..%2f..%2fetc/learning.ics", "/static/%00",
                   "/static/..%2f..%2fetc/passwd", "/near-misses/nm_1/step/%ff", "/login?next=%0d%0aset-cookie:a",
                   "/login/callback?code=%00&state=%ff", "/api/v1/reports/around?seen_at=9999-12-31T23:59:59-23:59",
                   "/api/v1/near-misses/%00/export?format=%00&version=1e999&hide=%ff")),
    # Forms.
    Request("a form that is no text", lambda: _post(_COMMENT, b"text=%00%ff%ed%a0%80", _FORM), _OK | _ODD | {303}),
    Request("thousands of parts", lambda: _post(_COMMENT, b"--x\r\ncontent-disposition: form-data; name=a\r\n\r\nb\r\n"
            * 4000 + b"--x--", _PARTS), _ODD),
    Request("a part of very many headers", lambda: _post(_COMMENT, b"--x\r\n" + b"h: x\r\n" * 20_000 + b"\r\n", _PARTS),
            _ODD),
    Request("a button that nobody pressed", lambda: _post("/chat/slack/actions", b"payload=" + b"%5B" * 60_000, _FORM),
            frozenset({401, 404})),
)  # fmt: skip
