"""Takes what arrived, has it decoded, and makes all of it durable: events in the journal, the rest as rejects.

Knows nothing of HTTP. Returns only when nothing of the delivery can be lost any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import msgspec

from monitor.core.model.events import MINUTE, SECOND, Event, Instant
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.jsontext import INLINE
from monitor.decode.normalise import normalise
from monitor.decode.outcome import DecodeOutcome
from monitor.decode.registry import decode
from monitor.intake.backlog import Backlog
from monitor.intake.bodies import ENCODING, Body, Packed, Unusable
from monitor.intake.flight import Flight
from monitor.intake.metrics import IntakeMetrics
from monitor.ops.logs import get_logger
from monitor.ports import Appended, Clock, JournalWriter, Reject, Rejects, Unavailable

_log = get_logger("intake")

RETRY_AFTER = 5
"""Seconds that a sender is asked to wait when nothing can be stored."""
_PROBE_EVERY = SECOND
_STRANGERS_A_MINUTE = 60
"""Bodies of senders that did not prove who they are, kept per minute; the rest is only counted, so that nobody from
outside can fill the disk."""
STRANGE_BODY_KEPT = 4096
"""Bytes that are kept of a body whose sender did not prove who it is."""
_SLICE = 1000
"""Events that are appended at once: to write down those of the largest body would hold everything else up."""
_SECRET_WORDS = ("auth", "cookie", "key", "pass", "secret", "signature", "token")
_HEADER_KEPT = 1000


_Decoded = tuple[DecodeOutcome, list[Event], Mapping[str, int]]
"""What a body says, the events as they are kept, and how many of them name each source."""


class RefusedEvent(msgspec.Struct, frozen=True):
    """One event of a delivery that could not be read; `index` counts from 0."""

    index: int
    reason: Rejected
    detail: str


class Passed(msgspec.Struct, frozen=True):
    """One event of a delivery that gives nothing by intention."""

    index: int
    reason: Ignored


class Receipt(msgspec.Struct, frozen=True):
    """What became of a delivery. Everything that it counts is durable.

    `rejected` and `ignored` describe the first of each; the counts are of all.
    """

    accepted: int
    duplicates: int
    rejected: tuple[RefusedEvent, ...] = ()
    ignored: tuple[Passed, ...] = ()
    rejected_count: int = 0
    ignored_count: int = 0


class Receiver:
    """The way in. `future_tolerance` is in microseconds: later event times are capped and marked."""

    def __init__(
        self,
        journal: JournalWriter,
        rejects: Rejects,
        clock: Clock,
        metrics: IntakeMetrics,
        future_tolerance: int,
        flight: Flight,
        backlog: Backlog | None = None,
    ) -> None:
        self._journal = journal
        self._rejects = rejects
        self._clock = clock
        self._metrics = metrics
        self._future_tolerance = future_tolerance
        self._flight = flight
        self._backlog = backlog
        self._paused_until: Instant | None = None
        self._minute = 0
        self._strangers = 0

    async def receive(
        self,
        source: str,
        body: bytes,
        headers: Mapping[str, str],
        packed: Packed,
        allows: Callable[[str], bool],
    ) -> Receipt:
        """Take in `body`, which was unpacked from `packed`; `allows` tells which sources its events may name.

        Raises Unavailable when not everything could be made durable, TooMuchUnread when the engine has much of the
        sender to read first: the sender shall send it again. Raises Unusable where nothing of the body is taken since
        it is too large.
        """
        now = self._clock.now()
        outcome, events, senders = await self._decoded(source, body, headers, now, allows)
        if not events and outcome.refused.keys() == {Rejected.TOO_LARGE}:
            raise Unusable(Rejected.TOO_LARGE, outcome.detail)
        refused = [_reject(source, outcome, headers, packed, now)] if outcome.refusals else []
        self._fail_fast(now)
        if self._backlog is not None:
            self._backlog.admit(senders, len(body))
        try:
            appended = Appended(())
            for start in range(0, len(events), _SLICE):
                part = events[start : start + _SLICE]
                with self._metrics.journal_append_seconds.time():
                    written = await self._journal.append(part)
                appended = Appended(appended.fresh + written.fresh)
                self._metrics.arrivals.delivered(source, now, part)
            # After the events: when this fails and the sender repeats, events are known again and rejects are not.
            if refused:
                await self._rejects.add(refused)
        except Unavailable as error:
            self._pause(now, error)
            raise
        self._resume()
        details = {str(each.reason): each.detail for each in outcome.skipped}
        details |= {str(each.reason): each.detail for each in outcome.refusals}
        self._metrics.arrivals.delivered(source, now, (), outcome.refused, outcome.ignored, details)
        return self._count(source, outcome, appended)

    async def look(
        self, source: str, body: bytes, headers: Mapping[str, str], allows: Callable[[str], bool]
    ) -> DecodeOutcome:
        """What `receive` would make of it; keeps and counts nothing."""
        now = self._clock.now()
        outcome, events, _ = await self._decoded(source, body, headers, now, allows)
        return msgspec.structs.replace(outcome, events=tuple(events))

    async def _decoded(
        self, source: str, body: bytes, headers: Mapping[str, str], now: Instant, allows: Callable[[str], bool]
    ) -> _Decoded:
        size = len(body)
        if size <= INLINE:
            decoded = self._read(source, body, headers, now, allows, quick=True)
            if Rejected.MAPPING_OVERRUN not in decoded[0].refused:
                return decoded
            # A short body can keep a mapping busy for a second, in which no other source would be answered.
            size = INLINE + 1
        return await self._flight.work(size, self._read, source, body, headers, now, allows)

    def _read(
        self,
        source: str,
        body: bytes,
        headers: Mapping[str, str],
        now: Instant,
        allows: Callable[[str], bool],
        *,
        quick: bool = False,
    ) -> _Decoded:
        outcome = decode(source, body, headers, now, allows, quick=quick)
        events = [normalise(event, now, self._future_tolerance) for event in outcome.events]
        return outcome, events, Counter(event.source for event in events)

    async def refuse(
        self,
        source: str,
        reason: Rejected,
        detail: str,
        body: Body,
        headers: Mapping[str, str],
        *,
        stranger: bool,
        shown_as: str = "",
    ) -> None:
        """Keep a whole body as a reject; of a `stranger` only the beginning, and so many a minute. Raises Unavailable.

        A reject of which only the beginning is kept says so. `shown_as`: the source among those that arrive, where this
        is said too; empty where it is none of them.
        """
        now = self._clock.now()
        if shown_as:
            self._metrics.arrivals.failed(shown_as, now, str(reason), detail)
        if not stranger or self._may_keep_stranger(now):
            kept = body.data[:STRANGE_BODY_KEPT] if stranger else body.data
            if len(kept) < body.size:
                detail = f"{detail}; only the first {len(kept):,} of {body.size:,} bytes are kept"
            self._fail_fast(now)
            try:
                await self._rejects.add([Reject(source, str(reason), detail, kept, now, safe_headers(headers))])
            except Unavailable as error:
                self._pause(now, error)
                raise
            self._resume()
        self._metrics.events_rejected.inc(reason)

    def ignore(self, reason: Ignored) -> None:
        self._metrics.events_ignored.inc(reason)

    def _count(self, source: str, outcome: DecodeOutcome, appended: Appended) -> Receipt:
        metrics = self._metrics
        found = len(outcome.events) + outcome.refused_count + outcome.ignored_count
        metrics.events_received.inc(source.partition("/")[0], found)
        metrics.events_accepted.inc(appended.accepted)
        metrics.events_duplicates.inc(appended.duplicates)
        for reason, count in outcome.refused.items():
            metrics.events_rejected.inc(reason, count)
        for skipped in outcome.skipped:
            if skipped.reason is Ignored.HANDSHAKE:
                _log.info("handshake", source=source, detail=skipped.detail)
        for why, count in outcome.ignored.items():
            metrics.events_ignored.inc(why, count)
        return Receipt(
            appended.accepted,
            appended.duplicates,
            tuple(RefusedEvent(refusal.index, refusal.reason, refusal.detail) for refusal in outcome.refusals),
            tuple(Passed(skipped.index, skipped.reason) for skipped in outcome.skipped),
            outcome.refused_count,
            outcome.ignored_count,
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


def _reject(source: str, outcome: DecodeOutcome, headers: Mapping[str, str], packed: Packed, now: Instant) -> Reject:
    """One for a body, however many of its pieces are bad, and no larger than what was sent."""
    reasons = [refusal.reason for refusal in outcome.refusals]
    reason = next((reason for reason in reasons if reason is not Rejected.TOO_LARGE), reasons[0])
    kept = safe_headers(headers)
    if packed.encoding and len(packed.data) < len(outcome.unread):
        return Reject(source, str(reason), outcome.detail, packed.data, now, kept | {ENCODING: packed.encoding})
    return Reject(source, str(reason), outcome.detail, outcome.unread, now, kept)


def safe_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that a decoder may need again, without those that carry a secret."""
    return {
        name: value[:_HEADER_KEPT] for name, value in headers.items() if not any(word in name for word in _SECRET_WORDS)
    }
