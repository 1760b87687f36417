"""Annotations of a Grafana, in bounded spans, oldest first."""

from __future__ import annotations

import msgspec

from monitor.asking import Ask, QueryFailed, well
from monitor.core.model.events import DAY, HOUR, Instant
from monitor.core.model.reasons import FeedFailure
from monitor.pullers.target import Piece, PullCursor, Target

MOST = 1000
"""Annotations of one answer."""
BACK = HOUR
"""An annotation may be written so long after the moment that it is about."""
LONGEST = DAY
_SHORTEST = 1000 * 1000
_MILLI = 1000


async def ask_grafana(ask: Ask, target: Target, cursor: PullCursor, now: Instant) -> Piece:
    """The annotations of the next span. Raises QueryFailed."""
    first = cursor.at - BACK
    until = min(int(now), cursor.at + LONGEST)
    while True:
        span = {"from": str(first // _MILLI), "to": str(until // _MILLI), "type": "annotation", "limit": str(MOST)}
        body = well(*await ask.get(f"{target.url.rstrip('/')}/api/annotations", span, target.caller))
        try:
            count = len(msgspec.json.decode(body, type=list[msgspec.Raw]))
        except (msgspec.DecodeError, RecursionError):
            what = f"{target.url}: no array; expected the annotations of a Grafana"
            raise QueryFailed(FeedFailure.UNREADABLE, what) from None
        if count < MOST:
            return Piece(target.source, body, Instant(until), until < now)
        # The newest come first: of an answer that is full the oldest are missing.
        if until - cursor.at > _SHORTEST:
            until = cursor.at + (until - cursor.at) // 2
        elif first < cursor.at:
            first, until = cursor.at, min(int(now), cursor.at + LONGEST)
        else:
            return Piece(target.source, body, Instant(until), until < now)
