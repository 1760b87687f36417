"""Carries letters: hands changes out, sends what is due to each destination, and backs off where one fails.

Decides when and in which order; what a letter says and how a chat is spoken to is the senders' business. A destination
that is away delays no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import msgspec

from monitor.chat.metrics import ChatMetrics
from monitor.chat.planner import letters_of, mention_letters
from monitor.chat.sending import LetterRefused, PutOff, Sender
from monitor.chat.teams import Teams
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, MINUTE, SECOND, Instant
from monitor.core.model.reasons import Sent
from monitor.ops.logs import get_logger
from monitor.ops.stop import stopped_within
from monitor.ops.tasks import WatchedTasks, restarted
from monitor.ports import Clock, NearMisses, NotFound, Unavailable
from monitor.ports.chat import ChatInbox, DestinationState, Letter, Outbox, RecordChange
from monitor.review.budget import ReviewBudget

AT_ONCE = 200
LEASE = 10 * MINUTE
"""So long a destination is one process's; longer than a round of it may take."""
ROUND_SECONDS = 300.0
FIRST_WAIT, LONGEST_WAIT = 5 * SECOND, 15 * MINUTE
PAUSE_SECONDS = 2.0
STOP_SECONDS = 12.0
"""So long a message that is under way may take to arrive when the service stops."""
TIDY_SECONDS = 3600.0
KEPT = 30 * DAY

_log = get_logger("chat")


def rest_after(lane: DestinationState, now: Instant, reason: str, wait: float | None) -> DestinationState:
    """The lane after one more failure: twice as long a rest each time, and never shorter than was asked for."""
    failures = lane.failures + 1
    rest = min(FIRST_WAIT * 2 ** min(failures - 1, 20), LONGEST_WAIT)
    if wait is not None:
        rest = max(rest, int(wait * SECOND))
    return msgspec.structs.replace(
        lane, failures=failures, since=lane.since or now, reason=reason, retry_at=Instant(now + rest)
    )


class Postman:
    """`senders` by the name of their destination."""

    def __init__(
        self,
        outbox: Outbox,
        inbox: ChatInbox,
        senders: Mapping[str, Sender],
        near_misses: NearMisses,
        budget: ReviewBudget,
        teams: Teams,
        catalogue: Callable[[], Catalogue],
        clock: Clock,
        metrics: ChatMetrics,
        owner: str,
        address: str = "",
    ) -> None:
        self._outbox, self._inbox, self._senders, self._near_misses = outbox, inbox, senders, near_misses
        self._budget, self._teams, self._catalogue = budget, teams, catalogue
        self._clock, self._metrics, self._owner = clock, metrics, owner
        self._address = address
        self._failing: dict[str, str] = {}
        self._tidy_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`."""
        async with WatchedTasks() as tasks:
            tasks.start("outbox", self._repeated(self.hand_out, stop), may_end=True)
            for name in self._senders:
                tasks.start(f"chat {name}", self._repeated(partial(self.deliver, name), stop), may_end=True)
            await tasks.watch(stop)
            await tasks.end(grace=STOP_SECONDS)

    async def _repeated(self, work: Callable[[], Awaitable[bool]], stop: asyncio.Event) -> None:
        async def rounds() -> None:
            while not stop.is_set():
                try:
                    more = await work()
                except Unavailable as error:
                    self._metrics.store_unavailable.inc()
                    _log.debug("chat_waits", why=str(error))
                    more = False
                if not more:
                    await stopped_within(stop, PAUSE_SECONDS)

        await restarted(rounds, stop, "chat", partial(self._metrics.part_failures.inc, "chat"))

    async def hand_out(self) -> bool:
        """Turn what happened into letters; whether there is more. Raises Unavailable."""
        changes = await self._outbox.changes(AT_ONCE)
        if changes:
            folded = await self._budget.folded()
            letters = [letter for change in changes for letter in await self._letters(change, folded)]
            await self._outbox.hand_out(changes, letters)
        elif (elapsed := self._clock.monotonic()) >= self._tidy_at:
            self._tidy_at = elapsed + TIDY_SECONDS
            before = Instant(self._clock.now() - KEPT)
            await self._outbox.forget(before)
            await self._inbox.forget(before)
        await self._show()
        return len(changes) == AT_ONCE

    async def _letters(self, change: RecordChange, folded: frozenset[str]) -> list[Letter]:
        try:
            record = await self._near_misses.get(change.record_id)
        except NotFound:
            return []
        if change.action == "comment":
            trail = await self._near_misses.audit(change.record_id)
            said = [line.note for line in trail if (line.action, line.at) == ("comment", change.at) and line.note]
            return mention_letters(change, record, "\n".join(said), self._teams, self._catalogue(), self._address)
        return letters_of(change, record, self._teams, self._catalogue(), folded)

    async def deliver(self, name: str) -> bool:
        """Send what is due to one destination; whether there is more. Raises Unavailable."""
        now = self._clock.now()
        # To look is cheap; to take writes.
        if not await self._outbox.due(name, now, 1):
            return False
        lane = await self._outbox.take(name, self._owner, now, Instant(now + LEASE))
        if lane is None:
            return False
        letters = await self._outbox.due(name, now, AT_ONCE)
        began = self._clock.monotonic()
        for group in _groups(letters, coalesces=self._senders[name].coalesces):
            if self._clock.monotonic() - began > ROUND_SECONDS:
                return True
            if not await self._send(name, lane, group):
                return False
        await self._outbox.release(name, self._owner)
        return len(letters) == AT_ONCE

    async def _send(self, name: str, lane: DestinationState, letters: Sequence[Letter]) -> bool:
        try:
            outcome = await self._senders[name].send(letters)
        except PutOff as off:
            rests = rest_after(lane, self._clock.now(), off.reason, off.wait)
            await self._outbox.put_off(rests)
            self._metrics.chat_letters.inc(Sent.PUT_OFF)
            if self._failing.get(name) != off.reason:
                self._failing[name] = off.reason
                _log.warning("chat_put_off", destination=name, why=off.reason)
            return False
        except LetterRefused as refused:
            await self._outbox.refuse(letters, self._clock.now(), str(refused))
            self._metrics.chat_letters.inc(Sent.REFUSED, len(letters))
            _log.warning("chat_refused", destination=name, subject=letters[0].subject, why=str(refused))
            return True
        await self._outbox.settle(letters, self._clock.now(), outcome.post)
        self._metrics.chat_letters.inc(outcome.sent, len(letters))
        if self._failing.pop(name, None) is not None:
            _log.info("chat_answers_again", destination=name)
        return True

    async def _show(self) -> None:
        lanes = await self._outbox.lanes()
        self._metrics.chat_waiting.set(sum(lane.waiting for lane in lanes))
        self._metrics.chat_failing.set(sum(lane.failures > 0 for lane in lanes))


def _groups(letters: Sequence[Letter], *, coalesces: bool) -> list[list[Letter]]:
    """By subject, in the order of the first letter of each; each by itself where no message tells several."""
    if not coalesces:
        return [[letter] for letter in letters]
    found: dict[str, list[Letter]] = {}
    for letter in letters:
        found.setdefault(letter.subject, []).append(letter)
    return list(found.values())
