"""Counts what arrives, by source and hour, until it is written down: newest times, kinds, what was not understood.

Counts and nothing else; bounded, whatever names senders invent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from monitor.core.model.events import DAY, HOUR, Event, Instant
from monitor.core.model.reasons import Ignored, Rejected

UP = ""
"""Stands for the service itself: an hour of this source is one in which it could be reached."""
OTHER = "other"
MOST_SOURCES = 500
MOST_WORDS = 2000
LONGEST_DETAIL = 300

_IMPACT = frozenset({"impact.clear", "impact.started", "impact.ended"})

What = Literal["kind", "watched", "rejected", "ignored", "failed"]


class SourceHour(msgspec.Struct, frozen=True):
    """What one source sent in one hour (hours since 1970).

    `received`: events and pieces that gave none. `newest`: the latest event time. `least_lag`: the smallest difference
    between receipt and event time (microseconds): of a good clock a little over zero.
    """

    source: str
    hour: int
    received: int
    last_at: Instant
    newest: Instant | None = None
    least_lag: int | None = None


class SourceWord(msgspec.Struct, frozen=True):
    """How often a source sent something on one day (days since 1970).

    `what` and `word`: a kind of event; a service that it says is watched (impact.*); a reason of a reject, of an
    omission, or of a pull that failed.
    `detail`: the newest sentence about a reason.
    """

    source: str
    day: int
    what: What
    word: str
    count: int
    detail: str = ""


class SourceBook(Protocol):
    """What arrived from each source, added up over all processes."""

    async def add(self, hours: Sequence[SourceHour], words: Sequence[SourceWord], now: Instant) -> None:
        """Add to what is there, and forget what is too old. Raises Unavailable."""
        ...

    async def hours(self, since: Instant) -> list[SourceHour]:
        """Raises Unavailable."""
        ...

    async def words(self, since: Instant) -> list[SourceWord]:
        """Oldest day first. Raises Unavailable."""
        ...


class Arrivals:
    """Since it was taken the last time. Cheap enough to be called for every event."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._day: int | None = None
        self._hours: dict[tuple[str, int], list[int | None]] = {}
        self._words: dict[tuple[str, int, What, str], list[int | str]] = {}

    def delivered(
        self,
        source: str,
        at: Instant,
        events: Iterable[Event],
        refused: Mapping[Rejected, int] = {},
        ignored: Mapping[Ignored, int] = {},
        details: Mapping[str, str] = {},
    ) -> None:
        """A delivery of `source` (its events may name others), received `at`. `details` has a sentence by reason."""
        hour, day = at // HOUR, at // DAY
        if day != self._day:
            # Names that nobody uses any more make room for others.
            self._day = day
            self._names.clear()
        # Most deliveries are of one source and few kinds: what is looked up for each event is as little as can be.
        # By source: how many, and the latest time, which has the least lag too unless it was capped.
        spans: dict[str, list[int]] = {}
        ahead: dict[str, int] = {}
        kinds: dict[tuple[str, str], int] = {}
        for event in events:
            span = spans.get(event.source)
            time = event.time
            if span is None:
                spans[event.source] = [1, time]
            else:
                span[0] += 1
                span[1] = max(span[1], time)
            if event.stated_time is not None:
                ahead[event.source] = max(event.stated_time, ahead.get(event.source, time))
            said = (event.source, event.kind)
            kinds[said] = kinds.get(said, 0) + 1
            if event.kind in _IMPACT and event.service is not None:
                self._word(self._name(event.source), day, "watched", event.service)
        for named, (count, newest) in spans.items():
            lag = at - ahead[named] if named in ahead else None
            self._arrived(self._name(named), hour, at, newest, count, lag)
        for (named, kind), count in kinds.items():
            self._word(self._name(named), day, "kind", kind, count)
        if refused or ignored:
            name = self._name(source)
            told: list[tuple[What, str, int]] = [("rejected", reason, count) for reason, count in refused.items()]
            told += [("ignored", reason, count) for reason, count in ignored.items()]
            for what, reason, count in told:
                self._arrived(name, hour, at, None, count)
                self._word(name, day, what, str(reason), count, details.get(reason, ""))

    def failed(self, source: str, at: Instant, reason: str, detail: str) -> None:
        """A source that is pulled gave no answer, which is no sign of life."""
        self._word(self._name(source), at // DAY, "failed", reason, 1, detail)

    def take(self) -> tuple[list[SourceHour], list[SourceWord]]:
        """Everything counted since the last time."""
        hours = [
            SourceHour(source, hour, received or 0, Instant(last or 0), _instant(newest), lag)
            for (source, hour), (received, last, newest, lag) in self._hours.items()
        ]
        words = [SourceWord(*key, int(count), str(detail)) for key, (count, detail) in self._words.items()]
        self._hours, self._words = {}, {}
        return hours, words

    def put_back(self, hours: Iterable[SourceHour], words: Iterable[SourceWord]) -> None:
        """They could not be written down."""
        for each in hours:
            self._arrived(each.source, each.hour, each.last_at, each.newest, each.received, each.least_lag)
        for word in words:
            self._word(word.source, word.day, word.what, word.word, word.count, word.detail)

    def _name(self, source: str) -> str:
        if source in self._names:
            return source
        if len(self._names) < MOST_SOURCES:
            self._names.add(source)
            return source
        above = source.partition("/")[0]
        return above if above in self._names else OTHER

    def _arrived(
        self, source: str, hour: int, at: int, time: int | None, count: int = 1, lag: int | None = None
    ) -> None:
        if lag is None and time is not None:
            lag = at - time
        found = self._hours.get((source, hour))
        if found is None:
            self._hours[source, hour] = [count, at, time, lag]
            return
        found[0] = (found[0] or 0) + count
        found[1] = max(found[1] or at, at)
        if time is not None:
            found[2] = time if found[2] is None else max(found[2], time)
        if lag is not None:
            found[3] = lag if found[3] is None else min(found[3], lag)

    def _word(self, source: str, day: int, what: What, word: str, count: int = 1, detail: str = "") -> None:
        key = (source, day, what, word)
        found = self._words.get(key)
        if found is None:
            if len(self._words) < MOST_WORDS:
                self._words[key] = [count, detail[:LONGEST_DETAIL]]
            return
        found[0] = int(found[0]) + count
        if detail:
            found[1] = detail[:LONGEST_DETAIL]


def _instant(value: int | None) -> Instant | None:
    return None if value is None else Instant(value)
