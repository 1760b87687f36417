"""Counts the requests that are refused, and logs a sample of them: no refusal is without a trace.

A plain ASGI layer around the whole application; knows statuses, and nothing of why each was given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from monitor.ops.logs import get_logger
from monitor.ops.sampling import Sampler
from monitor.ops.shared_metrics import REFUSED, SharedMetrics

_log = get_logger("http")

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

_SHOWN = 80


class Refusals:
    """Watches the status of each answer."""

    def __init__(self, app: App, metrics: SharedMetrics, sampler: Sampler) -> None:
        self._app = app
        self._metrics = metrics
        self._sampler = sampler

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and (status := str(message["status"])) in REFUSED:
                self._note(scope, status)
            await send(message)

        await self._app(scope, receive, watched if scope["type"] == "http" else send)

    def _note(self, scope: Message, status: str) -> None:
        self._metrics.requests_refused.inc(status)
        if (others := self._sampler.take(f"refused {status}")) is not None:
            _log.warning(
                "request_refused",
                status=int(status),
                method=scope["method"],
                path=scope["path"][:_SHOWN],
                address=address_of(scope),
                others=others,
            )


def address_of(scope: MutableMapping[str, Any]) -> str:
    """Who asks, as far as the network tells: behind a proxy, the proxy."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
