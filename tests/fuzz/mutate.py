"""Makes hostile bodies and headers out of good ones: on the level of bytes, of JSON, and of single values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 1e308, -0.0, 2**53, 2**63, 10**30, float("inf"), float("nan")),
    *("", " ", "null", "0", "-1", "1e999", "\u0000", "\ud800", "\u202e", "\U0001f600", "a" * 5000, "{{x}}", "${X}"),
    *("2026-03-10T12:00:00Z", "2026-W10-2T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:60+23:59", "now"),
    *("1773144000", 1_773_144_000, 1_773_144_000_000, -(10**18), "http://[", "https://x/?a=%ff&a", "nearmiss/review"),
    *([], {}, [[]], [None], [{}], {"": ""}, {"a": {"b": {"c": []}}}, ["a"] * 50, "firing", "resolved", "success"),
)
ODD_BYTES: tuple[bytes, ...] = (
    *(b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\\ud83d", b"\\u0000", b'"', b"\\", b"{", b"}", b"["),
    *(b"]", b",", b":", b"\n", b"\r\n", b"&", b"=", b"%", b"%00", b"+", b"null", b"NaN", b"1e999", b"-", b"1" * 400),
    *(b"[" * 80, b'{"a":' * 80, b" " * 100),
)
ODD_HEADERS: tuple[str, ...] = (
    *("", " ", "\xff", "http://[", "[", "]", "a" * 9000, "1", "-1", "1.0", "%", "%00", "%ff%fe", "null", "NaN", ","),
    *(";", "=", "*", "gzip", "deflate, gzip", "br", "chunked", "application/json", "application/cloudevents+json"),
    *("application/x-www-form-urlencoded", "text/plain; charset=\xe4", "Basic", "Basic !", "Basic YTpi", "Basic Og=="),
    *("Basic /w==", "Bearer", "Bearer \xff", "Digest x", "same-origin", "cross-site", "bytes=0-", "W/", "2026", "v1="),
    *("sha256=", "sha256=zz", "t=1,v1=x", "localhost:99999", "::1", "1" * 20, "nearmiss.note.added", "1e9", "0x10"),
)


def mutated_body(body: bytes, random: Random) -> bytes:
    """Another body, a little or much unlike the one given."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        body = _of_json(body, random) if random.random() < 0.7 else _of_bytes(body, random)
    return body


def mutated_headers(headers: Mapping[str, str], random: Random) -> dict[str, str]:
    """The headers with one of them odd or gone, now and then."""
    changed = dict(headers)
    if changed and random.random() < 0.3:
        name = random.choice(sorted(changed))
        if random.random() < 0.3:
            del changed[name]
        else:
            changed[name] = random.choice(ODD_HEADERS)
    return changed


def _of_bytes(body: bytes, random: Random) -> bytes:
    start = random.randrange(len(body) + 1)
    end = min(len(body), start + random.choice((0, 1, 2, 8, 64)))
    match random.randrange(4):
        case 0:
            return body[:start]
        case 1:
            return body[:start] + body[end:]
        case 2:
            return body[:start] + random.choice(ODD_BYTES) + body[end:]
        case _:
            return body[:end] + body[start:]


def _of_json(body: bytes, random: Random) -> bytes:
    try:
        value = json.loads(body)
    except ValueError:
        return _of_bytes(body, random)
    return json.dumps(_changed(value, random)).encode("utf-8", "surrogatepass")


def _changed(value: Any, random: Random) -> Any:
    """The value with one place in it changed; the way down is chosen at random, so that deep places are reached too."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(list(value))
        match random.randrange(12):
            case 0:
                return {key: item for key, item in value.items() if key != name}
            case 1:
                return {**value, random.choice((name.upper(), "", "kind", "id", "status")): value[name]}
            case _:
                return {**value, name: _changed(value[name], random)}
    if isinstance(value, list) and value and random.random() < 0.9:
        place = random.randrange(len(value))
        match random.randrange(8):
            case 0:
                return [*value[:place], *value[place + 1 :]]
            case 1:
                return [*value, value[place]]
            case _:
                return [*value[:place], _changed(value[place], random), *value[place + 1 :]]
    if isinstance(value, str) and value and random.random() < 0.3:
        cut = random.randrange(len(value))
        return value[:cut] + random.choice(("", "\u0000", "é", "/", ":", " ", value)) + value[cut + 1 :]
    return random.choice(ODD)
