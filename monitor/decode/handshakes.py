"""What tools want to hear back before they send anything. Knows the questions, not who asks them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class _Challenge(msgspec.Struct):
    type: str = ""
    challenge: str | None = None


def echo_challenge(body: bytes, headers: Mapping[str, str]) -> dict[str, str] | None:
    """`{"type": "url_verification", "challenge": …}`, as Slack and others ask; the answer is the challenge."""
    if b"url_verification" not in body:
        return None
    try:
        asked = msgspec.json.decode(body, type=_Challenge)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if asked.type != "url_verification" or asked.challenge is None:
        return None
    return {"challenge": asked.challenge}
