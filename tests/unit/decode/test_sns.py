"""SNS' signatures: by a certificate that the operator gave, offline, with an age limit and a pinned topic."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from monitor.core.model.events import HOUR, MINUTE, SECOND, Instant, to_datetime
from monitor.decode.registry import verify
from monitor.decode.sns import OLDEST

NOW = Instant(1_773_144_000 * SECOND)
TOPIC = "arn:aws:sns:eu-west-1:111122223333:alarms"
URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-6aad65c2f9911b05cd53efda11f913f9.pem"
KEY = rsa.generate_private_key(65537, 2048)


def certificate(name: str = "sns.amazonaws.com", days: int = 30, issuer: str | None = None) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)])
    start = to_datetime(NOW) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(KEY.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .sign(KEY, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


PEM = certificate()


def message(version: str = "2", **more: Any) -> bytes:
    body: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "m1",
        "TopicArn": TOPIC,
        "Subject": "ALARM",
        "Message": '{"AlarmName": "x"}',
        "Timestamp": "2026-03-10T12:00:00.000Z",
        "SigningCertURL": URL,
        "SignatureVersion": version,
    } | more
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if body["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    signed = "".join(f"{name}\n{body[name]}\n" for name in names if body.get(name) is not None)
    algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 - what SNS signs with in version 1
    body["Signature"] = base64.b64encode(KEY.sign(signed.encode(), padding.PKCS1v15(), algorithm)).decode()
    return json.dumps(body).encode()


def check(secrets: list[str], body: bytes, now: Instant = NOW, **headers: str) -> str | None:
    return verify("aws", secrets, headers, body, now)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_signed_message(version: str) -> None:
    assert check([PEM], message(version)) is None
    assert check([PEM], message(version, Subject=None)) is None
    assert check([PEM], message(version).replace(b"AlarmName", b"AlarmNome")) is not None


def test_a_confirmation_is_signed_over_other_fields() -> None:
    confirmation = {"Type": "SubscriptionConfirmation", "SubscribeURL": "https://sns.x", "Token": "t"}
    asked = message(**confirmation)
    assert check([PEM], asked) is None


def test_several_certificates_while_one_replaces_the_other() -> None:
    assert check([certificate("sns.us-east-1.amazonaws.com"), PEM], message()) is None


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("https", "http"),
        URL.replace("amazonaws.com", "amazonaws.com.evil.example"),
        "https://evil.example/SimpleNotificationService-6aad65c2f9911b05cd53efda11f913f9.pem",
        URL.replace("https://", "https://x@"),
        URL.replace("amazonaws.com/", "amazonaws.com:8443/"),
        URL + "?x=1",
        "https://[",
    ],
)
def test_an_address_of_somebody_else(url: str) -> None:
    assert "SigningCertURL" in (check([PEM], message(SigningCertURL=url)) or "")


@pytest.mark.parametrize(
    ("off", "good"), [(OLDEST, True), (OLDEST + SECOND, False), (-5 * MINUTE, True), (-6 * MINUTE, False)]
)
def test_an_old_message_is_a_repetition(off: int, good: bool) -> None:
    assert (check([PEM], message(), Instant(NOW + off)) is None) == good


def test_only_the_pinned_topic() -> None:
    assert check([PEM, f"topic:{TOPIC}"], message()) is None
    assert "topic" in (check([PEM, "topic:arn:aws:sns:other"], message()) or "")
    assert "topic" in (check(["a-token", "topic:other"], message(), authorization="Bearer a-token") or "")


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        (certificate("evil.example"), "not one of SNS"),
        (certificate(days=1), "not in force"),
        (certificate() + certificate("ca.example"), "chain"),
        ("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n", "cannot be read"),
    ],
)
def test_a_certificate_that_does_not_serve(pem: str, why: str) -> None:
    assert why in (check([pem], message(), Instant(NOW + HOUR)) or "")


def test_a_chain_that_holds() -> None:
    assert check([certificate(issuer="ca.example") + certificate("ca.example")], message()) is None


def test_a_token_beside_it() -> None:
    assert check([PEM, "a-token"], b"{}", authorization="Bearer a-token") is None
    assert check(["a-token"], message()) is not None
    assert check([PEM], b"{}") is not None
    assert check([PEM], message(SignatureVersion="3")) is not None
