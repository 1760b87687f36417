"""Plays events into a running service the way any sender would: through its public HTTP endpoint, with retries.

Knows HTTP and the event format; nothing of what runs behind the address.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from monitor.core.model.events import Event
from monitor.decode.canonical import encode

_BATCH = 50
_TIMEOUT = 30.0
_RETRY_SECONDS = 0.5
_POLL_SECONDS = 0.2


class Stopped(Exception):
    """The service began to stop while the stream was played."""


class Unexpected(Exception):
    """The service answered in a way that a sender cannot mend by trying again."""


class Player:
    """One sender. Once `is_stopped` says so, every method raises Stopped at its next pause."""

    def __init__(self, address: str, is_stopped: Callable[[], bool]) -> None:
        self.address = address
        self._host = urlsplit(address).netloc
        self._is_stopped = is_stopped

    def play(self, events: Sequence[Event], sent: Callable[[int], None]) -> None:
        """Send all events in order; `sent` is told how many more were taken. Raises Stopped, Unexpected."""
        for start in range(0, len(events), _BATCH):
            part = events[start : start + _BATCH]
            body = b"\n".join(encode(event) for event in part)
            answer = self._ask("POST", "/ingest/events", body)
            if answer["rejected"]:
                raise Unexpected(f"the service rejected {answer['rejected']}")
            sent(len(part))

    def wait_for_drafts(self, expected: int) -> int:
        """How many drafts wait in the queue, once it is at least the expected number. Raises Stopped, Unexpected."""
        while True:
            page = self._ask("GET", "/api/v1/near-misses?state=draft&limit=200", None)
            found = len(page["items"])
            if found >= expected:
                return found
            self._pause(_POLL_SECONDS)

    def _ask(self, method: str, path: str, body: bytes | None) -> dict[str, list[object]]:
        while True:
            try:
                connection = http.client.HTTPConnection(self._host, timeout=_TIMEOUT)
                try:
                    connection.request(method, path, body, {"content-type": "application/x-ndjson"} if body else {})
                    response = connection.getresponse()
                    text = response.read()
                finally:
                    connection.close()
            except (OSError, http.client.HTTPException):
                self._pause(_RETRY_SECONDS)
                continue
            if response.status == 503:
                self._pause(_RETRY_SECONDS)
                continue
            if response.status >= 300:
                raise Unexpected(f"{method} {path} was answered with {response.status}: {text[:500]!r}")
            found: dict[str, list[object]] = json.loads(text)
            return found

    def _pause(self, seconds: float) -> None:
        if self._is_stopped():
            raise Stopped
        time.sleep(seconds)  # noqa: TID251 - over HTTP nobody tells us when there is more to see
