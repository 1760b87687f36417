"""A sign-in provider may mean harm: what it tells that is none is refused with a reason, and lets nobody in."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from monitor.core.model.events import SECOND
from monitor.ops.clock import SystemClock
from monitor.review.sign_in.oidc import Oidc, Provider, ProviderAway, SignInFailed
from tests.support.hostile_server import ANSWERS, MIB, HostileServer, hostile_server, whole

SLOW = {"silence", "short"}
"""Of these one hears no end before the time is over."""


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with hostile_server() as found:
        yield found


def anew(server: HostileServer) -> Provider:
    """A provider of which nothing is known yet."""
    return Provider(Oidc(f"{server.address}/issuer", "nearmiss", "a secret", "http://127.0.0.1:1"))


METADATA = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def tell(server: HostileServer, keys: bytes, **changed: object) -> None:
    """A provider that is well but for what is `changed` of its metadata."""
    metadata = {"issuer": f"{server.address}/issuer", **{name: f"{server.address}/{name}" for name in METADATA}}
    server.answers["issuer"] = lambda: whole(json.dumps(metadata | changed).encode())
    server.answers["jwks_uri"] = lambda: whole(keys)


KEY = RSAKey.generate_key(2048, {"kid": "one"})
KEYS = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()
_NUMBER = base64.urlsafe_b64encode(b"\xff" * 90_000).decode().rstrip("=")
ODD_KEYS = (
    json.dumps({"keys": [{"kty": "oct", "k": "A" * 43}] * 5_000}).encode(),
    json.dumps({"keys": [{"kty": "RSA", "kid": "one", "n": _NUMBER, "e": "AQAB"}]}).encode(),
    json.dumps({"keys": [{**KEY.as_dict(private=False), "e": _NUMBER}]}).encode(),
    json.dumps({"keys": [{**KEY.as_dict(private=False), "kid": f"other {each}"} for each in range(1_000)]}).encode(),
)
DISCOVERY: dict[str, tuple[bytes, dict[str, object]]] = {
    **{f"keys {name}": (b"", {"jwks_uri": name}) for name in ANSWERS if name not in SLOW},
    "keys of ten megabytes": (b'{"keys":[' + b" " * 10 * MIB + b"]}", {}),
    "a key that is none": (b'{"keys":[{"kty":"RSA","n":[],"e":{}}]}', {}),
    "keys that are none": (b'{"keys":{"a":1}}', {}),
    "another issuer": (KEYS, {"issuer": "https://elsewhere.example"}),
    "keys in a file": (KEYS, {"jwks_uri": "file:///etc/passwd"}),
    "keys nowhere": (KEYS, {"jwks_uri": "http://["}),
    "no endpoint": (KEYS, {"authorization_endpoint": 7}),
    "an endpoint nowhere": (KEYS, {"authorization_endpoint": "http://[::1"}),
    "a script for an endpoint": (KEYS, {"authorization_endpoint": "javascript:alert(1)//"}),
}


@pytest.mark.parametrize("name", sorted(ANSWERS.keys() - SLOW))
async def test_an_answer_that_is_none_is_a_provider_that_is_away(server: HostileServer, name: str) -> None:
    server.answers["issuer"] = ANSWERS[name]
    with pytest.raises(ProviderAway):
        await anew(server).begin("/", SystemClock().now())


@pytest.mark.parametrize("name", DISCOVERY)
async def test_a_provider_that_tells_nonsense_is_one_that_is_away(server: HostileServer, name: str) -> None:
    keys, changed = DISCOVERY[name]
    if changed.get("jwks_uri") in ANSWERS:
        changed = {"jwks_uri": f"{server.address}/{quote(str(changed['jwks_uri']))}"}
    tell(server, keys, **changed)
    with pytest.raises(ProviderAway):
        await anew(server).begin("/", SystemClock().now())
    assert "elsewhere" not in server.asked


TOKENS = ("alg none", "alg hs256", "another key", "wrong nonce", "no nonce", "another audience", "another issuer",
          "expired", "from the future", "no expiry", "odd times", "deep", "long", "no token")  # fmt: skip


@pytest.mark.parametrize("keys", [KEYS, *ODD_KEYS])
async def test_keys_that_fit_nothing_let_nobody_in(server: HostileServer, keys: bytes) -> None:
    tell(server, keys)
    if keys == KEYS:
        assert await signed_in(server, "good") == "ada"
        return
    with pytest.raises((SignInFailed, ProviderAway)):
        await signed_in(server, "good")


@pytest.mark.parametrize("name", TOKENS)
async def test_a_token_that_proves_nothing_lets_nobody_in(server: HostileServer, name: str) -> None:
    tell(server, KEYS)
    with pytest.raises(SignInFailed):
        await signed_in(server, name)


@pytest.mark.parametrize(("behind", "is_taken"), [(50, True), (-50, True), (3_600, False), (-3_600, False)])
async def test_clocks_may_differ_by_a_minute(server: HostileServer, behind: int, is_taken: bool) -> None:
    """Seconds by which our clock is behind the provider's; its token is good for no longer than now."""
    tell(server, KEYS)
    if is_taken:
        assert await signed_in(server, "short-lived", behind) == "ada"
        return
    with pytest.raises(SignInFailed):
        await signed_in(server, "short-lived", behind)


async def signed_in(server: HostileServer, name: str, behind: int = 0) -> str:
    """Who is signed in by a token of this kind. Raises SignInFailed."""
    provider, now = anew(server), SystemClock().now()
    address, pending = await provider.begin("/", now)
    asked = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
    told = json.dumps({"id_token": _token(name, server, asked["nonce"])}).encode()
    server.answers["token_endpoint"] = lambda: whole(told)
    now = type(now)(now - behind * SECOND)
    return (await provider.finish({"code": "x", "state": asked["state"]}, pending, now)).subject


def _token(name: str, server: HostileServer, nonce: str) -> object:
    now = SystemClock().now() // 1_000_000
    claims: dict[str, Any] = {"iss": f"{server.address}/issuer", "aud": "nearmiss", "sub": "ada", "nonce": nonce,
                              "exp": now + 300, "iat": now, "groups": ["sre"]}  # fmt: skip
    header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
    changes: dict[str, dict[str, Any]] = {
        "wrong nonce": {"nonce": "x"},
        "no nonce": {"nonce": None},
        "another audience": {"aud": ["other"]},
        "another issuer": {"iss": "https://elsewhere.example"},
        "expired": {"exp": now - 3_600, "iat": now - 7_200},
        "from the future": {"iat": now + 36_000, "nbf": now + 36_000},
        "no expiry": {"exp": None},
        "short-lived": {"exp": now, "iat": now},
        "odd times": {"exp": "never", "iat": [], "nbf": {}},
        "long": {"groups": ["x" * 1000] * 100},
    }
    claims |= changes.get(name, {})
    claims = {key: value for key, value in claims.items() if value is not None}
    if name == "long":
        claims["sub"] = "y" * 5_000
    if name == "no token":
        return {"a": ["b"]}
    if name == "deep":
        return f"{_part(b'[' * 100_000)}.{_part(b'{' * 100_000)}.{_part(b'x')}"
    if name == "alg none":
        return f"{_part(json.dumps({'alg': 'none'}).encode())}.{_part(json.dumps(claims).encode())}."
    if name == "alg hs256":
        return f"{_part(json.dumps({'alg': 'HS256', 'kid': 'one'}).encode())}.{_part(json.dumps(claims).encode())}.AA"
    signer = RSAKey.generate_key(2048, {"kid": "one"}) if name == "another key" else KEY
    return jwt.encode(header, claims, signer)


def _part(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
