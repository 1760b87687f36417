"""Asks a Prometheus for a range of steps: bounded in time, size and requests at once; each failure has a reason."""

from __future__ import annotations

import asyncio
import ssl
from typing import Annotated, Self

import httpx
import msgspec

from monitor.core.model.events import SECOND
from monitor.core.model.reasons import FeedFailure
from monitor.feeds.queries import PART, Feed

ANSWER_SECONDS = 20.0
ANSWER_BYTES = 2 * 1024**2

Point = tuple[float, str]


class _Series(msgspec.Struct):
    metric: dict[str, str] = {}
    values: list[Point] = []


class _Data(msgspec.Struct):
    resultType: str = ""  # noqa: N815 - the name in the answer
    result: Annotated[list[_Series], msgspec.Meta(max_length=64)] = []


class _Answer(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""
    warnings: list[str] = []


_ANSWER = msgspec.json.Decoder(_Answer)


class QueryFailed(Exception):
    """There is no answer to rely on; the same steps are asked again later."""

    def __init__(self, reason: FeedFailure, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Prometheus:
    """`query_range` of the HTTP API. Use it with `async with`."""

    def __init__(self, seconds: float = ANSWER_SECONDS, size: int = ANSWER_BYTES) -> None:
        self._seconds, self._size = seconds, size
        # The system's certificates, which may include the organisation's own authority; httpx would bring others.
        trusted = ssl.create_default_context()
        self._client = httpx.AsyncClient(verify=trusted, timeout=seconds, follow_redirects=False, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def steps(self, feed: Feed, after: int, until: int) -> list[dict[str, float]]:
        """The parts of each step in (after, until], oldest first; both lie on the grid. Raises QueryFailed."""
        form = {
            "query": feed.query,
            "start": _seconds(after + feed.step),
            "end": _seconds(until),
            "step": _seconds(feed.step),
            "timeout": f"{self._seconds:.0f}s",
        }
        status, body = await self._ask(f"{feed.address.rstrip('/')}/api/v1/query_range", form, feed.headers)
        return _parts(_read(status, body), after, until, feed.step)

    async def _ask(self, url: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, bytes]:
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream("POST", url, data=form, headers=headers) as answer,
            ):
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > self._size:
                        raise QueryFailed(FeedFailure.TOO_LARGE, f"the answer has more than {self._size} bytes")
                return answer.status_code, bytes(body)
        except (TimeoutError, httpx.TimeoutException):
            raise QueryFailed(FeedFailure.TIMEOUT, f"no answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise QueryFailed(FeedFailure.UNREACHABLE, str(error) or type(error).__name__) from None


def _seconds(instant: int) -> str:
    return f"{instant // SECOND}.{instant % SECOND:06}"


def _read(status: int, body: bytes) -> _Data:
    if status in (401, 403):
        raise QueryFailed(FeedFailure.DENIED, f"answered {status}; check `authorization` of the feed")
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        if status != httpx.codes.OK:
            raise QueryFailed(FeedFailure.REFUSED, f"answered {status}") from None
        raise QueryFailed(FeedFailure.UNREADABLE, f"no answer of a Prometheus: {error}") from None
    if status != httpx.codes.OK or answer.status != "success" or answer.data is None:
        raise QueryFailed(FeedFailure.REFUSED, f"answered {status}: {answer.error[:300]}")
    if answer.data.resultType != "matrix":
        raise QueryFailed(FeedFailure.UNREADABLE, f"expected a matrix, got {answer.data.resultType[:40]!r}")
    if answer.warnings:
        # Parts of a federated store did not answer: what is missing may be the bad news.
        raise QueryFailed(FeedFailure.PARTIAL, answer.warnings[0][:300])
    return answer.data


def _parts(data: _Data, after: int, until: int, step: int) -> list[dict[str, float]]:
    found: list[dict[str, float]] = [{} for _ in range((until - after) // step)]
    for series in data.result:
        part = series.metric.get(PART, "")
        for second, text in series.values:
            try:
                place, value = round((second * SECOND - after) / step) - 1, float(text)
            except (ValueError, OverflowError) as error:
                raise QueryFailed(FeedFailure.UNREADABLE, f"no number: {error}") from None
            if 0 <= place < len(found):
                found[place][part] = value
    return found
