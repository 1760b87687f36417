"""Who may review: accounts from the settings, and the rule that only loopback may do without them.

Knows HTTP credentials and nothing of the record. A person acts under the role of the account, not under its name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence

import msgspec

LOCAL_ROLE = "reviewer"
"""The role of whoever comes over loopback without a login."""

SHORTEST_SECRET = 12
_HASH_PREFIX = "sha256:"


class OpenBind(ValueError):
    """The service would be reachable from elsewhere without a login."""


class BadAccount(ValueError):
    """An account in the settings cannot be used; the message says which and what to do."""


class Account(msgspec.Struct, frozen=True):
    """One line of the settings: `secret` is the password or token itself, or `sha256:` and its 64 hex digits."""

    name: str
    role: str
    secret: str


class Person(msgspec.Struct, frozen=True):
    """Who is asking. Only `role` is ever written down."""

    name: str
    role: str


LOCAL_PERSON = Person("local", LOCAL_ROLE)


class Auth:
    """Checks credentials against the configured accounts. Without accounts nobody can log in."""

    def __init__(self, accounts: Sequence[Account] = ()) -> None:
        """Raises BadAccount."""
        names = [account.name for account in accounts]
        for account in accounts:
            if not account.name or ":" in account.name:
                raise BadAccount(f"account {account.name!r}: a name must not be empty and must not hold a colon")
            if names.count(account.name) > 1:
                raise BadAccount(f"account {account.name!r} is there twice: give each account a name of its own")
            if not account.role.strip():
                raise BadAccount(f"account {account.name!r} has no role: set one, such as on-call")
        self._digests = {account.name: _digest_of(account) for account in accounts}
        self._people = {account.name: Person(account.name, account.role.strip()) for account in accounts}

    @property
    def is_configured(self) -> bool:
        return bool(self._people)

    def account_of(self, authorization: str) -> str:
        """The configured name that a header asks for; "unknown" where it names none, or another."""
        scheme, _, credentials = authorization.strip().partition(" ")
        name, _ = _basic(credentials) if scheme.lower() == "basic" else ("", "")
        return name if name in self._people else "unknown"

    def person(self, authorization: str | None) -> Person | None:
        """Who an `Authorization` header stands for (Basic or Bearer), or None."""
        scheme, _, credentials = (authorization or "").strip().partition(" ")
        if scheme.lower() == "bearer":
            return self._by_secret(credentials.strip(), None)
        if scheme.lower() != "basic":
            return None
        name, secret = _basic(credentials)
        return self._by_secret(secret, name) if name or secret else None

    def _by_secret(self, secret: str, name: str | None) -> Person | None:
        """Every account is compared, in constant time each, so that the time tells neither names nor near hits."""
        given = hashlib.sha256(secret.encode()).digest()
        found = None
        for candidate, digest in self._digests.items():
            if hmac.compare_digest(given, digest) and name in (None, candidate):
                found = self._people[candidate]
        return found


def _basic(credentials: str) -> tuple[str, str]:
    """Name and password of HTTP Basic; both empty where they cannot be read."""
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return "", ""
    name, colon, secret = text.partition(":")
    return (name, secret) if colon else ("", "")


def auth_from(accounts: Mapping[str, Mapping[str, str]]) -> Auth:
    """From settings of the shape `{name: {role: …, secret: …}}`. Raises BadAccount."""
    found = []
    for name, parts in accounts.items():
        unknown = sorted(set(parts) - {"role", "secret"})
        if unknown or "secret" not in parts:
            what = f"unknown setting {unknown[0]}" if unknown else "no secret"
            raise BadAccount(f"account {name!r}: {what}; expected role and secret")
        found.append(Account(name, parts.get("role", LOCAL_ROLE), parts["secret"]))
    return Auth(found)


def _digest_of(account: Account) -> bytes:
    if account.secret.startswith(_HASH_PREFIX):
        try:
            digest = bytes.fromhex(account.secret.removeprefix(_HASH_PREFIX))
        except ValueError:
            digest = b""
        if len(digest) != hashlib.sha256().digest_size:
            what = "after sha256: there must be 64 hex digits; expected the hash of a secret"
            raise BadAccount(f"account {account.name!r}: {what}")
        return digest
    if len(account.secret) < SHORTEST_SECRET:
        raise BadAccount(
            f"account {account.name!r}: the secret is shorter than {SHORTEST_SECRET} characters; "
            "expected a long random one; make it with: python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"
        )
    return hashlib.sha256(account.secret.encode()).digest()


def is_loopback(host: str) -> bool:
    """Whether a bind address or host name stays on this machine. An empty host means every interface."""
    name = host.strip().strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)


def check_bind(host: str, auth: Auth) -> None:
    """Raises OpenBind when others could reach the service and nobody would have to log in."""
    if auth.is_configured or is_loopback(host):
        return
    shown = host or "(every interface)"
    raise OpenBind(
        f"refusing to listen on {shown} without a login: anyone who reaches it could read and decide near misses; "
        "expected a loopback address; try `--host 127.0.0.1`, or configure at least one account (a name, a role and a "
        "secret; docs/how-to/deploy.md)"
    )
