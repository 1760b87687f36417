"""Decides by what is still to be read of a sender whether more of it is taken in, so that a flood slows itself down.

A sender may hold twice as many bytes as are free, so that the largest senders are slowed first and others keep room.
What waits is measured now and then, and what was taken in since is added. Knows names and sizes, and no event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import islice

from monitor.decode.reading import source_path
from monitor.decode.registry import tool_of
from monitor.intake.metrics import IntakeMetrics
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ports import Unavailable, Unhandled, UnreadEvents

LEAST = 1024
"""Bytes that an event counts at least: a small one is work for the engine too."""
BACKLOG_RETRY_AFTER = 15
"""Seconds."""
MOST_NAMES = 1000
MEASURED_EVERY = 2.0
"""Seconds."""
_PAUSE = 20
"""So many times as long as the measuring took nothing is measured."""
_SHARE = 2
_CALM = 8
"""While what strangers hold is less than this part of the limit, new names are told apart."""
_NEWCOMERS = ""
_log = get_logger("intake")


class TooMuchUnread(Exception):
    """The engine has much of this sender to read first; the sender shall come again."""


class Backlog:
    """What waits in the journal, by sender. `limit`: bytes; half of it for senders that proved nothing.

    `is_proved`: whether who names this source had to show a secret. Of the others those that were heard of while little
    waited are told apart, at most so many; all newer ones count as one, so that inventing names gains nothing.
    """

    def __init__(self, limit: int, is_proved: Callable[[str], bool], metrics: IntakeMetrics) -> None:
        self._limit = limit
        self._is_proved = is_proved
        self._metrics = metrics
        self._known: set[str] = set()
        self._held: dict[tuple[bool, str], int] = {}
        self._since: dict[tuple[bool, str], int] = {}
        metrics.backlog_limit.set(limit)

    def admit(self, senders: Mapping[str, int], size: int) -> None:
        """Count a body of `size` bytes as waiting. Raises TooMuchUnread, and counts nothing then.

        `senders`: how many of its events name each source. Of a body with thousands of them only some are looked at.
        """
        if not (count := sum(senders.values())):
            return
        each = max(size // count, LEAST)
        taken: dict[tuple[bool, str], int] = {}
        for source, number in islice(senders.items(), MOST_NAMES):
            key = self._key(source)
            taken[key] = taken.get(key, 0) + number * each
        if len(senders) > MOST_NAMES:
            rest = sum(islice(senders.values(), MOST_NAMES, None))
            key = (next(iter(taken))[0], _NEWCOMERS)
            taken[key] = taken.get(key, 0) + rest * each
        try:
            for key in taken:
                self._check(key)
        except TooMuchUnread:
            self._metrics.backlog_refused.inc()
            raise
        for key, weight in taken.items():
            self._since[key] = self._since.get(key, 0) + weight

    def _check(self, key: tuple[bool, str]) -> None:
        is_proved, name = key
        free = self._limit - self._total(everybody=True)
        if not is_proved:
            free = min(free, self._limit // 2 - self._total(everybody=False))
        held = self._held.get(key, 0) + self._since.get(key, 0)
        if held >= _SHARE * free:
            raise TooMuchUnread(f"{held:,} bytes of events of {name or 'new senders'} wait to be read")

    def _total(self, *, everybody: bool) -> int:
        return sum(size for part in (self._held, self._since) for key, size in part.items() if everybody or not key[0])

    def _key(self, source: str) -> tuple[bool, str]:
        path = source_path(source)[:2]
        tool = tool_of(path[0]) if path else None
        name = "/".join((tool.name, *path[1:]) if tool is not None else path)
        if self._is_proved(source):
            return True, name
        if name not in self._known:
            is_calm = self._total(everybody=False) < self._limit // _CALM
            if not (is_calm and len(self._known) < MOST_NAMES):
                return False, _NEWCOMERS
            self._known.add(name)
        return False, name

    async def run(self, unread: UnreadEvents, stop: asyncio.Event) -> None:
        """Measure until the stop."""
        elapsed = asyncio.get_running_loop().time
        took = 0.0
        while not await stopped_within(stop, max(MEASURED_EVERY, _PAUSE * took)):
            began = elapsed()
            try:
                await self.measure(unread)
            except Unavailable as error:
                # Appending fails as well, and says so; the last measurement holds.
                _log.debug("backlog_not_measured", why=str(error))
            took = elapsed() - began

    async def measure(self, unread: UnreadEvents) -> None:
        """Raises Unavailable."""
        for key, size in self._since.items():
            self._held[key] = self._held.get(key, 0) + size
        self._since = {}
        found = await unread.by_source()
        self._held = self._by_sender(found)
        self._metrics.backlog_bytes.set(sum(each.size for each in found.values()))
        self._metrics.backlog_events.set(sum(each.events for each in found.values()))

    def _by_sender(self, found: Mapping[str, Unhandled]) -> dict[tuple[bool, str], int]:
        held: dict[tuple[bool, str], int] = {}
        for source, waiting in found.items():
            key = self._key(source)
            held[key] = held.get(key, 0) + max(waiting.size, LEAST * waiting.events)
        return held
