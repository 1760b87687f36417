"""Asks Google Cloud Monitoring for the burn rate of an SLO, and for its counts: an idle service has a rate too."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.asking import Caller, QueryFailed, Web, read
from monitor.core.model.events import MINUTE, SECOND, Instant, to_text
from monitor.core.model.reasons import FeedFailure
from monitor.decode.outcome import Unreadable
from monitor.decode.times import read_time
from monitor.feeds.queries import PulledFeed

WINDOW = 5 * MINUTE


class _Value(msgspec.Struct):
    doubleValue: float | None = None  # noqa: N815 - the name in the answer
    int64Value: str | int | None = None  # noqa: N815 - the name in the answer

    @property
    def number(self) -> float:
        return float(self.doubleValue if self.doubleValue is not None else self.int64Value or 0)


class _Interval(msgspec.Struct):
    endTime: str  # noqa: N815 - the name in the answer


class _Point(msgspec.Struct):
    interval: _Interval
    value: _Value


class _Series(msgspec.Struct):
    points: Annotated[list[_Point], msgspec.Meta(max_length=20_000)] = []


class _Status(msgspec.Struct):
    message: str = ""


class _Answer(msgspec.Struct):
    timeSeries: Annotated[list[_Series], msgspec.Meta(max_length=64)] = []  # noqa: N815 - the name in the answer
    nextPageToken: str = ""  # noqa: N815 - the name in the answer
    executionErrors: list[_Status] = []  # noqa: N815 - the name in the answer


_ANSWER = msgspec.json.Decoder(_Answer)

Points = list[tuple[int, float]]


class Google:
    """`GET /v3/projects/PROJECT/timeSeries`; a feed's query is the full name of the SLO."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
        """The parts of each step in (after, until]. Raises QueryFailed."""
        burn = await self._series(
            feed, f'select_slo_burn_rate("{feed.query}","300s")', "ALIGN_NEXT_OLDER", after, until
        )
        counts = await self._series(feed, f'select_slo_counts("{feed.query}")', "ALIGN_SUM", after, until)
        return [_step(burn, counts, at) for at in range(after + feed.step, until + 1, feed.step)]

    async def _series(self, feed: PulledFeed, wanted: str, aligner: str, after: int, until: int) -> Points:
        project = "/".join(feed.query.split("/")[:2])
        query: dict[str, str] = {
            "filter": wanted,
            "interval.startTime": _text(after + feed.step - WINDOW),
            "interval.endTime": _text(until),
            "aggregation.alignmentPeriod": "60s",
            "aggregation.perSeriesAligner": aligner,
        }
        url = f"{feed.address.rstrip('/')}/v3/{project}/timeSeries"
        status, body = await self._web.get(url, query, Caller(feed.headers, feed.authorization_file))
        return points(read(_ANSWER, status, body, "Google Cloud Monitoring"))


def _text(moment: int) -> str:
    return to_text(Instant(moment)) or ""


def points(answer: _Answer) -> Points:
    """Time and value of all series. Raises QueryFailed."""
    if answer.executionErrors:
        raise QueryFailed(FeedFailure.PARTIAL, f"Google says: {answer.executionErrors[0].message[:300]}")
    if answer.nextPageToken:
        raise QueryFailed(FeedFailure.TOO_LARGE, "the answer has more than one page")
    try:
        return [
            (read_time(point.interval.endTime, "endTime")[0], point.value.number)
            for series in answer.timeSeries
            for point in series.points
        ]
    except (Unreadable, ValueError) as error:
        raise QueryFailed(FeedFailure.UNREADABLE, f"no time or number: {error}") from None


def _step(burn: Points, counts: Points, at: int) -> dict[str, float]:
    found: dict[str, float] = {}
    seen = [point for point in burn if at - WINDOW < point[0] <= at]
    if seen:
        newest = max(when for when, _ in seen)
        found["burn"] = max(value for when, value in seen if when == newest)
        found["age"] = (at - newest) / SECOND
        found["samples"] = float(len({when for when, _ in seen}))
    counted = [value for when, value in counts if at - WINDOW < when <= at]
    if counted:
        found["requests"] = sum(counted)
    return found
