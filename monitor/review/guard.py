"""What every request passes before anything is decided: host, origin, login, size, and the headers of the answer.

Plain ASGI, so that it also wraps what others mount beside the review pages; knows paths and headers only.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote, urlsplit

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.ops.refusals import address_of
from monitor.ops.throttle import Throttle, network_of
from monitor.ports import Unavailable
from monitor.review.auth import LOCAL_PERSON, Person, is_loopback
from monitor.review.sign_in.people import SignIn

LARGEST_BODY = 256 * 1024
"""Bytes that a form or a JSON body of the review may have."""
MOST_FIELDS = 1000
"""Fields of a form or of an object, also those without a name: each costs time, and the event loop waits meanwhile."""

BODY_SECONDS = 30.0
LOGINS_AT_ONCE, SECONDS_A_LOGIN = 10, 5.0
IDS_AT_ONCE, SECONDS_AN_ID = 60, 1.0
"""How often a login or the id of a record may be wrong, by address and account: so often at once, then now and then."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

OPEN_PREFIXES: tuple[str, ...] = ("/ingest", "/api/v2/alerts", "/metrics", "/healthz", "/readyz", "/chat/slack")
"""Paths that are not the reviewers': they need no account, and have checks and limits of their own."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

SECURITY_HEADERS: tuple[tuple[str, str], ...] = (
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)


class MonotonicClock(Protocol):
    def monotonic(self) -> float: ...


class Guard:
    """Refuses what must not get in and puts the person on the request's scope (`state.person`)."""

    def __init__(
        self, app: ASGIApp, sign_in: SignIn, clock: MonotonicClock, open_prefixes: Sequence[str] = OPEN_PREFIXES
    ) -> None:
        self._app = app
        self._sign_in = sign_in
        self._auth = sign_in.auth
        self._open = tuple(open_prefixes)
        self._logins = Throttle(clock, LOGINS_AT_ONCE, SECONDS_A_LOGIN)
        self._ids = Throttle(clock, IDS_AT_ONCE, SECONDS_AN_ID)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal.answer(send)
            return
        is_open = self._is_open(scope["path"])
        address = network_of(address_of(scope))
        try:
            person = None if is_open else await self._person(scope, headers, address)
        except Unavailable:
            person = _AWAY
        if isinstance(person, _Refusal):
            await person.answer(send)
            return
        scope.setdefault("state", {})["person"] = person
        if is_open:
            await self._app(scope, receive, _with_headers(send))
            return
        names_one = _NAMED.match(scope["path"]) is not None
        if names_one and (wait := self._ids.wait(address)):
            await _slowed(wait, "look for records or reports that there are not").answer(send)
            return

        async def sending(message: Message) -> None:
            if names_one and message["type"] == "http.response.start" and message["status"] == 404:
                self._ids.failed(address)
            await send(message)

        content_type = headers.get("content-type", "").lower()
        await self._app(scope, _limited(receive, content_type), _with_headers(sending))

    def _is_open(self, path: str) -> bool:
        return any(path == prefix or path.startswith(prefix + "/") for prefix in self._open)

    async def _person(self, scope: Scope, headers: Headers, address: str) -> Person | _Refusal | None:
        if not self._sign_in.is_configured:
            return LOCAL_PERSON
        if (known := await self._sign_in.by_cookie(headers)) is not None:
            return known
        if (told := await self._sign_in.by_proxy(headers, address_of(scope))) is not None:
            return told
        authorization = headers.get("authorization")
        if authorization is None:
            if scope["path"] == "/login" or scope["path"].startswith(_ANONYMOUS):
                return None
            return self._to_login(scope, headers)
        # Who logged in before is let in whatever others try in the same name, or behind the same proxy.
        keys = (f"address {address}", f"account {self._auth.account_of(authorization)}")
        if not self._logins.is_known(authorization) and (wait := self._logins.wait(*keys)):
            return _slowed(wait, "log in")
        person = await self._of(authorization)
        if person is None:
            self._logins.failed(*keys)
            return _LOGIN
        self._logins.passed(authorization)
        return person

    async def _of(self, authorization: str) -> Person | None:
        scheme, _, secret = authorization.strip().partition(" ")
        if scheme.lower() == "bearer" and (program := await self._sign_in.by_token(secret.strip())) is not None:
            return program
        return self._auth.person(authorization)

    def _to_login(self, scope: Scope, headers: Headers) -> _Refusal:
        """A browser is led to the form for signing in, and back to its page from there; all else is asked who it is.

        A script of ours says itself what happened: asked for credentials, a browser would open its own window for them.
        """
        if not self._sign_in.has_form or scope["path"].startswith("/api/"):
            return _LOGIN
        if "hx-request" in headers or headers.get("sec-fetch-mode", "navigate") != "navigate":
            return msgspec.structs.replace(_LOGIN, headers=())
        if "text/html" not in headers.get("accept", ""):
            return _LOGIN
        asked = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        if scope["method"] != "GET":
            asked = _page_of_form(headers)
        to = f"/login?next={quote(asked, safe='')}"
        return msgspec.structs.replace(_SEE_LOGIN, headers=((b"location", to.encode()),))

    def _refusal(self, scope: Scope, headers: Headers) -> _Refusal | None:
        host = headers.get("host", "")
        if not self._sign_in.is_configured and not is_loopback(_host_name(host)):
            return _WRONG_HOST
        if scope["method"] not in SAFE_METHODS and not _is_same_origin(headers, host):
            return _CROSS_ORIGIN
        length = headers.get("content-length", "0")
        if not self._is_open(scope["path"]) and length.isdigit() and (len(length) > 20 or int(length) > LARGEST_BODY):
            return _TOO_LARGE
        return None


class TooLarge(HTTPException):
    """A body without a stated length turned out to be larger than is read.

    An HTTPException, since the web framework takes any other error while it reads a body for a broken body.
    """

    def __init__(self) -> None:
        super().__init__(413)


class TooManyFields(HTTPException):
    """More than any form of ours, or any body of the API, has."""

    def __init__(self) -> None:
        super().__init__(400, f"The body has more than {MOST_FIELDS} fields, or more escapes than are well-formed")


class TooSlow(HTTPException):
    """A body did not arrive in time."""

    def __init__(self) -> None:
        super().__init__(408, "The body did not arrive in time")


class _Refusal(msgspec.Struct, frozen=True):
    """A refusal before any route is known; the same problem+json for pages and API."""

    status: int
    kind: str
    title: str
    detail: str
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def answer(self, send: Send) -> None:
        problem = {"type": f"/problems/{self.kind}", "title": self.title, "status": self.status, "detail": self.detail}
        body = msgspec.json.encode(problem)
        plain = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS]
        own = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": [*own, *self.headers, *plain]})
        await send({"type": "http.response.body", "body": body})


_WRONG_HOST = _Refusal(
    421,
    "wrong-host",
    "Not addressed to this machine",
    "Without accounts only requests to localhost are answered. Use http://localhost, or configure an account.",
)
_CROSS_ORIGIN = _Refusal(
    403,
    "cross-origin",
    "Cross-site request",
    "This request came from another site. Use the pages of this service, or a client that is not a browser.",
)
_TOO_LARGE = _Refusal(413, "too-large", "Too large", f"At most {LARGEST_BODY} bytes are read here.")
_LOGIN = _Refusal(
    401,
    "login-needed",
    "Login needed",
    "Send credentials of a configured account: HTTP Basic, or its secret as a bearer token.",
    ((b"www-authenticate", b'Basic realm="nearmiss", charset="UTF-8"'),),
)


_FORM = "application/x-www-form-urlencoded"
_AWAY = _Refusal(
    503,
    "unavailable",
    "Database unavailable",
    "The database cannot serve now. Try the same again in 5 seconds; repeating is safe.",
    ((b"retry-after", b"5"),),
)
_SEE_LOGIN = _Refusal(303, "login-needed", "Login needed", "Sign in first.")
_ANONYMOUS = ("/login/", "/static/")
"""What the page for signing in needs."""

_NAMED = re.compile(r"(?:/api/v1)?/near-misses/.|/api/v1/reports/follow$")
"""What tells by a 404 whether an id or the token of a report was guessed."""


def _slowed(wait: float, what: str) -> _Refusal:
    seconds = max(1, math.ceil(wait))
    detail = f"Too many tries to {what}. Try again in {seconds} s."
    headers = ((b"retry-after", str(seconds).encode()),)
    return _Refusal(429, "too-many-tries", "Too many tries", detail, headers)


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0]


def _is_same_origin(headers: Headers, host: str) -> bool:
    """Browsers say where a request comes from; a request that says nothing comes from no browser."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _page_of_form(headers: Headers) -> str:
    """The page that a form was sent from, where what was typed is kept."""
    try:
        return urlsplit(headers.get("referer", "")).path or "/"
    except ValueError:
        return "/"


def _fields(piece: bytes, content_type: str) -> int:
    """How many fields there may be in a piece of a body. A quote in a text of JSON stands behind a backslash."""
    if content_type.startswith(_FORM):
        return piece.count(b"&")
    return (piece.count(b'"') - piece.count(b'\\"')) // 2


def _limited(receive: Receive, content_type: str) -> Receive:
    seen = fields = escapes = 0
    is_whole = False
    elapsed = asyncio.get_running_loop().time
    deadline = elapsed() + BODY_SECONDS

    async def limited() -> Message:
        nonlocal seen, fields, escapes, is_whole
        try:
            # What comes after the body is that the other side went away, which may take for ever.
            async with asyncio.timeout_at(None if is_whole else deadline):
                message = await receive()
        except TimeoutError:
            raise TooSlow from None
        is_whole = not message.get("more_body", False)
        seen += len(message.get("body", b""))
        if seen > LARGEST_BODY:
            raise TooLarge
        fields += _fields(message.get("body", b""), content_type)
        escapes += message.get("body", b"").count(b"%")
        if fields > MOST_FIELDS or escapes > LARGEST_BODY // len("%00"):
            raise TooManyFields
        return message

    return limited


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS:
                headers.setdefault(name, value)
            # Records change under the reader's hands: a kept copy would be judged as if it were the present.
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending
