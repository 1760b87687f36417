"""Event time: the watermark, what counts as late, and which clocks not to believe.

Knows times and sources only; the present is never read.
"""

from __future__ import annotations

import msgspec

from monitor.core.model.events import DAY, SECOND

LEAP = 7 * DAY
"""A jump ahead by more than this, told by one source alone and without a receipt time, is not believed yet."""
LEAP_PATIENCE = 1000
"""After so many events beyond the leap it is believed even from one source, so that the buffer stays bounded."""

BEGINNING = -(2**62)


class Timeline(msgspec.Struct):
    """The watermark: the newest believed event time less the lateness, or further where a tick let it go on.

    Times and durations are microseconds.
    """

    lateness: int = 60 * SECOND
    newest: int = BEGINNING
    watermark: int = BEGINNING
    confirmed: bool = False
    leap_at: int = BEGINNING
    leap_source: str = ""
    leap_count: int = 0
    external_watermark: bool = msgspec.field(default=False, name="led")
    """Several engines share one watermark: it comes from outside, by `tick`, and events do not move it here."""

    def see(self, at: int, source: str, received: bool) -> None:
        """Take note of an event's time. Times that carry a receipt time were capped at intake and are believed."""
        if self.external_watermark:
            self.newest, self.confirmed = max(self.newest, at), True
            return
        if at <= self.newest:
            if not self.confirmed:
                self._second(at, source)
            return
        if self.newest == BEGINNING:
            self.leap_source = source
            self.confirmed = received
        elif at - self.newest > LEAP and not received:
            if not self._believe(at, source):
                return
        elif not self.confirmed:
            self.confirmed = True
        self.newest = at
        if at - self.lateness > self.watermark and self.confirmed:
            self.watermark = at - self.lateness

    def _second(self, at: int, source: str) -> None:
        """The very first event is on trial too: if the second lies far before it, the first was the odd one."""
        self.confirmed = True
        if self.newest - at > LEAP:
            self.leap_at, self.leap_count = self.newest, 1
            self.newest = at
        self.watermark = max(self.watermark, self.newest - self.lateness)

    def _believe(self, at: int, source: str) -> bool:
        confirmed = self.leap_count > 0 and source != self.leap_source and at >= self.leap_at - LEAP
        if confirmed or self.leap_count >= LEAP_PATIENCE:
            self.leap_count = 0
            return True
        if self.leap_count == 0 or at < self.leap_at - LEAP:
            self.leap_at, self.leap_source, self.leap_count = at, source, 0
        self.leap_count += 1
        return False

    def tick(self, at: int) -> None:
        """Let the watermark follow the clock up to `at`; never backwards."""
        self.watermark = max(self.watermark, at)
