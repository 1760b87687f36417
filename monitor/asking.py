"""Asks a shop's tools over HTTP: bounded in time and size, no redirects, with a named reason for each failure.

The one client of feeds, pullers, chats, sign-in and the command line; knows no tool. What the other side says is not
believed to be small, quick, or where it was asked for.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Protocol, Self, TypeVar

import httpx
import msgspec

from monitor.core.model.reasons import FeedFailure

OK = 200
ANSWER_SECONDS = 20.0
ANSWER_BYTES = 2 * 1024**2
GATHERED_SECONDS = 2.0
"""Lines that follow the first one so soon are taken along."""
LONGEST_DETAIL = 300
"""Characters of what the other side said."""
_LONGEST_FILE = 16 * 1024

Wanted = TypeVar("Wanted")


class QueryFailed(Exception):
    """There is no answer to rely on; the same steps are asked again later."""

    def __init__(self, reason: FeedFailure, detail: str, *, is_final: bool = False) -> None:
        """`is_final`: the server says that this very question is wrong, and will say so again."""
        super().__init__(f"{reason}: {detail[:LONGEST_DETAIL]}")
        self.reason, self.is_final = reason, is_final


class Caller(msgspec.Struct, frozen=True):
    """How one shows who one is: headers, and a file that holds the Authorization header, read for each request.

    A file of one word holds a bearer token, as Kubernetes and the clouds write it.
    """

    headers: Mapping[str, str] = {}
    authorization_file: str | None = None

    def shown(self) -> dict[str, str]:
        """Raises QueryFailed."""
        headers = dict(self.headers)
        if self.authorization_file is not None:
            try:
                with Path(self.authorization_file).open(encoding="ascii") as file:
                    shown = file.read(_LONGEST_FILE).strip()
            except (OSError, UnicodeDecodeError) as error:
                raise QueryFailed(FeedFailure.DENIED, f"cannot read {self.authorization_file}: {error}") from None
            headers["Authorization"] = shown if " " in shown else f"Bearer {shown}"
        return headers


class Lines(msgspec.Struct, frozen=True):
    """What of an endless answer came in a while, whole lines only. `has_ended`: the other side has no more to say."""

    status: int
    body: bytes
    has_ended: bool


class Ask(Protocol):
    """What a puller needs of `Web`."""

    async def get(self, url: str, query: Mapping[str, str], caller: Caller) -> tuple[int, bytes]:
        """Status and body. Raises QueryFailed."""
        ...

    async def lines(self, url: str, query: Mapping[str, str], caller: Caller, seconds: float) -> Lines:
        """What comes within `seconds`. Raises QueryFailed."""
        ...


class Web:
    """Use it with `async with`."""

    def __init__(
        self,
        seconds: float = ANSWER_SECONDS,
        size: int = ANSWER_BYTES,
        ca_file: str | None = None,
        *,
        by_proxies: bool = False,
    ) -> None:
        """`ca_file` names the one authority to trust; None: those of the system. `by_proxies`: the environment's."""
        self.seconds, self._size = seconds, size
        # The system's certificates, which may include the organisation's own authority; httpx would bring others.
        trusted = _of_system() if ca_file is None else ssl.create_default_context(cafile=ca_file)
        # What is packed would be unpacked before its size is known, and packed packages are unpacked as well.
        self._client = httpx.AsyncClient(
            verify=trusted,
            timeout=seconds,
            follow_redirects=False,
            trust_env=by_proxies,
            headers={"accept-encoding": "identity"},
            # Each answer could set more of them, and they would be kept for as long as the service runs.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def post(self, url: str, form: dict[str, str], caller: Caller) -> tuple[int, bytes]:
        """Status and body. Raises QueryFailed."""
        status, _, body = await self._ask(self._client.build_request("POST", url, data=form, headers=caller.shown()))
        return status, body

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        """Post a body: the status, the headers with their names in lower case, and the body. Raises QueryFailed."""
        with _reasons(self.seconds):
            request = self._client.build_request("POST", url, content=body, headers=headers)
        return await self._ask(request)

    async def get(self, url: str, query: Mapping[str, str], caller: Caller) -> tuple[int, bytes]:
        """Status and body. Raises QueryFailed."""
        # No parameters at all would take those of the address away.
        with _reasons(self.seconds):
            request = self._client.build_request("GET", url, params=query or None, headers=caller.shown())
        status, _, body = await self._ask(request)
        return status, body

    async def lines(self, url: str, query: Mapping[str, str], caller: Caller, seconds: float) -> Lines:
        """What comes within `seconds`, and little longer than the first of it. Raises QueryFailed."""
        request = self._client.build_request("GET", url, params=query, headers=caller.shown(), timeout=seconds + 1)
        body, has_ended = bytearray(), False
        with _reasons(self.seconds):
            async with asyncio.timeout(self.seconds):
                answer = await self._client.send(request, stream=True)
            try:
                async with asyncio.timeout(seconds) as until:
                    async for chunk in _plain(answer):
                        if not body:
                            until.reschedule(
                                min(until.when() or 0.0, asyncio.get_running_loop().time() + GATHERED_SECONDS)
                            )
                        body += chunk
                        if len(body) > self._size:
                            break
                    else:
                        has_ended = True
            except TimeoutError:
                pass
            finally:
                await answer.aclose()
        end = len(body) if has_ended else body.rfind(b"\n") + 1
        if not end and len(body) > self._size:
            raise QueryFailed(FeedFailure.TOO_LARGE, f"a line has more than {self._size} bytes")
        return Lines(answer.status_code, bytes(body[:end]), has_ended)

    async def _ask(self, request: httpx.Request) -> tuple[int, Mapping[str, str], bytes]:
        body = bytearray()
        with _reasons(self.seconds):
            async with asyncio.timeout(self.seconds):
                answer = await self._client.send(request, stream=True)
                try:
                    async for chunk in _plain(answer):
                        body += chunk
                        if len(body) > self._size:
                            raise QueryFailed(FeedFailure.TOO_LARGE, f"the answer has more than {self._size} bytes")
                finally:
                    await answer.aclose()
        return answer.status_code, answer.headers, bytes(body)


@cache
def _of_system() -> ssl.SSLContext:
    """Read once: it takes 25 ms, in which nothing else goes on, and some clients are made for each request."""
    return ssl.create_default_context()


@asynccontextmanager
async def webs(ca_files: Iterable[str | None]) -> AsyncIterator[dict[str | None, Web]]:
    """A client for each authority, until it is left: what one authority vouches for, no other tool may claim to be."""
    async with AsyncExitStack() as stack:
        yield {ca_file: await stack.enter_async_context(Web(ca_file=ca_file)) for ca_file in dict.fromkeys(ca_files)}


def _plain(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The body, of which nothing is unpacked. Raises QueryFailed."""
    if (packed := answer.headers.get("content-encoding", "identity")) != "identity":
        raise QueryFailed(FeedFailure.UNREADABLE, f"answered in {packed!r}, unasked")
    return answer.aiter_raw()


@contextmanager
def _reasons(seconds: float) -> Iterator[None]:
    """Raises QueryFailed in place of the client's own errors."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException):
        raise QueryFailed(FeedFailure.TIMEOUT, f"no answer within {seconds:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise QueryFailed(FeedFailure.UNREACHABLE, str(error) or type(error).__name__) from None


def denied(status: int) -> None:
    """Raises QueryFailed where the answer is that we may not ask."""
    if status in (401, 403):
        raise QueryFailed(
            FeedFailure.DENIED,
            f"answered {status}; check `authorization`, `authorization_file` or `headers` of its entry",
        )


def well(status: int, body: bytes) -> bytes:
    """The body of an answer 200. Raises QueryFailed."""
    denied(status)
    if status != OK:
        raise QueryFailed(FeedFailure.REFUSED, f"answered {status}: {body[:300].decode(errors='replace')}")
    return body


def read(decoder: msgspec.json.Decoder[Wanted], status: int, body: bytes, whose: str) -> Wanted:
    """The answer of a tool that answers 200 when all is well. Raises QueryFailed."""
    well(status, body)
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise QueryFailed(FeedFailure.UNREADABLE, f"no answer of {whose}: {error}") from None
