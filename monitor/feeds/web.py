"""Queries monitoring tools over HTTP: bounded in time and size, with a named reason for each failure."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Self, TypeVar

import httpx
import msgspec

from monitor.core.model.reasons import FeedFailure

ANSWER_SECONDS = 20.0
ANSWER_BYTES = 2 * 1024**2
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
    """How one shows who one is: headers, and a file that holds the Authorization header, read for each request."""

    headers: Mapping[str, str] = {}
    authorization_file: str | None = None

    def shown(self) -> dict[str, str]:
        """Raises QueryFailed."""
        headers = dict(self.headers)
        if self.authorization_file is not None:
            try:
                with Path(self.authorization_file).open(encoding="ascii") as file:
                    headers["Authorization"] = file.read(_LONGEST_FILE).strip()
            except (OSError, UnicodeDecodeError) as error:
                raise QueryFailed(FeedFailure.DENIED, f"cannot read {self.authorization_file}: {error}") from None
        return headers


class Web:
    """Use it with `async with`."""

    def __init__(self, seconds: float = ANSWER_SECONDS, size: int = ANSWER_BYTES) -> None:
        self.seconds, self._size = seconds, size
        # The system's certificates, which may include the organisation's own authority; httpx would bring others.
        trusted = ssl.create_default_context()
        # What is packed would be unpacked before its size is known, and packed packages are unpacked as well.
        self._client = httpx.AsyncClient(
            verify=trusted,
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
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
        return await self._ask(self._client.build_request("POST", url, data=form, headers=caller.shown()))

    async def get(self, url: str, query: Mapping[str, str], caller: Caller) -> tuple[int, bytes]:
        """Status and body. Raises QueryFailed."""
        return await self._ask(self._client.build_request("GET", url, params=query, headers=caller.shown()))

    async def _ask(self, request: httpx.Request) -> tuple[int, bytes]:
        body = bytearray()
        try:
            async with asyncio.timeout(self.seconds):
                answer = await self._client.send(request, stream=True)
                try:
                    if (packed := answer.headers.get("content-encoding", "identity")) != "identity":
                        raise QueryFailed(FeedFailure.UNREADABLE, f"answered in {packed!r}, unasked")
                    async for chunk in answer.aiter_raw():
                        body += chunk
                        if len(body) > self._size:
                            raise QueryFailed(FeedFailure.TOO_LARGE, f"the answer has more than {self._size} bytes")
                finally:
                    await answer.aclose()
                return answer.status_code, bytes(body)
        except (TimeoutError, httpx.TimeoutException):
            raise QueryFailed(FeedFailure.TIMEOUT, f"no answer within {self.seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise QueryFailed(FeedFailure.UNREACHABLE, str(error) or type(error).__name__) from None


def denied(status: int) -> None:
    """Raises QueryFailed where the answer is that we may not ask."""
    if status in (401, 403):
        raise QueryFailed(
            FeedFailure.DENIED,
            f"answered {status}; check `authorization`, `authorization_file` or `headers` of the feed",
        )


def read(decoder: msgspec.json.Decoder[Wanted], status: int, body: bytes, whose: str) -> Wanted:
    """The answer of a tool that answers 200 when all is well. Raises QueryFailed."""
    denied(status)
    if status != httpx.codes.OK:
        raise QueryFailed(FeedFailure.REFUSED, f"answered {status}: {body[:300].decode(errors='replace')}")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise QueryFailed(FeedFailure.UNREADABLE, f"no answer of {whose}: {error}") from None
