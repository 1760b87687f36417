"""What became of one alert: when it fired, whether it recovered, and whether it ended without a recovery."""

from __future__ import annotations

import msgspec

from monitor.core.model.events import Event

ALERT_STATES: frozenset[str] = frozenset({"alert.fired", "alert.resolved", "alert.cancelled"})


RECOVERIES: frozenset[str] = frozenset({"alert.resolved", "alert.cancelled"})
"""After these the alert no longer fires, whether or not the trouble is over."""


class Track(msgspec.Struct):
    """One alert as observed so far. Times in microseconds; None: not (yet) seen."""

    first_fired_at: int | None = None
    last_fired_at: int | None = None
    resolved_at: int | None = None
    cancelled_at: int | None = None

    def observe(self, event: Event) -> None:
        """Arrival order does not matter: each time only moves forward."""
        at = int(event.time)
        if event.kind == "alert.fired":
            self.first_fired_at = at if self.first_fired_at is None else min(self.first_fired_at, at)
            self.last_fired_at = at if self.last_fired_at is None else max(self.last_fired_at, at)
        elif event.kind == "alert.resolved":
            self.resolved_at = at if self.resolved_at is None else max(self.resolved_at, at)
        elif event.kind == "alert.cancelled":
            self.cancelled_at = at if self.cancelled_at is None else max(self.cancelled_at, at)

    @property
    def recovered_at(self) -> int | None:
        """When it recovered for good, as far as seen: a recovery at or after the last firing."""
        if self.resolved_at is None or (self.last_fired_at is not None and self.resolved_at < self.last_fired_at):
            return None
        return self.resolved_at

    @property
    def was_cancelled(self) -> bool:
        """It ended without a recovery: nothing is proved."""
        return (
            self.recovered_at is None
            and self.cancelled_at is not None
            and (self.last_fired_at is None or self.cancelled_at >= self.last_fired_at)
        )

    def is_live(self, moment: int) -> bool:
        """Whether it was firing at a moment (a recovery at that very moment still counts as firing)."""
        ended = self.recovered_at if self.recovered_at is not None else self.cancelled_at
        if ended is not None and self.last_fired_at is not None and ended < self.last_fired_at:
            ended = None
        return ended is None or ended >= moment


def alert_key(event: Event) -> str:
    """What ties a firing to its resolve: service and subject, or service and source where there is no subject."""
    return f"{event.service}|{event.subject}" if event.subject is not None else f"{event.service}||{event.source}"
