"""Events that wait and the timers of episodes, in event-time order; housekeeping at fixed event times in between."""

from __future__ import annotations

import heapq
from collections.abc import Collection

from monitor.core.deciding.event_handler import EventHandler
from monitor.core.deciding.hazard_expiry import HazardExpiry
from monitor.core.deciding.judge import Judge
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import MINUTE
from monitor.core.model.faults import EVICTION, Culprit, fault_of
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.watermark import BEGINNING
from monitor.core.state.byte_budget import ByteBudget
from monitor.core.state.engine_state import EngineState
from monitor.core.state.open_work import Timer
from monitor.core.state.ttls import RuleTtls

FOREVER = 2**62
EXPIRE_EVERY = 5 * MINUTE
"""Pending hazards expire at multiples of this event time, not one by one."""


class EventTimeOrder:
    """Processes the events and timers before the watermark of a state. `aside`: what an engine failed at before."""

    def __init__(
        self,
        state: EngineState,
        catalogue: Catalogue,
        retention: RuleTtls,
        budget: ByteBudget,
        handler: EventHandler,
        judge: Judge,
        expiry: HazardExpiry,
        aside: Collection[Culprit],
    ) -> None:
        self._state = state
        self._catalogue = catalogue
        self._retention = retention
        self._budget = budget
        self._handler = handler
        self._judge = judge
        self._expiry = expiry
        self._aside = aside
        self.housekeeping_at = BEGINNING
        self.looked_until: int | None = None
        """Where the stream ended; None while it goes on."""

    def advance(self, limit: int) -> None:
        """Process all before `limit`: events first, then the timers of the same moment. Raises Fault."""
        state = self._state
        pending, timers = state.awaiting_watermark, state.timers
        pending.sort()
        place, count = 0, len(pending)
        fired: Timer | None = None
        event_at, timer_at, now = FOREVER, FOREVER, BEGINNING
        try:
            while True:
                event_at = pending[place][0] if place < count else FOREVER
                timer_at = timers[0][0] if timers else FOREVER
                now = event_at if event_at <= timer_at else timer_at
                if now >= self.housekeeping_at:
                    self._housekeep(min(now, limit))
                if now >= limit:
                    break
                if now > state.now:
                    state.now = now
                if event_at <= timer_at:
                    self._handler.process(pending[place][4])
                    place += 1
                else:
                    fired = heapq.heappop(timers)
                    self._fire(*fired)
        except Exception as error:
            # Nothing is noted on the way, which would cost every event: what was at work follows from where it ended.
            if now >= self.housekeeping_at:
                fault = fault_of(self._expiry.at_work_on, EVICTION)
            elif event_at <= timer_at:
                fault = fault_of(pending[place][4])
            else:
                fault = self._state.fault_of(fired)
            raise fault from error
        del pending[:place]

    def _housekeep(self, now: int) -> None:
        """At fixed event times, so that it never depends on batches: expire what waits, evict what is old.

        After the last event nothing is evicted: an engine that has ended takes nothing more.
        """
        if now >= FOREVER:
            self._expiry.expire(FOREVER)
            return
        boundary = now - now % EXPIRE_EVERY
        if boundary > self._state.expired_until:
            self._expiry.expire(boundary)
            self._state.expired_until = boundary
        is_due = self.looked_until is None and now >= self._state.evicted_at + RETENTION.evict_every
        if is_due and EVICTION not in self._aside:
            self._state.evict_expired(now, self._retention.ttl_of(self._state), self._catalogue.domain_of)
            self._budget.count()
        self.housekeeping_at = boundary + EXPIRE_EVERY

    def _fire(self, at: int, kind: str, what: str) -> None:
        now = self._state.now
        episode = self._state.episodes.get(what)
        if episode is None:
            return
        if what in self._aside:
            self._state.drop_episode(episode)
        elif kind == "wake" and episode.wake_at is not None and episode.wake_at <= now:
            self._judge.wake(episode, now, self.looked_until)
        elif kind == "close":
            self._judge.close(episode, now)
