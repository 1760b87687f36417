"""Signatures: published test vectors, rotation, replay, and everything that must not pass."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

import pytest

from monitor.core.model.events import MINUTE, SECOND, Instant
from monitor.decode import signatures
from monitor.decode.signatures import TOLERANCE

NOW = Instant(1_773_144_000 * SECOND)
BODY = b'{"event": {"id": "1"}}'


SCHEMES = {
    "github": signatures.GITHUB,
    "pagerduty": signatures.PAGERDUTY,
    "slack": signatures.SLACK,
    "svix": signatures.STANDARD,
}


def verify(name: str, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: Instant) -> str | None:
    return signatures.verify(SCHEMES.get(name, signatures.TOKEN), secrets, headers, body, now)


def signed(secret: str, body: bytes = BODY) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


GITHUB = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_the_published_example_of_github() -> None:
    secrets = ["It's a Secret to Everybody"]
    headers = {"X-Hub-Signature-256": f"sha256={GITHUB}"}
    assert verify("github", secrets, headers, b"Hello, World!", NOW) is None
    assert verify("github", secrets, headers, b"Hello, World?", NOW) is not None
    assert verify("github", ["new", *secrets], headers, b"Hello, World!", NOW) is None


def test_github_without_a_strong_signature() -> None:
    weak = {"x-hub-signature": "sha1=" + "0" * 40}
    assert "SHA-1" in (verify("github", ["s"], weak, BODY, NOW) or "")
    assert "X-Hub-Signature-256" in (verify("github", ["s"], {}, BODY, NOW) or "")


SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_AT = Instant(1_531_420_618 * SECOND)
SLACK = {
    "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    "X-Slack-Request-Timestamp": "1531420618",
}
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def test_the_published_example_of_slack() -> None:
    assert verify("slack", [SLACK_SECRET], SLACK, SLACK_BODY, SLACK_AT) is None
    assert verify("slack", ["other"], SLACK, SLACK_BODY, SLACK_AT) is not None


@pytest.mark.parametrize(("off", "good"), [(TOLERANCE, True), (-TOLERANCE, True), (TOLERANCE + SECOND, False)])
def test_a_signed_time_limits_replay(off: int, good: bool) -> None:
    found = verify("slack", [SLACK_SECRET], SLACK, SLACK_BODY, Instant(SLACK_AT + off))
    assert (found is None) == good


@pytest.mark.parametrize("sent", ["", "soon", "-1", "1e9", "٣", "9" * 30])
def test_a_signed_time_that_is_none(sent: str) -> None:
    headers = SLACK | {"X-Slack-Request-Timestamp": sent}
    assert verify("slack", [SLACK_SECRET], headers, SLACK_BODY, SLACK_AT) is not None


def test_slack_without_headers() -> None:
    assert "X-Slack-Signature" in (verify("slack", ["s"], {}, BODY, NOW) or "")


STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_AT = Instant(1_614_265_330 * SECOND)


@pytest.mark.parametrize("prefix", ["webhook-", "svix-"])
def test_the_published_example_of_standard_webhooks(prefix: str) -> None:
    headers = {name.replace("webhook-", prefix): value for name, value in STANDARD.items()}
    assert verify("svix", [STANDARD_SECRET], headers, STANDARD_BODY, STANDARD_AT) is None
    assert verify("svix", [STANDARD_SECRET], headers, b"{}", STANDARD_AT) is not None
    assert verify("svix", [STANDARD_SECRET], headers, STANDARD_BODY, NOW) is not None
    rotated = headers | {f"{prefix}signature": "v1,AAAA v2,xx " + headers[f"{prefix}signature"]}
    assert verify("svix", [STANDARD_SECRET], rotated, STANDARD_BODY, STANDARD_AT) is None


def test_standard_webhooks_with_a_secret_of_another_form() -> None:
    secret = "not base64!"
    signature = base64.b64encode(hmac.new(secret.encode(), b"m.1773144000." + BODY, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "m", "webhook-timestamp": "1773144000", "webhook-signature": f"v1,{signature}"}
    assert verify("svix", [secret], headers, BODY, NOW) is None
    assert "webhook-id" in (verify("svix", [secret], {"webhook-id": "m"}, BODY, NOW) or "")


def test_pagerduty_accepts_any_of_its_signatures_with_any_of_our_secrets() -> None:
    headers = {"X-PagerDuty-Signature": f"v1={signed('old')}, v1={signed('new')}"}
    assert verify("pagerduty", ["new"], headers, BODY, NOW) is None
    assert verify("pagerduty", ["newest", "old"], headers, BODY, NOW) is None
    assert verify("pagerduty", ["other"], headers, BODY, NOW) is not None


@pytest.mark.parametrize("header", ["", "v2=00", "v1=", "v1=zz", "nothing"])
def test_pagerduty_with_a_bad_header(header: str) -> None:
    assert verify("pagerduty", ["s"], {"X-PagerDuty-Signature": header}, BODY, NOW) is not None
    assert verify("pagerduty", ["s"], {}, BODY, NOW) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer s3cret"},
        {"authorization": "bearer  s3cret "},
        {"X-Gitlab-Token": "s3cret"},
        {"X-API-Key": "s3cret"},
        {"X-Nearmiss-Token": "s3cret"},
        {"Authorization": "Basic " + base64.b64encode(b"alertmanager:s3cret").decode()},
    ],
)
def test_a_shared_token(headers: dict[str, str]) -> None:
    assert verify("alertmanager", ["s3cret"], headers, BODY, NOW) is None
    assert verify("alertmanager", ["new", "s3cret"], headers, BODY, NOW) is None
    assert verify("alertmanager", ["s3cret2"], headers, BODY, NOW) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic bm90aGluZw=="},
        {"X-API-Key": "ü"},
    ],
)
def test_no_shared_token(headers: dict[str, str]) -> None:
    assert verify("statuspage", ["s3cret"], headers, BODY, NOW) is not None


def test_without_a_secret_nothing_is_checked_but_an_empty_one_is_no_secret() -> None:
    assert verify("github", [], {}, BODY, NOW) is None
    assert verify("github", [""], {}, BODY, NOW) is not None


def test_no_answer_holds_a_secret() -> None:
    for vendor in ("github", "pagerduty", "slack", "svix", "events"):
        for headers in ({}, {"authorization": "Bearer x"}, {"x-hub-signature-256": "sha256=00"}, SLACK, STANDARD):
            assert "s3cret" not in (verify(vendor, ["s3cret"], headers, BODY, Instant(NOW + MINUTE)) or "")
