"""The routes of signing in and out, of one's own sessions, and of tokens and sessions for admins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, cast
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Request
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from monitor.core.model.events import to_text
from monitor.ops.logs import get_logger
from monitor.ops.refusals import address_of
from monitor.ops.sampling import Sampler
from monitor.ops.throttle import Throttle, network_of
from monitor.ports import Clock
from monitor.ports.access import AccessStore, ApiToken, Session
from monitor.review.api import COMMON, PREFIX, PROBLEM
from monitor.review.auth import Person
from monitor.review.permissions import Access, Grants
from monitor.review.rendering import Pages
from monitor.review.schemas import Shape
from monitor.review.service import FieldProblem, Invalid
from monitor.review.sign_in.oidc import Pending, ProviderAway, SignInFailed
from monitor.review.sign_in.people import (
    COOKIE,
    LONGEST_TOKEN_DAYS,
    PENDING_COOKIE,
    SESSION_FOR,
    Proof,
    SignIn,
    decode,
)

_log = get_logger("review")
_PENDING_SECONDS = 600
Id = Annotated[str, Path(max_length=64)]


class TokenIn(Shape):
    name: str = Field(min_length=1, max_length=100, description="Shown in the trail as its role.")
    access: Access | None = Field(None, description="What it may do with every record.")
    teams: dict[str, Access] = Field(default={}, description="What it may do with the records of single teams.")
    days: int = Field(ge=1, le=LONGEST_TOKEN_DAYS, description="It expires after so many days.")


class TokenOut(Shape):
    id: str
    name: str
    access: Access | None
    teams: dict[str, Access]
    created_by: str
    created_at: str
    expires_at: str
    last_used_at: str | None = Field(description="To the hour.")
    is_refused: bool = Field(description="Whether it lost its access with what its maker's rested on.")


class NewToken(TokenOut):
    token: str = Field(description="Shown this once; only its hash is kept.")


class SessionOut(Shape):
    id: str
    name: str
    role: str
    created_at: str
    expires_at: str


class Listed(Shape):
    items: list[TokenOut]


class SessionsListed(Shape):
    items: list[SessionOut]


def local_path(path: str) -> str:
    """Where to go after signing in: a page of this service, or the first one."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\", "/login"))
    return path if inside and path.isprintable() and "\\" not in path else "/"


def build_sign_in_pages(sign_in: SignIn, pages: Pages, clock: Clock, throttle: Throttle, told: Sampler) -> APIRouter:
    """Open to everybody: who is asked here has not signed in yet. `told` samples the refusals."""
    refused = _Refused(sign_in, clock, told)
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def form(request: Request, next_path: str, status: int = 200, said: str = "") -> Response:
        context = {
            "next": local_path(next_path),
            "has_provider": sign_in.provider is not None,
            "has_accounts": sign_in.auth.is_configured,
            "said": said,
        }
        return pages.render(request, "login.html", context, status)

    @router.get("/login")
    async def login(request: Request, next: Annotated[str, Query(max_length=2000)] = "/") -> Response:
        return form(request, next)

    @router.post("/login")
    async def by_password(
        request: Request,
        name: Annotated[str, Form(max_length=255)] = "",
        secret: Annotated[str, Form(max_length=1000)] = "",
        next: Annotated[str, Form(max_length=2000)] = "/",
    ) -> Response:
        account = name if sign_in.auth.knows(name) else "unknown"
        keys = (f"address {network_of(address_of(request.scope))}", f"account {account}")
        # As at the guard: guesses by others do not lock out a person who signed in from here before.
        proof = f"{name}:{secret}"
        if not throttle.is_known(proof) and throttle.wait(*keys):
            return form(request, next, 429, "Too many tries. Wait a moment.")
        person = sign_in.auth.by_password(name, secret)
        if person is None:
            throttle.failed(*keys)
            await refused(account, "account", "")
            return form(request, next, 401, "Name and password do not fit.")
        throttle.passed(proof)
        return await _signed_in(request, sign_in, person, sign_in.proof_of(person.name), next)

    @router.get("/login/oidc")
    async def to_provider(next: Annotated[str, Query(max_length=2000)] = "/") -> Response:
        if sign_in.provider is None:
            raise HTTPException(404, "No provider is configured.")
        try:
            address, pending = await sign_in.provider.begin(local_path(next), clock.now())
        except ProviderAway as error:
            _log.error("provider_away", problem=str(error))
            raise HTTPException(502, "The sign-in provider does not answer. Try again in a moment.") from error
        answer = RedirectResponse(address, 303)
        _set(answer, PENDING_COOKIE, pending.to_text(), _PENDING_SECONDS, _is_tls(sign_in))
        return answer

    @router.get("/login/callback")
    async def back(request: Request) -> Response:
        provider = sign_in.provider
        pending = Pending.from_text(request.cookies.get(PENDING_COOKIE, ""))
        if provider is None or pending is None:
            return form(request, "/", 400, "This sign-in was not begun in this browser, or too long ago. Begin again.")
        try:
            claimed = await provider.finish(dict(request.query_params), pending, clock.now())
        except SignInFailed as error:
            await refused("unknown", "oidc", str(error))
            return form(request, pending.next, 403, f"Not signed in: {error}.")
        except ProviderAway as error:
            _log.error("provider_away", problem=str(error))
            return form(request, pending.next, 502, "The sign-in provider does not answer. Try again in a moment.")
        proof = sign_in.proof_by_provider(claimed.subject, claimed.groups)
        await sign_in.rest_tokens(proof)
        person = sign_in.of_provider(claimed.subject, claimed.name, claimed.groups)
        if person is None:
            await refused(f"{provider.oidc.issuer}#{claimed.subject}", "oidc", "no group with access")
            return form(request, pending.next, 403, "None of your groups has access. Ask an admin of nearmiss.")
        answer = await _signed_in(request, sign_in, person, proof, pending.next)
        answer.delete_cookie(PENDING_COOKIE)
        return answer

    return router


def build_account_pages(sign_in: SignIn, pages: Pages, clock: Clock) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/account")
    async def account(request: Request) -> Response:
        person = _person(request)
        sessions = await _own_sessions(sign_in, person, clock)
        return pages.render(request, "account.html", {"sessions": sessions, "current": person.session})

    @router.post("/account/sessions/{session_id}/end")
    async def end(request: Request, session_id: Id) -> Response:
        person = _person(request)
        if session_id not in {each.id for each in await _own_sessions(sign_in, person, clock)}:
            raise HTTPException(404, "There is no such session of yours.")
        await _store(sign_in).end_session(session_id, person.known_as, clock.now())
        return RedirectResponse("/login" if session_id == person.session else "/account", 303)

    return router


def build_access_api(sign_in: SignIn, clock: Clock) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["access"])
    gone: Mapping[int | str, dict[str, Any]] = {404: {**PROBLEM, "description": "There is none."}}

    @router.get("/tokens", summary="API tokens", responses={200: {"model": Listed}, **COMMON})
    async def tokens() -> JSONResponse:
        """Their secrets are kept nowhere."""
        return JSONResponse({"items": [_token(sign_in, each) for each in await _store(sign_in).tokens()]})

    @router.post(
        "/tokens", summary="Make an API token", status_code=201, responses={201: {"model": NewToken}, **COMMON}
    )
    async def make(body: TokenIn, request: Request) -> JSONResponse:
        """It may do at most what its maker may, then and later. The secret is in the answer, this once."""
        person = _person(request)
        grants = Grants(body.access, dict(body.teams))
        if grants.highest is None:
            raise Invalid(FieldProblem("access", "say what it may do: access, teams, or both"))
        if not grants.at_most(person.grants):
            raise HTTPException(403, "A token may do at most what you may do yourself.")
        proof = await sign_in.proof_of_request(person, request.headers)
        if proof is None:
            raise HTTPException(403, "A token makes no tokens; sign in as a person.")
        token, secret = await sign_in.make_token(body.name, grants, body.days, person.known_as, proof)
        return JSONResponse({**_token(sign_in, token), "token": secret}, 201)

    @router.delete(
        "/tokens/{token_id}", summary="Revoke an API token", status_code=204, response_class=Response,
        responses={204: {"description": "It is refused from now on."}, **gone, **COMMON},
    )  # fmt: skip
    async def revoke(token_id: Id, request: Request) -> Response:
        if not await _store(sign_in).revoke_token(token_id, _person(request).known_as, clock.now()):
            raise HTTPException(404, "There is no such token.")
        return Response(status_code=204)

    @router.get("/sessions", summary="Who is signed in", responses={200: {"model": SessionsListed}, **COMMON})
    async def sessions() -> JSONResponse:
        """Sessions of people; programs with a token have none."""
        found = await _store(sign_in).sessions(clock.now())
        return JSONResponse({"items": [_session(each) for each in found if sign_in.person_of(each) is not None]})

    @router.delete(
        "/sessions/{session_id}", summary="End a session", status_code=204, response_class=Response,
        responses={204: {"description": "It is over at once."}, **gone, **COMMON},
    )  # fmt: skip
    async def end(session_id: Id, request: Request) -> Response:
        if not await _store(sign_in).end_session(session_id, _person(request).known_as, clock.now()):
            raise HTTPException(404, "There is no such session.")
        return Response(status_code=204)

    return router


class _Refused:
    """Writes refusals into the chained log, which keeps every line for good: a flood is told by its beginning."""

    def __init__(self, sign_in: SignIn, clock: Clock, told: Sampler) -> None:
        self._sign_in, self._clock, self._told = sign_in, clock, told

    async def __call__(self, by: str, way: str, problem: str) -> None:
        if (others := self._told.take(f"{way} {by}")) is None:
            return
        _log.warning("sign_in_refused", way=way, problem=problem, others=others)
        detail = f"{problem} (and {others} others before)".strip() if others else problem
        await _store(self._sign_in).log(by, "sign_in_refused", way, detail, self._clock.now())


async def _own_sessions(sign_in: SignIn, person: Person, clock: Clock) -> list[Session]:
    """Those that are still good. Compared is who it is, not the name: at a provider people choose their own."""
    found = []
    for session in await _store(sign_in).sessions(clock.now()):
        of = sign_in.person_of(session)
        if of is not None and of.known_as == person.known_as:
            found.append(session)
    return found


async def _signed_in(request: Request, sign_in: SignIn, person: Person, proof: Proof, next_path: str) -> Response:
    key = await sign_in.open_session(person, proof)
    _log.info("signed_in", role=person.role)
    answer = RedirectResponse(quote(local_path(next_path), safe="/?=&%#"), 303)
    _set(answer, COOKIE, key, SESSION_FOR // 1_000_000, _is_tls(sign_in) or request.url.scheme == "https")
    return answer


def _set(answer: Response, name: str, value: str, seconds: int, tls: bool) -> None:
    # Lax, since the provider sends the browser back here from another site.
    answer.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=tls)


def _is_tls(sign_in: SignIn) -> bool:
    return sign_in.provider is not None and sign_in.provider.oidc.address.startswith("https:")


def _store(sign_in: SignIn) -> AccessStore:
    assert sign_in.access is not None
    return sign_in.access


def _person(request: Request) -> Person:
    return cast(Person, request.state.person)


def _token(sign_in: SignIn, token: ApiToken) -> dict[str, object]:
    grants = json.loads(token.grants)
    return {
        "id": token.id,
        "name": token.name,
        "access": grants.get("everywhere"),
        "teams": decode(token.grants).teams,
        "created_by": token.created_by,
        "created_at": to_text(token.created_at),
        "expires_at": to_text(token.expires_at),
        "last_used_at": to_text(token.last_used_at),
        "is_refused": sign_in.left_of(token).highest is None,
    }


def _session(session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "name": session.name,
        "role": session.role,
        "created_at": to_text(session.created_at),
        "expires_at": to_text(session.expires_at),
    }
