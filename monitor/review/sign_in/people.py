"""Who a request comes from: a session's cookie, a token, an account, or a proxy that may say so.

Decides nothing about what they may do; keeps hashes only.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from monitor.core.model.events import DAY, HOUR, Instant
from monitor.ports import Clock
from monitor.ports.access import AccessStore, ApiToken, Session
from monitor.review.auth import Auth, Person
from monitor.review.permissions import Access, Grants
from monitor.review.sign_in.oidc import Provider

COOKIE = "nearmiss_session"
PENDING_COOKIE = "nearmiss_login"
TOKEN_PREFIX = "nmt_"  # noqa: S105 -- how a token begins, no secret
SESSION_FOR = 12 * HOUR
LONGEST_TOKEN_DAYS = 366
VOUCHED_FOR = 30 * DAY
"""So long the token of a provider's or proxy's person holds after they were last seen there: who was removed comes back
no more, and nobody else would say so."""
_MOST_SEEN = 10_000
_PROXY, _OF_TOKEN = "proxy:", "token:"
"""How the identities of those begin whom a proxy signed in, and of programs."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ProxyLogin(msgspec.Struct, frozen=True):
    """A proxy that has signed people in: from which networks it is believed, and in which headers it tells."""

    networks: tuple[Network, ...]
    user: str
    groups: str


class Proof(msgspec.Struct, frozen=True):
    """By what somebody signed in: an account of ours (`issuer` is empty), or a subject of a provider or of the proxy.

    `mark` changes with the account's secret; `groups` are those that had access `at` that time.
    """

    issuer: str
    subject: str
    mark: str = ""
    groups: tuple[str, ...] = ()
    at: int = 0

    @property
    def maker(self) -> str:
        """As whom its tokens have their maker."""
        return f"{_PROXY}{self.subject}" if self.issuer == _PROXY else f"{self.issuer}#{self.subject}"


class SignIn:
    """The ways in that are configured. Raises `monitor.ports.Unavailable` while the store is away."""

    def __init__(
        self,
        auth: Auth,
        clock: Clock,
        access: AccessStore | None = None,
        provider: Provider | None = None,
        proxy: ProxyLogin | None = None,
        groups: Mapping[str, Grants] | None = None,
    ) -> None:
        """`groups`: what the members of each group may do, by the name that provider and proxy tell."""
        self.auth = auth
        self.access = access
        self.provider = provider
        self._proxy = proxy
        self._groups = dict(groups or {})
        self._clock = clock
        self._seen: dict[str, tuple[tuple[str, ...], int]] = {}

    @property
    def is_configured(self) -> bool:
        return self.auth.is_configured or self.provider is not None or self._proxy is not None

    @property
    def has_form(self) -> bool:
        """Whether there is a page on which people sign in: a proxy alone has done so before."""
        return self.access is not None and (self.auth.is_configured or self.provider is not None)

    async def by_cookie(self, headers: Headers) -> Person | None:
        key = _cookie(headers)
        if not key or self.access is None:
            return None
        session = await self.access.session(digest(key), self._clock.now())
        return None if session is None else self.person_of(session)

    def person_of(self, session: Session) -> Person | None:
        """Who a session is now, and what they may do now; None where what it rests on is gone or another."""
        person = self._proved(session.proof, session.name)
        return None if person is None else msgspec.structs.replace(person, session=session.id)

    def _proved(self, text: str | None, name: str) -> Person | None:
        """Who a proof stands for now; None where what it rests on is gone. `name`: of a provider's person."""
        try:
            proof = msgspec.json.decode(text or "", type=Proof)
        except msgspec.DecodeError:
            return None
        if not proof.issuer:
            person = self.auth.named(proof.subject)
            return None if person is None or self.auth.mark_of(person.name) != proof.mark else person
        if proof.issuer == _PROXY:
            return None if self._proxy is None else self._of_proxy(proof.subject, proof.groups)
        if self.provider is None or self.provider.oidc.issuer != proof.issuer:
            return None
        return self.of_provider(proof.subject, name, proof.groups)

    def of_provider(self, subject: str, name: str, groups: Iterable[str]) -> Person | None:
        """None where none of the groups has access."""
        assert self.provider is not None
        grants = self.grants_of(groups)
        identity = f"{self.provider.oidc.issuer}#{subject}"
        return None if grants.highest is None else Person(name, role_of(grants), grants, identity=identity)

    def proof_of(self, account: str) -> Proof:
        return Proof("", account, self.auth.mark_of(account))

    def proof_by_provider(self, subject: str, groups: Iterable[str]) -> Proof:
        assert self.provider is not None
        return Proof(self.provider.oidc.issuer, subject, groups=self._known(groups), at=int(self._clock.now()))

    def _proof_by_proxy(self, name: str, groups: Iterable[str]) -> Proof:
        return Proof(_PROXY, name, groups=self._known(groups), at=int(self._clock.now()))

    def _known(self, groups: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted({group for group in groups if group in self._groups}))

    async def proof_of_request(self, person: Person, headers: Headers) -> Proof | None:
        """By what the person of this request signed in; None for a program, which did not."""
        assert self.access is not None
        if person.session is not None:
            session = await self.access.session(digest(_cookie(headers)), self._clock.now())
            return None if session is None else msgspec.json.decode(session.proof or "", type=Proof)
        if person.identity.startswith(_OF_TOKEN):
            return None
        if self._proxy is not None and person.identity.startswith(_PROXY):
            return self._proof_by_proxy(person.name, _groups_of(headers, self._proxy))
        return Proof("", person.name) if not self.auth.knows(person.name) else self.proof_of(person.name)

    async def rest_tokens(self, proof: Proof) -> None:
        """What somebody made rests from now on what the provider or the proxy tells of them today."""
        assert self.access is not None
        await self.access.rest_tokens(proof.maker, msgspec.json.encode(proof).decode())

    async def by_token(self, secret: str) -> Person | None:
        if self.access is None or not secret.startswith(TOKEN_PREFIX):
            return None
        token = await self.access.token(digest(secret), self._clock.now())
        if token is None:
            return None
        grants = self.left_of(token)
        if grants.highest is None:
            return None
        return Person(token.name, token.name, grants, identity=_OF_TOKEN + token.id)

    def left_of(self, token: ApiToken) -> Grants:
        """What it may do now: at most what its maker may now, and nothing once what the maker rests on is gone."""
        maker = self._proved(token.proof, token.created_by)
        if maker is not None and not self._is_vouched_for(token):
            maker = None
        return decode(token.grants).bounded_by(Grants() if maker is None else maker.grants)

    def _is_vouched_for(self, token: ApiToken) -> bool:
        proof = msgspec.json.decode(token.proof or "", type=Proof)
        return not proof.issuer or self._clock.now() <= (proof.at or token.created_at) + VOUCHED_FOR

    async def by_proxy(self, headers: Headers, address: str) -> Person | None:
        """Only from an address of the list; from elsewhere the headers are nobody's word."""
        proxy = self._proxy
        if proxy is None or not _is_in(address, proxy.networks):
            return None
        if not (name := headers.get(proxy.user, "").strip()):
            return None
        await self._saw(self._proof_by_proxy(name, _groups_of(headers, proxy)))
        return self._of_proxy(name, _groups_of(headers, proxy))

    async def _saw(self, proof: Proof) -> None:
        """Their tokens rest on it, once a day and when their groups are others."""
        told = proof.groups, proof.at // DAY
        if self.access is None or self._seen.get(proof.subject) == told:
            return
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        await self.rest_tokens(proof)
        self._seen[proof.subject] = told

    def _of_proxy(self, name: str, groups: Iterable[str]) -> Person | None:
        grants = self.grants_of(groups)
        return None if grants.highest is None else Person(name, role_of(grants), grants, identity=_PROXY + name)

    def grants_of(self, groups: Iterable[str]) -> Grants:
        """What membership in all these groups comes to."""
        everywhere: Access | None = None
        teams: dict[str, Access] = {}
        for grants in (self._groups[group] for group in groups if group in self._groups):
            everywhere = Grants(everywhere, {"": grants.everywhere} if grants.everywhere else {}).highest
            for team, access in grants.teams.items():
                teams[team] = max(access, teams.get(team, access), key=lambda each: each.height)
        return Grants(everywhere, teams)

    async def open_session(self, person: Person, proof: Proof) -> str:
        """A new session; what the browser is to hold."""
        assert self.access is not None
        key, now = secrets.token_urlsafe(32), self._clock.now()
        session = Session(
            id=secrets.token_hex(8),
            key=digest(key),
            name=person.name,
            role=person.role,
            grants=encode(person.grants),
            created_at=now,
            expires_at=Instant(now + SESSION_FOR),
            proof=msgspec.json.encode(proof).decode(),
        )
        await self.access.open_session(session, person.known_as)
        return key

    async def make_token(self, name: str, grants: Grants, days: int, by: str, proof: Proof) -> tuple[ApiToken, str]:
        """A new token, and its secret, which is told this once. `proof`: what the maker rests on."""
        assert self.access is not None
        secret, now = TOKEN_PREFIX + secrets.token_urlsafe(32), self._clock.now()
        token = ApiToken(
            id=secrets.token_hex(8),
            key=digest(secret),
            name=name,
            grants=encode(grants),
            created_by=by,
            created_at=now,
            expires_at=Instant(now + days * DAY),
            proof=msgspec.json.encode(proof).decode(),
        )
        await self.access.add_token(token)
        return token, secret


def _cookie(headers: Headers) -> str:
    return cookie_parser(headers.get("cookie", "")).get(COOKIE) or ""


def _groups_of(headers: Headers, proxy: ProxyLogin) -> list[str]:
    return [group.strip() for group in headers.get(proxy.groups, "").split(",")]


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def encode(grants: Grants) -> str:
    return msgspec.json.encode(grants).decode()


def decode(text: str) -> Grants:
    return msgspec.json.decode(text, type=Grants)


def role_of(grants: Grants) -> str:
    """The role under which somebody without an account of their own acts."""
    return str(grants.highest or Access.VIEWER)


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        asked = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(asked, "ipv4_mapped", None)
    return any(each in network for network in networks for each in (asked, mapped) if each is not None)
