"""The headers by which a tool proves itself, made from a secret: for a sample that is sent in its place.

The other side of `signatures`; knows no tool but by its scheme.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.core.model.events import SECOND, Instant
from monitor.decode import certificates, signatures
from monitor.decode.signatures import Scheme, encoded, sign, standard_keys

Headers = dict[str, str]
_Make = Callable[[bytes, bytes, int], Headers]


def _slack(key: bytes, body: bytes, second: int) -> Headers:
    signed = sign(key, b"v0:%d:%b" % (second, body))
    return {"x-slack-request-timestamp": str(second), "x-slack-signature": f"v0={signed.hex()}"}


def _standard(key: bytes, body: bytes, second: int) -> Headers:
    identity = f"msg_check_{second}"
    signed = sign(standard_keys(key)[0], b"%b.%d.%b" % (identity.encode(), second, body))
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(second),
        "webhook-signature": f"v1,{encoded(signed, 'base64')}",
    }


_MADE: Mapping[Scheme, _Make] = {
    signatures.GITHUB: lambda key, body, _: {"x-hub-signature-256": f"sha256={sign(key, body).hex()}"},
    signatures.PAGERDUTY: lambda key, body, _: {"x-pagerduty-signature": f"v1={sign(key, body).hex()}"},
    signatures.SENTRY: lambda key, body, _: {"sentry-hook-signature": sign(key, body).hex()},
    signatures.TERRAFORM: lambda key, body, _: {"x-tfe-notification-signature": sign(key, body, "sha512").hex()},
    signatures.SLACK: _slack,
    signatures.STANDARD: _standard,
}


def proof(scheme: Scheme, secret: str, body: bytes, now: Instant) -> Headers | None:
    """The headers; None where the secret is no shared one, or only the tool itself can sign."""
    if secret.encode().startswith(certificates.PREFIX):
        return None
    make = _MADE.get(scheme)
    ways = [make(secret.encode(), body, now // SECOND)] if make else []
    # Some tools sign in `Authorization`, where a token is none.
    ways += [{"authorization": f"Bearer {secret}"}, {"x-nearmiss-token": secret}]
    return next((way for way in ways if signatures.verify(scheme, [secret], way, body, now) is None), None)
