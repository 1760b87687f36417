"""Silences of an Alertmanager, and the alerts that they or others mute: what paging never showed."""

from __future__ import annotations

from monitor.asking import Ask, QueryFailed, well
from monitor.core.model.events import Instant, to_text
from monitor.core.model.reasons import FeedFailure
from monitor.pullers.target import Piece, PullCursor, Target

_MUTED = {"active": "false", "silenced": "true", "inhibited": "true", "unprocessed": "false"}
"""Alerts that nobody mutes come by the webhook or from Prometheus."""


async def ask_alertmanager(ask: Ask, target: Target, cursor: PullCursor, now: Instant) -> Piece:
    """Both answers as one body, so that an alert that is muted tells by whom. Raises QueryFailed."""
    base = f"{target.url.rstrip('/')}/api/v2"
    silences = well(*await ask.get(f"{base}/silences", {}, target.caller))
    alerts = well(*await ask.get(f"{base}/alerts", _MUTED, target.caller))
    for answer in (silences, alerts):
        if not answer.lstrip().startswith(b"["):
            raise QueryFailed(
                FeedFailure.UNREADABLE, f"{base}: no array; is it an Alertmanager of version 0.16 or newer?"
            )
    since = (to_text(cursor.at) or "").encode()
    return Piece(target.source, b'{"since":"%b","silences":%b,"alerts":%b}' % (since, silences, alerts), now)
