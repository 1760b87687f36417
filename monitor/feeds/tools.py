"""Asks each feed's tool for its steps."""

from __future__ import annotations

from typing import Protocol, Self

from monitor.asking import ANSWER_BYTES, ANSWER_SECONDS, Web
from monitor.feeds.checkly import Checkly
from monitor.feeds.datadog import Datadog
from monitor.feeds.google import Google
from monitor.feeds.prometheus import Prometheus
from monitor.feeds.queries import PulledFeed
from monitor.feeds.statuspage import Statuspage


class _Tool(Protocol):
    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]: ...


class Tools:
    """All tools over one client. Use it with `async with`."""

    def __init__(self, seconds: float = ANSWER_SECONDS, size: int = ANSWER_BYTES) -> None:
        self._web = Web(seconds, size)
        self._by_name: dict[str, _Tool] = {
            "prometheus": Prometheus(self._web),
            "datadog": Datadog(self._web),
            "google": Google(self._web),
            "checkly": Checkly(self._web),
            "statuspage": Statuspage(self._web),
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._web.__aexit__()

    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
        """The parts of each step in (after, until], oldest first; both lie on the grid. Raises QueryFailed."""
        return await self._by_name[feed.tool].steps(feed, after, until)
