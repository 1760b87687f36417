"""Takes what arrived, has it decoded, and makes all of it durable: events in the journal, the rest as rejects.

Knows nothing of HTTP. Returns only when nothing of the delivery can be lost any more.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from monitor.core.model.events import MINUTE, SECOND, Instant
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.normalise import normalise
from monitor.decode.outcome import Outcome
from monitor.decode.registry import decode
from monitor.intake.bodies import KEPT
from monitor.ops.logs import get_logger
from monitor.ops.metrics import Metrics
from monitor.ports import Appended, Clock, JournalWriter, Reject, Rejects, Unavailable

_log = get_logger("intake")

RETRY_AFTER = 5
"""Seconds that a sender is asked to wait when nothing can be stored."""
_PROBE_EVERY = SECOND
_STRANGERS_A_MINUTE = 60
"""Bodies of senders that did not prove who they are, kept per minute; the rest is only counted, so that nobody from
outside can fill the disk."""
_SECRET_WORDS = ("auth", "cookie", "key", "pass", "secret", "signature", "token")
_HEADER_KEPT = 1000


class Refused(msgspec.Struct, frozen=True):
    """One event of a delivery that could not be read; `index` counts from 0."""

    index: int
    reason: Rejected
    detail: str


class Passed(msgspec.Struct, frozen=True):
    """One event of a delivery that gives nothing by intention."""

    index: int
    reason: Ignored


class Receipt(msgspec.Struct, frozen=True):
    """What became of a delivery. Everything that it counts is durable."""

    accepted: int
    duplicates: int
    rejected: tuple[Refused, ...] = ()
    ignored: tuple[Passed, ...] = ()


class Receiver:
    """The way in. `future_tolerance` is in microseconds: later event times are capped and marked."""

    def __init__(
        self, journal: JournalWriter, rejects: Rejects, clock: Clock, metrics: Metrics, future_tolerance: int
    ) -> None:
        self._journal = journal
        self._rejects = rejects
        self._clock = clock
        self._metrics = metrics
        self._future_tolerance = future_tolerance
        self._paused_until: Instant | None = None
        self._minute = 0
        self._strangers = 0

    async def receive(self, source: str, body: bytes, headers: Mapping[str, str]) -> Receipt:
        """Raises Unavailable when not everything could be made durable: the sender shall send it again."""
        now = self._clock.now()
        outcome = decode(source, body, headers, now)
        events = [normalise(event, now, self._future_tolerance) for event in outcome.events]
        refused = [
            Reject(source, str(refusal.reason), refusal.detail, refusal.body, now, safe_headers(headers))
            for refusal in outcome.refusals
        ]
        self._fail_fast(now)
        try:
            appended = Appended(())
            if events:
                with self._metrics.journal_append_seconds.time():
                    appended = await self._journal.append(events)
            # After the events: when this fails and the sender repeats, events are known again and rejects are not.
            if refused:
                await self._rejects.add(refused)
        except Unavailable as error:
            self._pause(now, error)
            raise
        self._resume()
        return self._count(source, outcome, appended)

    async def refuse(
        self, source: str, reason: Rejected, detail: str, body: bytes, headers: Mapping[str, str], *, stranger: bool
    ) -> None:
        """Keep a whole body as a reject; of a `stranger` only so many a minute. Raises Unavailable."""
        now = self._clock.now()
        if not stranger or self._may_keep_stranger(now):
            self._fail_fast(now)
            try:
                await self._rejects.add([Reject(source, str(reason), detail, body[:KEPT], now, safe_headers(headers))])
            except Unavailable as error:
                self._pause(now, error)
                raise
            self._resume()
        self._metrics.events_rejected.inc(reason)

    def ignore(self, reason: Ignored) -> None:
        self._metrics.events_ignored.inc(reason)

    def _count(self, source: str, outcome: Outcome, appended: Appended) -> Receipt:
        metrics = self._metrics
        found = len(outcome.events) + len(outcome.refusals) + len(outcome.skipped)
        metrics.events_received.inc(source.partition("/")[0], found)
        metrics.events_accepted.inc(appended.accepted)
        metrics.events_duplicates.inc(appended.duplicates)
        for refusal in outcome.refusals:
            metrics.events_rejected.inc(refusal.reason)
        for skipped in outcome.skipped:
            metrics.events_ignored.inc(skipped.reason)
        return Receipt(
            appended.accepted,
            appended.duplicates,
            tuple(Refused(refusal.index, refusal.reason, refusal.detail) for refusal in outcome.refusals),
            tuple(Passed(skipped.index, skipped.reason) for skipped in outcome.skipped),
        )

    def _may_keep_stranger(self, now: Instant) -> bool:
        minute = now // MINUTE
        if minute != self._minute:
            self._minute, self._strangers = minute, 0
        self._strangers += 1
        return self._strangers <= _STRANGERS_A_MINUTE

    def _fail_fast(self, now: Instant) -> None:
        # While the store is away each try may hang for its time-out: one delivery a second tries, the others are told.
        if self._paused_until is not None and self._paused_until - _PROBE_EVERY <= now < self._paused_until:
            raise Unavailable("the store was not available a moment ago")

    def _pause(self, now: Instant, error: Unavailable) -> None:
        if self._paused_until is None:
            _log.warning("intake_paused", why=str(error))
        self._paused_until = Instant(now + _PROBE_EVERY)
        self._metrics.store_unavailable.inc()
        self._metrics.intake_paused.set(1)

    def _resume(self) -> None:
        if self._paused_until is not None:
            _log.info("intake_resumed")
        self._paused_until = None
        self._metrics.intake_paused.set(0)


def safe_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that a decoder may need again, without those that carry a secret."""
    return {
        name: value[:_HEADER_KEPT] for name, value in headers.items() if not any(word in name for word in _SECRET_WORDS)
    }
