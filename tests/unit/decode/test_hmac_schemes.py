"""Declared schemes: good and bad deliveries of each form, rotation, age, and the secret as a token."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from monitor.core.model.events import MINUTE, SECOND, Instant, to_text
from monitor.decode.hmac_schemes import Hmac, hmac_scheme, named_token
from monitor.decode.signatures import Scheme, verify

NOW = Instant(1_772_359_200 * SECOND)
BODY = b'{"state": "down"}'
SECRET = "s3cret"
SENT = str(NOW // SECOND)


def sign(signed: bytes, algorithm: str = "sha256", secret: bytes = SECRET.encode()) -> bytes:
    return hmac.new(secret, signed, getattr(hashlib, algorithm)).digest()


def wrong(scheme: Scheme, headers: dict[str, str], body: bytes = BODY, *secrets: str) -> str | None:
    return verify(scheme, secrets or (SECRET,), headers, body, NOW)


@pytest.mark.parametrize(
    ("how", "headers"),
    [
        (Hmac(header="x-sig"), {"X-Sig": sign(BODY).hex()}),
        (Hmac(header="x-sig"), {"X-Sig": sign(BODY).hex().upper()}),
        (Hmac(header="x-sig"), {"X-Sig": f"{'0' * 64},{sign(BODY).hex()}"}),
        (Hmac(header="x-sig", algorithm="sha1", prefix="sha1="), {"X-Sig": "sha1=" + sign(BODY, "sha1").hex()}),
        (Hmac(header="x-sig", algorithm="sha512"), {"X-Sig": sign(BODY, "sha512").hex()}),
        (Hmac(header="x-sig", encoding="base64"), {"X-Sig": base64.b64encode(sign(BODY)).decode()}),
        (
            Hmac(header="x-sig", form="timestamped", separator=""),
            {"X-Sig": f"t={SENT}, v1={sign(SENT.encode() + BODY).hex()}"},
        ),
        (
            Hmac(header="x-sig", timestamp="x-time", separator=":"),
            {"X-Time": SENT, "X-Sig": sign(SENT.encode() + b":" + BODY).hex()},
        ),
        (
            Hmac(header="x-sig", timestamp="x-time", separator="", encoding="base64"),
            {
                "X-Time": str(to_text(NOW)),
                "X-Sig": base64.b64encode(sign(str(to_text(NOW)).encode() + BODY)).decode(),
            },
        ),
        (
            Hmac(header="authorization", prefix="HMAC ", encoding="base64", key="base64"),
            {"Authorization": "HMAC " + base64.b64encode(sign(BODY, secret=base64.b64decode("c2VjcmV0"))).decode()},
        ),
        (Hmac(header="x-sig"), {"Authorization": f"Bearer {SECRET}"}),
    ],
)
def test_good_deliveries(how: Hmac, headers: dict[str, str]) -> None:
    secret = "c2VjcmV0" if how.key == "base64" else SECRET
    assert wrong(hmac_scheme(how), headers, BODY, "an older one", secret) is None
    if "Bearer" not in str(headers):
        assert wrong(hmac_scheme(how), headers, BODY + b" ", secret) is not None
    assert wrong(hmac_scheme(how), headers, BODY, "another") is not None


@pytest.mark.parametrize(
    ("how", "headers", "said"),
    [
        (Hmac(header="x-sig"), {}, "no signature: expected a header X-Sig"),
        (Hmac(header="x-sig"), {"Authorization": "Bearer other"}, "the token is not"),
        (Hmac(header="x-sig"), {"X-Sig": ""}, "does not match"),
        (Hmac(header="x-sig", form="timestamped"), {"X-Sig": "v1=00"}, "not of the form t=…,v1=…"),
        (Hmac(header="x-sig", timestamp="x-time"), {"X-Sig": "00"}, "no signed time: expected a header X-Time"),
        (
            Hmac(header="x-sig", timestamp="x-time"),
            {"X-Sig": "00", "X-Time": "soon"},
            "neither a whole number of seconds",
        ),
        (Hmac(header="x-sig", timestamp="x-time"), {"X-Sig": "00", "X-Time": ""}, "neither a whole number of seconds"),
    ],
)
def test_bad_deliveries_say_why(how: Hmac, headers: dict[str, str], said: str) -> None:
    found = wrong(hmac_scheme(how), headers)
    assert found is not None
    assert said in found
    assert SECRET not in found


def test_a_signed_time_may_be_five_minutes_off_and_no_more() -> None:
    scheme = hmac_scheme(Hmac(header="x-sig", form="timestamped"))
    for off, good in ((0, True), (5 * MINUTE, True), (5 * MINUTE + SECOND, False), (-5 * MINUTE - SECOND, False)):
        sent = str((NOW + off) // SECOND)
        headers = {"X-Sig": f"t={sent},v1={sign(sent.encode() + b'.' + BODY).hex()}"}
        assert (wrong(scheme, headers) is None) is good


def test_a_token_in_a_header_of_its_own() -> None:
    scheme = named_token("Cf-Webhook-Auth")
    assert wrong(scheme, {"cf-webhook-auth": SECRET}) is None
    assert wrong(scheme, {"authorization": f"Bearer {SECRET}"}) is None
    assert wrong(scheme, {"cf-webhook-auth": "other"}) == "the token is not the configured secret"
    assert wrong(scheme, {}) == "no token: expected a header Cf-Webhook-Auth"


def test_schemes_are_told_in_words() -> None:
    assert hmac_scheme(Hmac(header="x-sig", algorithm="sha1")).about.startswith("`X-Sig`: HMAC-SHA1 over the body")
    assert "at most five minutes old" in hmac_scheme(Hmac(header="x-sig", form="timestamped")).about
