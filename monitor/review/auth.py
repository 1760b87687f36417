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
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from monitor.review.permissions import EVERYTHING, Access, Grants

LOCAL_ROLE = "reviewer"
"""The role of whoever comes over loopback without a login."""

SHORTEST_SECRET = 12
_HASH_PREFIX = "sha256:"
_ARGON2 = "$argon2"
_OF_NOTHING = hashlib.sha256().digest()
REVIEWS = Grants(Access.REVIEWER)
"""What an account may do that says nothing else."""


class OpenBind(ValueError):
    """The service would be reachable from elsewhere without a login."""


class BadAccount(ValueError):
    """An account in the settings cannot be used; the message says which and what to do."""


class Account(msgspec.Struct, frozen=True):
    """One line of the settings. `secret`: the password or token itself, `sha256:` and its 64 hex digits, or the hash
    that argon2 makes of a password.
    """

    name: str
    role: str
    secret: str
    grants: Grants = REVIEWS


class Person(msgspec.Struct, frozen=True):
    """Who is asking, and what they may do. On records only `role` is ever written down.

    `identity`: where the name can be chosen by its owner, what cannot. An account's name holds no colon, so that none
    of these is an account's.
    """

    name: str
    role: str
    grants: Grants = Grants()
    session: str | None = None
    identity: str = ""

    @property
    def known_as(self) -> str:
        """Who it is, for logs and for comparing people."""
        return self.identity or self.name


LOCAL_PERSON = Person("local", LOCAL_ROLE, EVERYTHING)


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
        self._passwords = {each.name: _argon2_of(each) for each in accounts if each.secret.startswith(_ARGON2)}
        self._digests = {each.name: _digest_of(each) for each in accounts if each.name not in self._passwords}
        self._people = {each.name: Person(each.name, each.role.strip(), each.grants) for each in accounts}
        # What proved itself is compared by its hash from then on: argon2 is slow on purpose.
        self._proved: dict[str, bytes] = {}

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

    def knows(self, name: str) -> bool:
        return name in self._people

    def named(self, name: str) -> Person | None:
        """The account of this name, without any proof."""
        return self._people.get(name)

    def mark_of(self, name: str) -> str:
        """Changes with the secret of an account, and does not tell it."""
        kept = self._passwords[name].encode() if name in self._passwords else self._digests[name]
        return hashlib.sha256(b"session" + kept).hexdigest()[:32]

    def by_password(self, name: str, secret: str) -> Person | None:
        """The account with this name and password."""
        return self._by_secret(secret, name) if name else None

    def _by_secret(self, secret: str, name: str | None) -> Person | None:
        """Every account is compared, in constant time each, so that the time tells neither names nor near hits."""
        given = hashlib.sha256(secret.encode()).digest()
        found = None
        for candidate, digest in self._digests.items():
            if hmac.compare_digest(given, digest) and name in (None, candidate):
                found = self._people[candidate]
        if found is None and name in self._passwords and self._fits(name, secret, given):
            found = self._people[name]
        return found

    def _fits(self, name: str, secret: str, given: bytes) -> bool:
        """A password is tried for its own name only: each try costs as much as it should."""
        if name in self._proved:
            return hmac.compare_digest(given, self._proved[name])
        try:
            PasswordHasher().verify(self._passwords[name], secret)
        except (VerificationError, InvalidHashError):
            return False
        self._proved[name] = given
        return True


def _basic(credentials: str) -> tuple[str, str]:
    """Name and password of HTTP Basic; both empty where they cannot be read."""
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return "", ""
    name, colon, secret = text.partition(":")
    return (name, secret) if colon else ("", "")


def auth_from(accounts: Mapping[str, Mapping[str, str]], grants: Mapping[str, Grants] | None = None) -> Auth:
    """From settings of the shape `{name: {role: …, secret: …}}`. Raises BadAccount."""
    found = []
    for name, parts in accounts.items():
        unknown = sorted(set(parts) - {"role", "secret", "access", "teams"})
        if unknown or "secret" not in parts:
            what = f"unknown setting {unknown[0]}" if unknown else "no secret"
            raise BadAccount(f"account {name!r}: {what}; expected role and secret")
        found.append(Account(name, parts.get("role", LOCAL_ROLE), parts["secret"], (grants or {}).get(name, REVIEWS)))
    return Auth(found)


def _argon2_of(account: Account) -> str:
    try:
        extract_parameters(account.secret)
    except InvalidHashError:
        what = "begins like a hash of argon2 and is none; expected the whole hash, made by: nearmiss password"
        raise BadAccount(f"account {account.name!r}: the secret {what}") from None
    return account.secret


def _digest_of(account: Account) -> bytes:
    if account.secret.startswith(_HASH_PREFIX):
        try:
            digest = bytes.fromhex(account.secret.removeprefix(_HASH_PREFIX))
        except ValueError:
            digest = b""
        if digest == _OF_NOTHING:
            what = "is the hash of an empty text, with which anyone could log in; expected the hash of a secret"
            raise BadAccount(f"account {account.name!r}: the secret {what}")
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


def hash_of(password: str) -> str:
    """The hash of a password by argon2, as an account takes it."""
    return PasswordHasher().hash(password)


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


def check_bind(host: str, auth: Auth, *, signs_in: bool = False) -> None:
    """Raises OpenBind when others could reach the service and nobody would have to log in.

    `signs_in`: a provider or a proxy signs people in.
    """
    if auth.is_configured or signs_in or is_loopback(host):
        return
    shown = host or "(every interface)"
    raise OpenBind(
        f"refusing to listen on {shown} without a login: anyone who reaches it could read and decide near misses; "
        "expected a loopback address; try `--host 127.0.0.1`, or configure at least one account (a name, a role and a "
        "secret; docs/how-to/deploy.md)"
    )
