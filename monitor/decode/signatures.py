"""Whether a delivery comes from its sender: schemes over the raw bytes, each with one or several secrets.

Several secrets are accepted at once, so that a secret can be rotated. The time is an argument. Knows no tool.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from monitor.core.model.events import MINUTE, SECOND, Instant

TOLERANCE = 5 * MINUTE
"""How far a signed time may be from now, in either direction (microseconds)."""

Check = Callable[[Sequence[bytes], Mapping[str, str], bytes, Instant], str | None]


class Scheme(msgspec.Struct, frozen=True):
    """How a tool proves itself: in words for the pages, and the check."""

    about: str
    check: Check


def verify(scheme: Scheme, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    """None where the delivery is good, else why not, in words that hold no secret.

    Header names may be in any case. Without any secret nothing is checked: the caller decides whether that is allowed.
    """
    keys = [secret.encode() for secret in secrets if secret]
    if not keys:
        return "no secret is configured for this source" if secrets else None
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    return scheme.check(keys, lowered, body, now)


def _token(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    """The secret itself in a header: whoever knows it may send, the body is not protected."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    shown = [bearer.strip()] if scheme.lower() == "bearer" else []
    shown += _basic(bearer) if scheme.lower() == "basic" else []
    shown += [headers[name] for name in TOKEN_HEADERS if name in headers]
    if not shown:
        return f"no token: expected a header Authorization: Bearer, or one of {', '.join(TOKEN_HEADERS)}"
    # Every token is compared with every secret, so that the time taken does not tell which of them came close.
    matches = [hmac.compare_digest(token.encode(), secret) for token in shown for secret in secrets]
    return None if any(matches) else "the token is not the configured secret"


TOKEN_HEADERS = ("x-nearmiss-token", "x-gitlab-token", "x-api-key")


def _basic(encoded: str) -> list[str]:
    """The password of HTTP Basic authentication, which many tools offer instead of a header of one's own."""
    try:
        _, found, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return []
    return [password] if found else []


def _github(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    given = headers.get("x-hub-signature-256")
    if given is None:
        if "x-hub-signature" in headers:
            return "only the SHA-1 signature was sent, which is refused; expected X-Hub-Signature-256"
        return "no signature: expected a header X-Hub-Signature-256"
    return _hex_matches(secrets, body, [given.removeprefix("sha256=")])


def _pagerduty(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    given = headers.get("x-pagerduty-signature")
    if given is None:
        return "no signature: expected a header X-PagerDuty-Signature"
    return _hex_matches(secrets, body, _versions(given.split(","), "v1="))


def _slack(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    given, sent = headers.get("x-slack-signature"), headers.get("x-slack-request-timestamp")
    if given is None or sent is None:
        return "no signature: expected headers X-Slack-Signature and X-Slack-Request-Timestamp"
    wrong = _wrong_time(sent, now)
    return wrong or _hex_matches(secrets, b"v0:%b:%b" % (sent.encode(), body), _versions([given], "v0="))


def _standard(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    """Standard Webhooks, also under the older names of Svix."""
    for prefix in ("webhook-", "svix-"):
        identity, sent = headers.get(f"{prefix}id"), headers.get(f"{prefix}timestamp")
        given = headers.get(f"{prefix}signature")
        if identity is None or sent is None or given is None:
            continue
        if wrong := _wrong_time(sent, now):
            return wrong
        signed = b"%b.%b.%b" % (identity.encode(), sent.encode(), body)
        expected = [base64.b64encode(_hmac(key, signed)).decode() for key in map(_standard_key, secrets)]
        return _any_equal(expected, list(_versions(given.split(), "v1,")))
    return "no signature: expected headers webhook-id, webhook-timestamp and webhook-signature"


def _standard_key(secret: bytes) -> bytes:
    """The key is the base64 after `whsec_`; a secret of another form is used as it is."""
    encoded = secret.removeprefix(b"whsec_")
    try:
        return base64.b64decode(encoded + b"=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return secret


TOKEN = Scheme(
    "the secret as a token: `Authorization: Bearer …`, the password of HTTP Basic, or one of `X-Nearmiss-Token`, "
    "`X-Gitlab-Token`, `X-Api-Key`",
    _token,
)
GITHUB = Scheme("`X-Hub-Signature-256` over the body", _github)
PAGERDUTY = Scheme("`X-PagerDuty-Signature` over the body", _pagerduty)
SLACK = Scheme("`X-Slack-Signature` over the time and the body, at most five minutes old", _slack)
STANDARD = Scheme("Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`", _standard)


def _versions(given: Sequence[str], prefix: str) -> Iterator[str]:
    """The signatures of the version that we know among those that were sent."""
    return (one.strip().removeprefix(prefix) for one in given if one.strip().startswith(prefix))


def _wrong_time(sent: str, now: Instant) -> str | None:
    if not (sent.isascii() and sent.isdigit() and len(sent) < 13):
        return "the signed time is no whole number of seconds since 1970"
    off = abs(int(sent) * SECOND - now)
    if off <= TOLERANCE:
        return None
    return f"the signed time is {off // SECOND} s off; at most {TOLERANCE // SECOND} s are allowed: check both clocks"


def _hex_matches(secrets: Sequence[bytes], signed: bytes, given: Sequence[str] | Iterator[str]) -> str | None:
    return _any_equal([_hmac(secret, signed).hex() for secret in secrets], [one.lower() for one in given])


def _any_equal(expected: Sequence[str], given: Sequence[str]) -> str | None:
    matches = [hmac.compare_digest(one.encode(), other.encode()) for one in given for other in expected]
    if not matches:
        return "the signature header holds no signature of a version that we know"
    return None if any(matches) else "the signature does not match: a wrong secret, or the body was changed on its way"


def _hmac(key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, signed, hashlib.sha256).digest()
