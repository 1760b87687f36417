"""Schemes that tools share but for their details: an HMAC in a header, with a signed time or without; a named token.

Everything that differs is a parameter, so that a mapping can name it. Nothing is parsed; the time is an argument.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from monitor.core.model.events import Instant
from monitor.decode.signatures import TOKEN, Encoding, Scheme, any_equal, encoded, shown, sign, wrong_time

Algorithm = Literal["sha1", "sha256", "sha512"]
Form = Literal["plain", "timestamped"]
Headers = Mapping[str, str]


class Hmac(msgspec.Struct, frozen=True, kw_only=True):
    """How a tool signs. `timestamped` is a header `t=…,v1=…`; `timestamp` is a header of its own with the time.

    What is signed is the body, or the time, `separator` and the body. `key` says how the secret becomes the key.
    """

    header: str
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    form: Form = "plain"
    timestamp: str | None = None
    separator: str = "."
    key: Literal["text", "base64"] = "text"


def hmac_scheme(how: Hmac) -> Scheme:
    """The scheme in words, and its check."""
    signed = "the body" if how.form == "plain" and how.timestamp is None else "the time and the body"
    age = "" if signed == "the body" else ", at most five minutes old"
    return Scheme(
        f"`{shown(how.header)}`: HMAC-{how.algorithm.upper()} over {signed}{age}; or the secret as a token",
        lambda secrets, headers, body, now: _check(how, secrets, headers, body, now),
    )


def named_token(header: str) -> Scheme:
    """The secret in a header of this name, or in one of those that hold a token for any tool."""
    lowered = header.lower()

    def check(secrets: Sequence[bytes], headers: Headers, body: bytes, now: Instant) -> str | None:
        given = headers.get(lowered)
        if given is None:
            wrong = TOKEN.check(secrets, headers, body, now)
            return f"no token: expected a header {shown(header)}" if wrong and wrong.startswith("no token") else wrong
        matches = [hmac.compare_digest(given.encode(), secret) for secret in secrets]
        return None if any(matches) else "the token is not the configured secret"

    return Scheme(f"`{shown(header)}`: the secret itself", check)


def _check(how: Hmac, secrets: Sequence[bytes], headers: Headers, body: bytes, now: Instant) -> str | None:
    given = headers.get(how.header)
    if given is None:
        # Many tools sign only where their user wants it; who sends the secret itself has proven to know it.
        wrong = TOKEN.check(secrets, headers, body, now)
        missing = f"no signature: expected a header {shown(how.header)}, or the secret as a token"
        return missing if wrong and wrong.startswith("no token") else wrong
    sent: str | None = None
    if how.form == "timestamped":
        parts = [part.strip().partition("=")[::2] for part in given.split(",")]
        sent = next((value for name, value in parts if name == "t"), None)
        said = [value for name, value in parts if name.startswith("v")]
        if sent is None or not said:
            return f"{shown(how.header)} is not of the form t=…,v1=…"
    else:
        said = [one.strip().removeprefix(how.prefix) for one in given.split(",")]
        if how.timestamp is not None and (sent := headers.get(how.timestamp)) is None:
            return f"no signed time: expected a header {shown(how.timestamp)}"
    if sent is not None and (wrong := wrong_time(sent, now)):
        return wrong
    signed = body if sent is None else sent.encode() + how.separator.encode() + body
    expected = [encoded(sign(_key(how, secret), signed, how.algorithm), how.encoding) for secret in secrets]
    return any_equal(expected, said, how.encoding)


def _key(how: Hmac, secret: bytes) -> bytes:
    if how.key == "text":
        return secret
    try:
        return base64.b64decode(secret + b"=" * (-len(secret) % 4), validate=True)
    except (binascii.Error, ValueError):
        return secret
