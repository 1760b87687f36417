"""Whether a message of Amazon SNS was signed by a certificate that the operator trusts; nothing is ever fetched.

A secret of AWS may be a token, the signing certificate as PEM (with its chain behind it, if you like), or
`topic:ARN`, which admits that topic alone.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from monitor.core.model.events import HOUR, Instant, to_instant
from monitor.decode.outcome import Unreadable
from monitor.decode.signatures import TOKEN, TOLERANCE, Scheme
from monitor.decode.times import read_time

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

OLDEST = HOUR + TOLERANCE
"""SNS tries to deliver for an hour, always with the time of publication."""

_PEM = b"-----BEGIN CERTIFICATE-----"
_TOPIC = b"topic:"
_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?")
_PATH = re.compile(r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem")
_OWNER = re.compile(r"sns(?:\.[a-z0-9-]{1,40})?\.amazonaws\.com(?:\.cn)?")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


class _Envelope(msgspec.Struct, rename="pascal"):
    type: str
    message: str
    message_id: str
    timestamp: str
    topic_arn: str
    signature: str
    signature_version: str
    signing_cert_url: str = msgspec.field(name="SigningCertURL")
    subject: str | None = None
    token: str | None = None
    subscribe_url: str | None = msgspec.field(name="SubscribeURL", default=None)


def _check(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    certificates = [secret for secret in secrets if secret.lstrip().startswith(_PEM)]
    topics = [secret.removeprefix(_TOPIC).decode() for secret in secrets if secret.startswith(_TOPIC)]
    tokens = [secret for secret in secrets if secret not in certificates and not secret.startswith(_TOPIC)]
    by_token = TOKEN.check(tokens, headers, body, now) if tokens else "no secret that could be a token is configured"
    if by_token is None and not topics:
        return None
    envelope = _envelope(body)
    if envelope is None:
        return by_token if not topics else by_token or "no message of SNS, and only named topics are admitted"
    if topics and envelope.topic_arn not in topics:
        return "the topic is none of those that are admitted"
    return None if by_token is None else _signed(envelope, certificates, now) if certificates else by_token


def _envelope(body: bytes) -> _Envelope | None:
    try:
        return msgspec.json.decode(body, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _signed(envelope: _Envelope, certificates: Sequence[bytes], now: Instant) -> str | None:
    if (wrong := _wrong_address(envelope.signing_cert_url)) or (wrong := _wrong_age(envelope.timestamp, now)):
        return wrong
    if envelope.signature_version not in ("1", "2"):
        return f"signature version {envelope.signature_version!r:.20} is not known; expected 1 or 2"
    try:
        signature = base64.b64decode(envelope.signature, validate=True)
    except (binascii.Error, ValueError):
        return "the signature is not base64"
    reasons = [_verify(pem, signature, _text(envelope), envelope.signature_version, now) for pem in certificates]
    return None if None in reasons else reasons[0]


def _wrong_address(url: str) -> str | None:
    """The rule for the address of a certificate, which is checked although nobody goes there."""
    if is_of_sns(url) and _PATH.fullmatch(urlsplit(url).path) and not urlsplit(url).query:
        return None
    return "SigningCertURL is not at https://sns.REGION.amazonaws.com: not a message of SNS"


def is_of_sns(url: str) -> bool:
    """Whether an address is one of SNS itself, by HTTPS and without anything odd in it."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and parts.port is None and "@" not in parts.netloc
    except ValueError:
        return False
    return is_plain and _HOST.fullmatch(parts.hostname or "") is not None


def _wrong_age(timestamp: str, now: Instant) -> str | None:
    try:
        at = read_time(timestamp, "Timestamp")[0]
    except Unreadable as error:
        return error.detail
    if -TOLERANCE <= now - at <= OLDEST:
        return None
    return "the signed Timestamp is too old, or ahead of our clock: a repetition, or check both clocks"


def _text(envelope: _Envelope) -> bytes:
    """What is signed: names and values in a fixed order, a line each; the subject only where there is one."""
    said = {name: getattr(envelope, field.name) for field, name in _names()}
    names = _NOTIFICATION if envelope.type == "Notification" else _CONFIRMATION
    return "".join(f"{name}\n{said[name]}\n" for name in names if said[name] is not None).encode()


def _names() -> Iterator[tuple[msgspec.structs.FieldInfo, str]]:
    return ((field, field.encode_name) for field in msgspec.structs.fields(_Envelope))


def _verify(pem: bytes, signature: bytes, signed: bytes, version: str, now: Instant) -> str | None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificates

    try:
        chain = load_pem_x509_certificates(pem)
    except ValueError:
        return "the configured certificate cannot be read; expected PEM"
    if (wrong := _wrong_chain(chain, now)) is not None:
        return wrong
    key = chain[0].public_key()
    if not isinstance(key, RSAPublicKey):
        return "the configured certificate has no RSA key"
    algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 - what SNS signs with in version 1
    try:
        key.verify(signature, signed, PKCS1v15(), algorithm)
    except InvalidSignature:
        return "the signature does not match: another certificate, or the message was changed on its way"
    return None


def _wrong_chain(chain: Sequence[Certificate], now: Instant) -> str | None:
    """The first certificate has to be of SNS and in force, and each issued by the one behind it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509.oid import NameOID

    names = [str(one.value) for one in chain[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if not any(_OWNER.fullmatch(name) for name in names):
        return "the configured certificate is not one of SNS"
    leaf = chain[0]
    if not to_instant(leaf.not_valid_before_utc) <= now <= to_instant(leaf.not_valid_after_utc):
        return "the configured certificate is not in force; take the present one of SNS"
    for issued, issuer in pairwise(chain):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            return "the configured chain does not hold: a certificate is not issued by the one behind it"
    return None


SNS = Scheme(
    "the secret as a token; or SNS' own signature, where a secret is its signing certificate (PEM). A secret "
    "`topic:ARN` admits that topic alone",
    _check,
)
