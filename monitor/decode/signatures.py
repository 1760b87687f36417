"""Whether a delivery comes from its sender: schemes over the raw bytes, each with one or several secrets.

Several secrets are accepted at once, so that a secret can be rotated. The time is an argument. Knows no tool.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from monitor.core.model.events import MINUTE, SECOND, Instant
from monitor.decode import certificates
from monitor.decode.outcome import Unreadable
from monitor.decode.times import read_time

TOLERANCE = 5 * MINUTE
"""How far a signed time may be from now, in either direction (microseconds)."""

Encoding = Literal["hex", "base64"]
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
    if certificates.admits(keys, lowered):
        return None
    shared = [key for key in keys if not key.startswith(certificates.PREFIX)]
    if not shared:
        return "no admitted client certificate: expected a trusted proxy that tells one"
    return scheme.check(shared, lowered, body, now)


def _token(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    """The secret itself in a header: anyone who knows it may send, the body is not protected."""
    said = headers.get("authorization", "")
    scheme, _, bearer = said.partition(" ")
    shown = [bearer.strip()] if scheme.lower() in ("bearer", "token") else []
    shown += _basic(bearer) if scheme.lower() == "basic" else []
    shown += [said] if said and " " not in said else []
    shown += [headers[name] for name in TOKEN_HEADERS if name in headers]
    if not shown:
        return f"no token: expected a header Authorization: Bearer, or one of {', '.join(TOKEN_HEADERS)}"
    # Every token is compared with every secret, so that the time taken does not tell which of them came close.
    matches = [hmac.compare_digest(token.encode(), secret) for token in shown for secret in secrets]
    return None if any(matches) else "the token is not the configured secret"


TOKEN_HEADERS = (
    "x-nearmiss-token",
    "x-gitlab-token",
    "x-api-key",
    "cf-webhook-auth",
    "x-honeycomb-webhook-token",
    "x-harness-webhook-token",
    "x-webhook-token",
)


def _basic(encoded: str) -> list[str]:
    """The password of HTTP Basic authentication, which many tools offer instead of a header of one's own."""
    try:
        _, found, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return []
    return [password] if found else []


def _over_body(
    header: str, prefix: str = "", algorithm: str = "sha256", encoding: Encoding = "hex", or_token: bool = False
) -> Check:
    """A scheme that signs the body and nothing else; several signatures stand between commas.

    With `or_token` the tool may sign or not, as its user likes: without a signature the secret has to come as a token.
    """

    def check(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
        given = headers.get(header)
        if given is None:
            return (
                _token(secrets, headers, body, now) if or_token else f"no signature: expected a header {shown(header)}"
            )
        expected = [encoded(sign(secret, body, algorithm), encoding) for secret in secrets]
        return any_equal(expected, _versions(given.split(","), prefix), encoding)

    return check


def _over_time(
    header: str, timestamp: str, join: bytes = b"", prefix: str = "", encoding: Encoding = "hex", lead: bytes = b""
) -> Check:
    """A scheme that signs a time of its own header with the body; what is older than `TOLERANCE` is refused."""

    def check(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
        given, sent = headers.get(header), headers.get(timestamp)
        if given is None or sent is None:
            return f"no signature: expected headers {shown(header)} and {shown(timestamp)}"
        if wrong := wrong_time(sent, now):
            return wrong
        signed = lead + sent.encode() + join + body
        return any_equal(
            [encoded(sign(key, signed), encoding) for key in secrets], _versions([given], prefix), encoding
        )

    return check


def shown(header: str) -> str:
    return "-".join(part.capitalize() for part in header.split("-"))


def _github(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    if "x-hub-signature-256" not in headers and "x-hub-signature" in headers:
        return "only the SHA-1 signature was sent, which is refused; expected X-Hub-Signature-256"
    return _over_body("x-hub-signature-256", "sha256=")(secrets, headers, body, now)


def _flux(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    """The signature names its algorithm; the provider without a signature may carry a token."""
    algorithm = headers.get("x-signature", "").partition("=")[0]
    if algorithm not in ("sha224", "sha384", "sha512"):
        algorithm = "sha256"
    return _over_body("x-signature", f"{algorithm}=", algorithm, or_token=True)(secrets, headers, body, now)


def _grafana(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    """The header of the time has no name of its own; the one that Grafana's pages use is read."""
    if GRAFANA_TIME in headers:
        return _over_time("x-grafana-alerting-signature", GRAFANA_TIME, b":")(secrets, headers, body, now)
    return _over_body("x-grafana-alerting-signature", or_token=True)(secrets, headers, body, now)


GRAFANA_TIME = "x-grafana-alerting-timestamp"


def _standard(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    """Standard Webhooks, also under the older names of Svix."""
    for prefix in ("webhook-", "svix-"):
        identity, sent = headers.get(f"{prefix}id"), headers.get(f"{prefix}timestamp")
        given = headers.get(f"{prefix}signature")
        if identity is None or sent is None or given is None:
            continue
        if wrong := wrong_time(sent, now):
            return wrong
        signed = b"%b.%b.%b" % (identity.encode(), sent.encode(), body)
        expected = [encoded(sign(key, signed), "base64") for secret in secrets for key in standard_keys(secret)]
        return any_equal(expected, _versions(given.split(), "v1,"), "base64")
    return "no signature: expected headers webhook-id, webhook-timestamp and webhook-signature"


def standard_keys(secret: bytes) -> list[bytes]:
    """The key is the base64 after `whsec_`; a secret of another form may be base64 or the key as it is."""
    encoded = secret.removeprefix(b"whsec_")
    as_it_is = [] if encoded != secret else [secret]
    try:
        return [base64.b64decode(encoded + b"=" * (-len(encoded) % 4), validate=True), *as_it_is]
    except (binascii.Error, ValueError):
        return [secret]


def _gitlab(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    """The token; newer releases sign by Standard Webhooks too, and a signature that is there has to be good."""
    if "webhook-signature" in headers:
        return _standard(secrets, headers, body, now)
    return _token(secrets, headers, body, now)


TOKEN = Scheme(
    "the secret as a token: `Authorization: Bearer …`, the password of HTTP Basic, `?token=` in the address, or one of "
    "`X-Nearmiss-Token`, `X-Gitlab-Token`, `X-Api-Key`",
    _token,
)
GITHUB = Scheme("`X-Hub-Signature-256` over the body", _github)
GITLAB = Scheme("the secret token of the webhook (`X-Gitlab-Token`), or Standard Webhooks where GitLab signs", _gitlab)
PAGERDUTY = Scheme("`X-PagerDuty-Signature` over the body", _over_body("x-pagerduty-signature", "v1="))
SLACK = Scheme(
    "`X-Slack-Signature` over the time and the body, at most five minutes old",
    _over_time("x-slack-signature", "x-slack-request-timestamp", b":", "v0=", lead=b"v0:"),
)
STANDARD = Scheme("Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`", _standard)
GRAFANA = Scheme(
    "`X-Grafana-Alerting-Signature` over the body, with its time in `X-Grafana-Alerting-Timestamp` where that header "
    "is configured; or the secret as a token",
    _grafana,
)
FLUX = Scheme("`X-Signature` over the body (provider `generic-hmac`), or the secret as a token", _flux)
SENTRY = Scheme("`Sentry-Hook-Signature` over the body", _over_body("sentry-hook-signature"))
LAUNCHDARKLY = Scheme(
    "`X-LD-Signature` over the body, or the secret as a token", _over_body("x-ld-signature", or_token=True)
)
FLAGSMITH = Scheme(
    "`X-Flagsmith-Signature` over the body, or the secret as a token",
    _over_body("x-flagsmith-signature", or_token=True),
)
TERRAFORM = Scheme(
    "`X-TFE-Notification-Signature` (SHA-512) over the body", _over_body("x-tfe-notification-signature", "", "sha512")
)
JIRA = Scheme(
    "`X-Hub-Signature` (SHA-256) over the body, or the secret as a token",
    _over_body("x-hub-signature", "sha256=", or_token=True),
)


def _versions(given: Sequence[str], prefix: str) -> list[str]:
    """The signatures of the version that we know among those that were sent."""
    return [one.strip().removeprefix(prefix) for one in given if one.strip().startswith(prefix)]


def wrong_time(sent: str, now: Instant) -> str | None:
    """Why a signed time does not serve: seconds since 1970, or RFC 3339 as Zendesk writes it."""
    if sent.isascii() and sent.isdigit() and len(sent) < 13:
        at = int(sent) * SECOND
    else:
        try:
            at = read_time(sent, "the signed time")[0]
        except Unreadable:
            return "the signed time is neither a whole number of seconds since 1970 nor RFC 3339"
    off = abs(at - now)
    if off <= TOLERANCE:
        return None
    return f"the signed time is {off // SECOND} s off; at most {TOLERANCE // SECOND} s are allowed: check both clocks"


def any_equal(expected: Sequence[str], given: Sequence[str], encoding: Encoding = "hex") -> str | None:
    plain = [one.lower() for one in given] if encoding == "hex" else given
    matches = [hmac.compare_digest(one.encode(), other.encode()) for one in plain for other in expected]
    if not matches:
        return "the signature header holds no signature of a version that we know"
    return None if any(matches) else "the signature does not match: a wrong secret, or the body was changed on its way"


def encoded(signature: bytes, encoding: Encoding) -> str:
    return signature.hex() if encoding == "hex" else base64.b64encode(signature).decode()


def sign(key: bytes, signed: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(key, signed, algorithm).digest()
