"""Reads a public Statuspage for impact. People write it: what it does not tell may have happened all the same."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.asking import Caller, QueryFailed, Web, read
from monitor.core.model.reasons import FeedFailure
from monitor.decode.outcome import Unreadable
from monitor.decode.times import read_time
from monitor.feeds.queries import PulledFeed

STANDING = 2**63 - 1


class _Component(msgspec.Struct):
    name: str = ""


class _Incident(msgspec.Struct):
    impact: str = ""
    created_at: str | None = None
    started_at: str | None = None
    resolved_at: str | None = None
    components: list[_Component] = []


class _Answer(msgspec.Struct):
    incidents: Annotated[list[_Incident], msgspec.Meta(max_length=1_000)]


_ANSWER = msgspec.json.Decoder(_Answer)


class Statuspage:
    """`GET /api/v2/incidents.json`; a feed's query names a component, or is empty for the whole page."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
        """`hurt` at each step in (after, until] that an incident covers. Raises QueryFailed."""
        url = f"{feed.address.rstrip('/')}/api/v2/incidents.json"
        status, body = await self._web.get(url, {}, Caller(feed.headers, feed.authorization_file))
        told = spans(read(_ANSWER, status, body, "Statuspage"), feed.query)
        return [
            {"hurt": float(any(start <= at < end for start, end in told))}
            for at in range(after + feed.step, until + 1, feed.step)
        ]


def spans(answer: _Answer, component: str) -> list[tuple[int, int]]:
    """Beginning and end of each incident that users felt. Raises QueryFailed."""
    found = []
    for incident in answer.incidents:
        named = {each.name.casefold() for each in incident.components}
        if incident.impact in ("", "none", "maintenance") or (component and component.casefold() not in named):
            continue
        begun = incident.started_at or incident.created_at
        if begun is None:
            continue
        try:
            end = STANDING if incident.resolved_at is None else read_time(incident.resolved_at, "resolved_at")[0]
            found.append((int(read_time(begun, "started_at")[0]), int(end)))
        except Unreadable as error:
            raise QueryFailed(FeedFailure.UNREADABLE, f"no time: {error}") from None
    return found
