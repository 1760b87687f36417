"""Sign-in by an OpenID Connect provider: the code flow with PKCE, state and nonce, and an ID token that is checked.

Knows the provider and nothing of sessions. What it cannot prove, it refuses with a reason.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from authlib.common.security import generate_token
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response, prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from monitor.asking import OK, Caller, QueryFailed, Web
from monitor.core.model.events import HOUR, SECOND, Instant

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
LEEWAY = 60
"""Seconds that the clocks of provider and service may differ."""
_SECONDS = 10.0
_KEPT_FOR = HOUR
_MOST_BYTES = 512 * 1024
_LONGEST_NAME = 255


class SignInFailed(Exception):
    """The provider's answer proves nothing; the message says why, without any secret."""


class ProviderAway(Exception):
    """The provider does not answer, or not with what it should."""


class Oidc(msgspec.Struct, frozen=True):
    """`address`: where browsers reach this service; `groups`: the claim with the groups of a person."""

    issuer: str
    client_id: str
    client_secret: str
    address: str
    scope: str = "openid profile email"
    groups: str = "groups"


class Pending(msgspec.Struct, frozen=True):
    """A sign-in that has begun; the browser holds it until it comes back."""

    state: str
    nonce: str
    verifier: str
    next: str

    def to_text(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode()

    @classmethod
    def from_text(cls, text: str) -> Pending | None:
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(text), type=cls)
        except (msgspec.MsgspecError, binascii.Error, ValueError):
            return None


class Claimed(msgspec.Struct, frozen=True):
    """Who the provider says it is. `name` is for showing: its owner can change it; `subject` stays."""

    subject: str
    name: str
    groups: tuple[str, ...]


class Provider:
    """One provider. Its metadata and keys are kept for an hour."""

    def __init__(self, oidc: Oidc) -> None:
        self.oidc = oidc
        self._known: tuple[Instant, dict[str, Any], KeySet] | None = None

    @property
    def redirect_uri(self) -> str:
        return f"{self.oidc.address.rstrip('/')}/login/callback"

    async def begin(self, next_path: str, now: Instant) -> tuple[str, Pending]:
        """Where to send the browser, and what it is to bring back. Raises ProviderAway."""
        metadata, _ = await self._provider(now)
        pending = Pending(generate_token(32), generate_token(32), generate_token(64), next_path)
        address = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self.oidc.client_id,
            "code",
            redirect_uri=self.redirect_uri,
            scope=self.oidc.scope,
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
        )
        return str(address), pending

    async def finish(self, query: dict[str, str], pending: Pending, now: Instant) -> Claimed:
        """Raises SignInFailed, ProviderAway."""
        if "error" in query:
            raise SignInFailed(f"the provider refused: {query['error'][:100]}")
        try:
            answer = parse_authorization_code_response(f"{self.redirect_uri}?{urlencode(query)}", state=pending.state)
        except OAuth2Error as error:
            raise SignInFailed("the answer does not belong to a sign-in that was begun in this browser") from error
        metadata, _ = await self._provider(now)
        tokens = await self._json(
            metadata["token_endpoint"],
            {
                "grant_type": "authorization_code",
                "code": answer["code"],
                "redirect_uri": self.redirect_uri,
                "code_verifier": pending.verifier,
            },
        )
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise SignInFailed("the provider gave no ID token")
        return self._claimed(await self._checked(token, pending, now))

    async def _checked(self, token: str, pending: Pending, now: Instant) -> CodeIDToken:
        decoded = None
        for fresh in (False, True):
            _, keys = await self._provider(now, fresh=fresh)
            try:
                decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
                break
            except (JoseError, ValueError) as error:
                # The provider may have changed its keys since they were fetched.
                if fresh:
                    raise SignInFailed("the ID token is not signed by the provider") from error
        assert decoded is not None
        options = {
            "iss": {"essential": True, "value": self.oidc.issuer},
            "aud": {"essential": True, "value": self.oidc.client_id},
            "nonce": {"essential": True, "value": pending.nonce},
            **{name: {"essential": True} for name in ("sub", "exp", "iat")},
        }
        params = {"nonce": pending.nonce, "client_id": self.oidc.client_id}
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        try:
            claims.validate(now=now // SECOND, leeway=LEEWAY)
        except Exception as error:
            raise SignInFailed(f"the ID token does not hold: {error}") from error
        return claims

    def _claimed(self, claims: CodeIDToken) -> Claimed:
        """Raises SignInFailed."""
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_NAME:
            raise SignInFailed("the ID token names nobody")
        groups = claims.get(self.oidc.groups)
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        names = (claims.get("preferred_username"), claims.get("email"))
        name = next((name for name in names if isinstance(name, str) and name.strip()), subject)
        return Claimed(subject, name[:_LONGEST_NAME], tuple(group for group in listed if isinstance(group, str)))

    async def _provider(self, now: Instant, *, fresh: bool = False) -> tuple[dict[str, Any], KeySet]:
        if self._known is not None and not fresh and now - self._known[0] < _KEPT_FOR:
            return self._known[1], self._known[2]
        metadata = await self._json(f"{self.oidc.issuer.rstrip('/')}/.well-known/openid-configuration")
        if metadata.get("issuer") != self.oidc.issuer:
            raise ProviderAway(f"the provider calls itself {metadata.get('issuer')!r}; expected {self.oidc.issuer!r}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not _is_address(metadata.get(name)):
                raise ProviderAway(f"the provider's metadata has no {name} that could be asked")
        try:
            keys = KeySet.import_key_set(await self._json(metadata["jwks_uri"]))  # type: ignore[arg-type]  # plain data
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderAway("the provider's keys cannot be read") from error
        self._known = (now, metadata, keys)
        return metadata, keys

    async def _json(self, address: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            async with Web(_SECONDS, _MOST_BYTES, by_proxies=True) as web:
                if form is None:
                    status, body = await web.get(address, {}, Caller())
                else:
                    status, body = await web.post(address, form, self._credentials())
        except QueryFailed as error:
            raise ProviderAway(f"the provider does not answer: {error}") from error
        if status in (400, 401) and form is not None:
            raise SignInFailed("the provider does not take the code")
        try:
            told = msgspec.json.decode(body) if status == OK else None
        except (msgspec.DecodeError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise ProviderAway(f"the provider answers {status} at {address.partition('?')[0]}")
        return told

    def _credentials(self) -> Caller:
        """Client id and secret as HTTP Basic."""
        shown = base64.b64encode(f"{self.oidc.client_id}:{self.oidc.client_secret}".encode()).decode()
        return Caller({"authorization": f"Basic {shown}"})


def _is_address(found: object) -> bool:
    """A browser is sent to one, and we ask the others: of the web, or none."""
    try:
        parts = urlsplit(found) if isinstance(found, str) else None
        return parts is not None and parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        return False
