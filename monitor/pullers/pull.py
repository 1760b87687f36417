"""Asks each target on its schedule, appends what is new, and only then moves the cursor.

A failure moves nothing, so the same is asked again; no target waits for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from monitor.asking import Ask, QueryFailed
from monitor.core.model.events import DAY, HOUR, SECOND, Event, Instant
from monitor.core.model.reasons import FeedFailure
from monitor.decode.jsontext import INLINE
from monitor.decode.normalise import normalise
from monitor.decode.outcome import DecodeOutcome
from monitor.decode.registry import decode
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ops.tasks import WatchedTasks, in_thread, restarted
from monitor.ports import Clock, FeedCursors, JournalWriter, Reject, Rejects, Unavailable
from monitor.pullers.alertmanager import ask_alertmanager
from monitor.pullers.grafana import ask_grafana
from monitor.pullers.kubernetes import ask_kubernetes
from monitor.pullers.metrics import PullMetrics
from monitor.pullers.target import KNOWN, Piece, PullCursor, Target

FIRST_LOOK = HOUR
LONGEST = 7 * DAY
"""An older cursor starts here."""
PAUSE_SECONDS = 0.5
"""Between two answers of which the first says that there is more: it may say so for ever."""
_SLICE = 1000
"""Events that are appended at once, as at the door."""
_ASKED = {"alertmanager": ask_alertmanager, "grafana": ask_grafana, "kubernetes": ask_kubernetes}
_CURSOR = msgspec.json.Decoder(PullCursor)

_log = get_logger("pulls")


class Pulls:
    """All targets of this process. `asks` by their `ca_file`; `future_tolerance` is in microseconds."""

    def __init__(
        self,
        targets: Sequence[Target],
        asks: Mapping[str | None, Ask],
        journal: JournalWriter,
        rejects: Rejects,
        cursors: FeedCursors,
        clock: Clock,
        metrics: PullMetrics,
        future_tolerance: int,
    ) -> None:
        self._targets, self._asks, self._journal, self._rejects = targets, asks, journal, rejects
        self._cursors, self._clock, self._metrics = cursors, clock, metrics
        self._future_tolerance = future_tolerance
        self._failing: dict[str, str] = {}
        self._bench = asyncio.Semaphore(1)

    async def run(self, stop: asyncio.Event) -> None:
        """Pull until `stop`."""
        async with WatchedTasks() as tasks:
            for target in self._targets:
                name, rounds = f"pulls {target.key}", partial(self._rounds, target, stop)
                failed = partial(self._metrics.part_failures.inc, "pulls")
                tasks.start(name, restarted(rounds, stop, name, failed), may_end=True)
            await tasks.watch(stop)

    async def _rounds(self, target: Target, stop: asyncio.Event) -> None:
        while not stop.is_set():
            has_more = await self.pull(target)
            await stopped_within(stop, PAUSE_SECONDS if has_more else target.every / SECOND)

    async def pull(self, target: Target) -> bool:
        """Ask once; whether there is more to ask for at once."""
        now = self._clock.now()
        try:
            cursor = await self._cursor(target, now)
            piece = await _ASKED[target.tool](self._asks[target.ca_file], target, cursor, now)
            outcome, events = await self._read(piece, set(cursor.known), now)
            for start in range(0, len(events), _SLICE):
                await self._journal.append(events[start : start + _SLICE])
            if outcome.refusals:
                reason = str(outcome.refusals[0].reason)
                # One place is kept once: the same answer comes again each minute.
                await self._rejects.add(
                    [
                        Reject(
                            target.source, reason, outcome.detail, outcome.unread, now, origin=f"{target.key}/{reason}"
                        )
                    ]
                )
            ids = dict.fromkeys([*(event.id for event in outcome.events), *cursor.known])
            moved = PullCursor(int(piece.until), tuple(ids)[:KNOWN], piece.place)
            await self._cursors.save(target.key, piece.until, msgspec.json.encode(moved).decode())
        except QueryFailed as error:
            self._failed(target, error.reason, str(error))
            return False
        except Unavailable as error:
            self._say(target, "store_unavailable", str(error))
            return False
        details = {str(each.reason): each.detail for each in outcome.refusals}
        self._metrics.arrivals.delivered(target.source, now, events, outcome.refused, {}, details)
        self._metrics.events_received.inc(target.source.partition("/")[0], len(events))
        self._metrics.events_accepted.inc(len(events))
        for refused, count in outcome.refused.items():
            self._metrics.events_rejected.inc(refused, count)
        if self._failing.pop(target.key, None) is not None:
            _log.info("pull_answers_again", source=target.source)
        return piece.has_more

    async def _read(self, piece: Piece, known: set[str], now: Instant) -> tuple[DecodeOutcome, list[Event]]:
        """What an answer gives, and what of it is new; beside everything else where it is large, one at a time."""

        def read() -> tuple[DecodeOutcome, list[Event]]:
            outcome = decode(piece.source, piece.body, {}, now)
            fresh = [each for each in outcome.events if each.time >= piece.since and each.id not in known]
            return outcome, [normalise(event, now, self._future_tolerance) for event in fresh]

        if len(piece.body) <= INLINE:
            return read()
        async with self._bench:
            return await in_thread(read)

    async def _cursor(self, target: Target, now: Instant) -> PullCursor:
        text = await self._cursors.load(target.key)
        cursor = _read(target, text) or PullCursor(now - FIRST_LOOK)
        if cursor.at < now - LONGEST:
            _log.warning("pull_gap", source=target.source, days=LONGEST // DAY)
            return PullCursor(now - LONGEST)
        return cursor

    def _failed(self, target: Target, reason: FeedFailure, detail: str) -> None:
        self._metrics.pull_failures.inc(reason)
        self._metrics.arrivals.failed(target.source, self._clock.now(), str(reason), detail)
        self._say(target, str(reason), detail)

    def _say(self, target: Target, reason: str, detail: str) -> None:
        if self._failing.get(target.key) != reason:
            self._failing[target.key] = reason
            _log.warning("pull_failed", source=target.source, why=detail)


def _read(target: Target, text: str | None) -> PullCursor | None:
    """A cursor that was saved; None where there is none, or none that this program understands."""
    if text is None:
        return None
    try:
        return _CURSOR.decode(text)
    except msgspec.DecodeError as error:
        _log.warning("pull_cursor_unreadable", source=target.source, why=str(error))
        return None
