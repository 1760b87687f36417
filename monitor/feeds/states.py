"""PURE: the state of users at each step of a feed, and the events that follow from a run of steps.

Blind is neither good nor bad news: it sends nothing, ends a clean stretch and interrupts hysteresis.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from hashlib import blake2s

import msgspec

from monitor.core.model.events import HOUR, MINUTE, SECOND, Event, Instant, Kind, to_text
from monitor.core.model.reasons import FeedStep

CONFIRMED_BY = 2
"""Consecutive steps that begin an impact, and that end it."""
CLEAR_BURN = 1.0
"""At this burn rate or below, the error budget lasts to the end of its period."""
HURT_BURN = 14.4
"""At this burn rate, 2 % of a budget of 30 days is spent in an hour."""
STALE_AFTER = 2 * MINUTE
REPORT_EVERY = 5 * MINUTE
"""Without a freshness in the catalogue."""
CATCH_UP_EVERY = HOUR


class FeedName(msgspec.Struct, frozen=True):
    """The identity of a feed: what it watches, who asks, and which evidence it gives."""

    service: str
    source: str
    evidence: str
    environment: str | None = None

    @property
    def digest(self) -> str:
        """Short and stable, for the ids of events."""
        parts = (self.service, self.source, self.evidence, self.environment or "")
        return blake2s("\0".join(parts).encode(), digest_size=8).hexdigest()


class Limits(msgspec.Struct, frozen=True):
    """From when on a step says anything: `floor` requests and `samples` scrapes in the window of the query.

    `has_counts`: whether the query gives samples and their age, at most `stale_after` microseconds; `has_requests`: and
    requests. `needs_proof`: it asks for an alert, whose silence needs a rule that was evaluated. `impact_only`: it
    tells of impact, and its silence means nothing.
    """

    floor: float
    samples: int
    has_counts: bool
    has_requests: bool
    stale_after: int = STALE_AFTER
    needs_proof: bool = False
    impact_only: bool = False


Parts = Mapping[str, float]
"""What a query gave for one step, by part.

`requests`, `samples`, `age` are what it rests on; `burn`, `lowest` with `newest` and `highest`, `clear` with `hurt`, or
`firing` with `pending` is what it says, the last with the proof `rule`, `watchdog`, `evaluated`, `failures`.
"""


def state_of(parts: Parts, limits: Limits) -> FeedStep:
    """Clear and hurt need proof; whatever lacks it is blind, with the first reason that applies."""
    if limits.impact_only:
        return FeedStep.HURT if parts.get("hurt") else FeedStep.UNTOLD
    if limits.needs_proof:
        if parts.get("firing"):
            return FeedStep.HURT
        if (lacking := _unproved(parts, limits)) is not None:
            return lacking
    if limits.has_counts and "samples" not in parts:
        return FeedStep.NO_DATA
    if limits.has_counts:
        if "age" not in parts or parts["age"] * SECOND > limits.stale_after:
            return FeedStep.STALE
        if parts["samples"] < limits.samples:
            return FeedStep.TOO_FEW_SAMPLES
    if limits.has_requests and parts.get("requests", 0.0) < limits.floor:
        return FeedStep.BELOW_FLOOR
    if any(not math.isfinite(value) for value in parts.values()):
        return FeedStep.NOT_A_NUMBER
    clear, hurt = _opinions(parts)
    if clear is None and hurt is None:
        return FeedStep.NO_DATA
    if hurt:
        return FeedStep.HURT
    return FeedStep.CLEAR if clear else FeedStep.BETWEEN


def _unproved(parts: Parts, limits: Limits) -> FeedStep | None:
    """Why the silence of an alert proves nothing."""
    if not parts.get("rule", 1.0):
        return FeedStep.NO_RULE
    if "watchdog" not in parts:
        return FeedStep.NO_WATCHDOG
    # Not `>`, which is false for a NaN.
    if not parts.get("evaluated", math.inf) * SECOND <= limits.stale_after or parts.get("failures"):
        return FeedStep.NOT_EVALUATED
    return None


def _opinions(parts: Parts) -> tuple[bool | None, bool | None]:
    if "burn" in parts:
        return parts["burn"] <= CLEAR_BURN, parts["burn"] >= HURT_BURN
    if "lowest" in parts:
        return parts["lowest"] == 1 == parts.get("highest", 1), parts.get("newest") == 0
    if "evaluated" in parts:
        return not parts.get("pending"), False
    return ("clear" in parts) or None, ("hurt" in parts) or None


class Cursor(msgspec.Struct, frozen=True):
    """How far a feed was read, and what is open there. Times are microseconds."""

    at: int
    clear_first: int | None = None
    clear_run: int = 0
    unreported_from: int | None = None
    hurt_first: int | None = None
    hurt_run: int = 0
    hurt_since: int | None = None


def advance(
    name: FeedName, cursor: Cursor, step: int, states: Iterable[FeedStep], every: int
) -> tuple[Cursor, list[Event]]:
    """The cursor after these steps, and their events.

    A clean stretch is reported at its end and at multiples of `every`, so that the same steps give the same ids
    however they are divided into requests.
    """
    events: list[Event] = []
    for state in states:
        start, at = cursor.at, cursor.at + step
        if state is FeedStep.CLEAR:
            cursor = _clear(name, cursor, start, at, every, events)
            continue
        if cursor.unreported_from is not None and cursor.unreported_from < start:
            events.append(_event(name, "impact.clear", cursor.unreported_from, start))
        first, run, since = None, 0, cursor.hurt_since
        if state is FeedStep.UNTOLD:
            cursor = _untold(name, cursor, start, at, events)
            continue
        if state is FeedStep.HURT:
            first, run = (start if cursor.hurt_first is None else cursor.hurt_first), cursor.hurt_run + 1
            if run >= CONFIRMED_BY and since is None:
                since = first
                events.append(_event(name, "impact.started", first, at))
        cursor = Cursor(at, hurt_first=first, hurt_run=run, hurt_since=since)
    return cursor, events


def _untold(name: FeedName, cursor: Cursor, start: int, at: int, events: list[Event]) -> Cursor:
    """The end of an impact is told by its absence, which is no good news beyond that."""
    first, run = (start if cursor.clear_first is None else cursor.clear_first), cursor.clear_run + 1
    if cursor.hurt_since is None:
        return Cursor(at)
    if run < CONFIRMED_BY:
        return Cursor(at, clear_first=first, clear_run=run, hurt_since=cursor.hurt_since)
    events.append(_event(name, "impact.ended", cursor.hurt_since, first))
    return Cursor(at)


def _clear(name: FeedName, cursor: Cursor, start: int, at: int, every: int, events: list[Event]) -> Cursor:
    first = start if cursor.clear_first is None else cursor.clear_first
    run, since, unreported = cursor.clear_run + 1, cursor.hurt_since, cursor.unreported_from
    if since is not None and run >= CONFIRMED_BY:
        events.append(_event(name, "impact.ended", since, first))
        since = None
    if since is None:
        unreported = first if unreported is None else unreported
        if at % every == 0:
            events.append(_event(name, "impact.clear", unreported, at))
            unreported = at
    return Cursor(at, clear_first=first, clear_run=run, unreported_from=unreported, hurt_since=since)


def _event(name: FeedName, kind: Kind, start: int, end: int) -> Event:
    is_clear = kind == "impact.clear"
    return Event(
        id=f"{kind}/{name.digest}/{to_text(start)}/{to_text(end)}",
        source=name.source,
        time=Instant(end),
        kind=kind,
        service=name.service,
        environment=name.environment,
        subject=None if is_clear else f"feed/{name.digest}",
        labels={"evidence": name.evidence},
        covers_from=Instant(start) if is_clear else None,
        began_at=None if is_clear else Instant(start),
    )


def report_every(freshness: int | None, step: int) -> int:
    """Half of what the catalogue takes for fresh, at most five minutes, in whole steps."""
    wanted = REPORT_EVERY if freshness is None else min(REPORT_EVERY, freshness // 2)
    return max(step, wanted // step * step)
