"""Asks a tool's HTTP API: bounded in time and size, no redirects; each failure has a reason."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Protocol, Self

import httpx

from monitor.core.model.reasons import FeedFailure

ANSWER_SECONDS = 20.0
ANSWER_BYTES = 2 * 1024**2
"""Two answers together stay below the largest body that a decoder reads."""


class PullFailed(Exception):
    """There is no answer to rely on; the same is asked again later."""

    def __init__(self, reason: FeedFailure, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Ask(Protocol):
    async def get(self, url: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        """The body of an answer 200. Raises PullFailed."""
        ...


class HttpAsk:
    """Over HTTP. Use it with `async with`."""

    def __init__(self, seconds: float = ANSWER_SECONDS, size: int = ANSWER_BYTES) -> None:
        self._seconds, self._size = seconds, size
        trusted = ssl.create_default_context()
        self._client = httpx.AsyncClient(verify=trusted, timeout=seconds, follow_redirects=False, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, url: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        """Raises PullFailed."""
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream("GET", url, params=dict(parameters), headers=dict(headers)) as answer,
            ):
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > self._size:
                        raise PullFailed(FeedFailure.TOO_LARGE, f"{url}: the answer has more than {self._size} bytes")
        except (TimeoutError, httpx.TimeoutException):
            raise PullFailed(FeedFailure.TIMEOUT, f"{url}: no answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PullFailed(FeedFailure.UNREACHABLE, f"{url}: {str(error) or type(error).__name__}") from None
        if answer.status_code in (401, 403):
            raise PullFailed(FeedFailure.DENIED, f"{url}: answered {answer.status_code}; check `authorization`")
        if answer.status_code != httpx.codes.OK:
            raise PullFailed(FeedFailure.REFUSED, f"{url}: answered {answer.status_code}: {bytes(body[:200])!r}")
        return bytes(body)
