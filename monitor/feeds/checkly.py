"""Asks Checkly for the results of a check: it lists those that passed as well, which is what good news needs."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.asking import Caller, QueryFailed, Web, read
from monitor.core.model.events import HOUR, SECOND
from monitor.core.model.reasons import FeedFailure
from monitor.decode.outcome import Unreadable
from monitor.decode.times import read_time
from monitor.feeds.queries import PulledFeed

PAGE = 100
MOST_PAGES = 20
LONGEST = 5 * HOUR
"""Of one request: Checkly answers for six hours at most, and the window before the first step counts."""


class _Result(msgspec.Struct):
    id: str = ""
    startedAt: str | None = None  # noqa: N815 - the name in the answer
    stoppedAt: str | None = None  # noqa: N815 - the name in the answer
    hasFailures: bool | None = None  # noqa: N815 - the name in the answer
    hasErrors: bool | None = None  # noqa: N815 - the name in the answer
    resultType: str = "FINAL"  # noqa: N815 - the name in the answer


class _Answer(msgspec.Struct):
    entries: Annotated[list[_Result], msgspec.Meta(max_length=1_000)]
    nextId: str | None = None  # noqa: N815 - the name in the answer


_ANSWER = msgspec.json.Decoder(_Answer)

Results = list[tuple[int, bool]]
"""When a run ended, and whether it passed."""


class Checkly:
    """`GET /v2/check-results/ID`."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
        """The parts of each step in (after, until]. Raises QueryFailed."""
        window = _window(feed)
        results = await self._results(feed, after + feed.step - window, until)
        return [_step(results, at, window) for at in range(after + feed.step, until + 1, feed.step)]

    async def _results(self, feed: PulledFeed, start: int, end: int) -> Results:
        wanted = {"from": str(start // SECOND), "to": str(end // SECOND), "limit": str(PAGE)}
        url = f"{feed.address.rstrip('/')}/v2/check-results/{feed.query}"
        found: Results = []
        for _ in range(MOST_PAGES):
            status, body = await self._web.get(url, wanted, Caller(feed.headers, feed.authorization_file))
            answer = read(_ANSWER, status, body, "Checkly")
            found += results(answer)
            if not answer.nextId or not answer.entries:
                return found
            wanted["nextId"] = answer.nextId
        raise QueryFailed(FeedFailure.TOO_LARGE, f"more than {MOST_PAGES} pages of results")


def results(answer: _Answer) -> Results:
    """The runs that ended; a run that failed and is tried again is judged by its last attempt."""
    try:
        return [
            (read_time(each.stoppedAt, "stoppedAt")[0], not (each.hasFailures or each.hasErrors))
            for each in answer.entries
            if each.resultType == "FINAL" and each.stoppedAt is not None and each.hasFailures is not None
        ]
    except Unreadable as error:
        raise QueryFailed(FeedFailure.UNREADABLE, f"no time: {error}") from None


def _window(feed: PulledFeed) -> int:
    """A run may begin late, and the next one is not over yet."""
    return feed.limits.stale_after


def _step(found: Results, at: int, window: int) -> dict[str, float]:
    inside = sorted(result for result in found if at - window < result[0] <= at)
    if not inside:
        return {}
    newest = inside[-1][0]
    return {
        "lowest": float(all(passed for _, passed in inside)),
        "newest": float(all(passed for when, passed in inside if when == newest)),
        "samples": float(len(inside)),
        "age": (at - newest) / SECOND,
    }
