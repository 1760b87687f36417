"""Asks Datadog for the history of an SLO that counts events: good and all, without corrections.

A correction takes time out of an SLO after the fact; what users felt does not change by that.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.asking import Caller, QueryFailed, Web, read
from monitor.core.model.events import MINUTE, SECOND
from monitor.core.model.reasons import FeedFailure
from monitor.feeds.queries import PulledFeed

WINDOW = 5 * MINUTE
MOST = 50
"""Steps of one request: with the window before them about an hour, which is answered in points of a minute or less."""


class _Series(msgspec.Struct):
    values: Annotated[list[float | None], msgspec.Meta(max_length=20_000)] = []


class _History(msgspec.Struct):
    times: Annotated[list[float], msgspec.Meta(max_length=20_000)] = []
    numerator: _Series | None = None
    denominator: _Series | None = None


class _Threshold(msgspec.Struct):
    target: float


class _Data(msgspec.Struct):
    series: _History | None = None
    thresholds: dict[str, _Threshold] = {}


class _Error(msgspec.Struct):
    error: str = ""


class _Answer(msgspec.Struct):
    data: _Data | None = None
    errors: list[_Error | str] | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


class Datadog:
    """`GET /api/v1/slo/ID/history`."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
        """The parts of each step in (after, until]. Raises QueryFailed."""
        wanted = {
            "from_ts": str((after + feed.step - WINDOW) // SECOND),
            "to_ts": str(until // SECOND),
            "apply_correction": "false",
        }
        url = f"{feed.address.rstrip('/')}/api/v1/slo/{feed.query}/history"
        status, body = await self._web.get(url, wanted, Caller(feed.headers, feed.authorization_file))
        return parts(read(_ANSWER, status, body, "Datadog"), feed, after, until)


def parts(answer: _Answer, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
    """Burn rate, requests, points and their age over the window that ends with each step."""
    if answer.errors:
        raise QueryFailed(FeedFailure.PARTIAL, f"Datadog says: {str(answer.errors[0])[:300]}")
    history = answer.data.series if answer.data else None
    if answer.data is None or history is None or history.numerator is None or history.denominator is None:
        raise QueryFailed(FeedFailure.UNREADABLE, "the SLO has no counts; expected one of the type metric")
    good, total = history.numerator.values, history.denominator.values
    if not len(history.times) == len(good) == len(total):
        raise QueryFailed(FeedFailure.UNREADABLE, "times and values are not equally many")
    targets = [each.target for each in answer.data.thresholds.values() if each.target < 100]
    if not targets:
        raise QueryFailed(FeedFailure.UNREADABLE, "the SLO has no target below 100 percent")
    budget = 1 - max(targets) / 100
    points = [
        (round(at * SECOND / 1000), well or 0.0, count)
        for at, well, count in zip(history.times, good, total, strict=True)
        if count is not None
    ]
    return [_step(points, at, budget) for at in range(after + feed.step, until + 1, feed.step)]


def _step(points: list[tuple[int, float, float]], at: int, budget: float) -> dict[str, float]:
    inside = [point for point in points if at - WINDOW < point[0] <= at]
    if not inside:
        return {}
    requests = sum(count for _, _, count in inside)
    found = {
        "samples": float(len(inside)),
        "age": (at - max(begun for begun, _, _ in inside)) / SECOND,
        "requests": requests,
    }
    if requests > 0:
        found["burn"] = max(0.0, 1 - sum(well for _, well, _ in inside) / requests) / budget
    return found
