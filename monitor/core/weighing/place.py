"""What the weighing remembers of one service: signs, changes, what people did with alerts, and its base rates.

Bounded in time and number; everything else is derived from it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter

import msgspec

from monitor.core.model.events import DAY, HOUR, Event
from monitor.core.weighing.acts import RAN_WITHIN, UNDONE_WITHIN, is_act, version_of
from monitor.core.weighing.habits import FADED, RATE_HALF_LIFE, Rate
from monitor.core.weighing.signs import (
    CAME_BACK_WITHIN,
    GRAVE,
    ONE_ALERT_WITHIN,
    OUTSIDE_STANDS,
    STANDS_UNTOLD,
    Sign,
    alert_sign_key,
    sign_of,
)

MOST_SIGNS = 200
MOST_CHANGES = 60
OLD_RELEASES = 2
MOST_RESPONSES = 120
SIGN_KEPT = 3 * DAY
"""So long after it ended a sign may still be asked for: a candidate is judged hours after the recovery."""
DEADLINE_KEPT = 120 * DAY
RESPONSE_KEPT = 3 * DAY
SILENCE_KEPT = 14 * DAY
ORPHANS_KEPT = HOUR
"""A recovery may arrive before its firing: so long it is remembered."""


def entry(event: Event) -> tuple[int, str, str]:
    return (event.time, event.source, event.id)


class ServiceMemory(msgspec.Struct):
    """One service. `changes` and `responses` are in time order; `rates` by kind of act and of actor."""

    service: str
    signs: list[Sign] = []
    changes: list[Event] = []
    responses: list[Event] = []
    rates: dict[str, Rate] = {}
    orphans: dict[str, int] = {}

    # -- signs -------------------------------------------------------------------------------------------------

    def fired(self, event: Event, *, production: bool) -> Sign:
        """An alert fires: a new sign, one that goes on, or one that flaps."""
        key = alert_sign_key(event)
        last = self.latest("alert", key)
        if last is not None and event.time >= last.began - ONE_ALERT_WITHIN:
            if last.ended is None and event.time - last.seen_at < STANDS_UNTOLD:
                last.see(event)
                return last
            if last.ended is not None:
                if event.time <= last.ended:
                    last.see(event)
                    return last
                if event.time - last.ended < ONE_ALERT_WITHIN:
                    last.reopen(event)
                    return last
                if event.time - last.ended < CAME_BACK_WITHIN:
                    last.came_back_at = event.time
        sign = sign_of(event, "alert", self.service, production=production)
        orphan = self.orphans.pop(key, None)
        if orphan is not None and event.time <= orphan <= event.time + ORPHANS_KEPT:
            sign.end(orphan, cancelled=False)
        self.add(sign)
        return sign

    def ended(self, event: Event) -> Sign | None:
        """An alert recovered or was cancelled: the sign that it ends, if one stood."""
        key = alert_sign_key(event)
        sign = self.latest("alert", key)
        if sign is None and event.subject is None:
            standing = [
                s for s in self.signs if s.kind == "alert" and s.ended is None and s.first.source == event.source
            ]
            sign = standing[-1] if standing else None
        if sign is None or event.time < sign.began:
            if event.kind == "alert.resolved":
                self.orphans[key] = event.time
            return None
        if sign.ended is not None and event.time <= sign.ended:
            return None
        sign.end(event.time, cancelled=event.kind == "alert.cancelled")
        self._end_notes(event)
        return sign

    def came_back(self, key: str, since: int, until: int) -> int:
        """How often an alert of this key cleared and came back in a span of time."""
        same = [sign for sign in self.signs if sign.kind == "alert" and sign.key == key]
        times = [at for sign in same for at in (*sign.flaps, sign.came_back_at) if at is not None]
        return sum(since <= at <= until for at in times)

    def record(self, event: Event, *, production: bool) -> Sign | None:
        """An incident record is opened, updated or closed."""
        key = event.subject or event.labels.get("incident") or event.source
        sign = self.latest("record", key)
        if event.kind == "incident.opened":
            if sign is not None and sign.ended is None and event.time - sign.began < STANDS_UNTOLD:
                sign.see(event)
            else:
                sign = sign_of(event, "record", self.service, production=production)
                self.add(sign)
        if sign is None:
            return None
        if event.kind == "incident.closed":
            sign.end(event.time, cancelled=False)
            self._end_notes(event)
        if (said := event.labels.get("impact")) is not None:
            sign.said_harmless = said == "none"
        return sign

    def noted(self, note: Sign) -> bool:
        """A person's note: a sign of its own, unless it is about an alert or record that is over; whether it is one."""
        about = [self.latest(kind, note.first.subject or "") for kind in ("alert", "record")]
        if any(s.ended is not None and s.ended <= note.began for s in about if s and s.source == note.source):
            return False
        self.add(note)
        return True

    def _end_notes(self, event: Event) -> None:
        """What was noted on an alert or a record speaks of danger no longer than that stands."""
        for sign in self.signs:
            about = sign.first.subject is not None and sign.first.subject == event.subject
            if sign.kind == "note" and sign.ended is None and about and sign.first.source == event.source:
                sign.end(max(event.time, sign.began), cancelled=False)

    def add(self, sign: Sign) -> None:
        insort(self.signs, sign, key=lambda known: (known.began, known.kind, known.key))
        if len(self.signs) > MOST_SIGNS:
            over = next((known for known in self.signs if known.ended is not None), self.signs[0])
            self.signs.remove(over)

    def latest(self, kind: str, key: str) -> Sign | None:
        return next((s for s in reversed(self.signs) if s.kind == kind and s.key == key), None)

    def sign(self, kind: str, key: str, began: int) -> Sign | None:
        """The sign as it is known now; an earlier event may have moved its beginning."""
        found = [s for s in self.signs if s.kind == kind and s.key == key]
        return min(found, key=lambda s: (abs(s.began - began), s.began)) if found else None

    def standing(self, at: int) -> list[Sign]:
        """The signs that speak of danger at this moment, the oldest first."""
        return [sign for sign in self.signs if sign.began <= at <= sign.until]

    # -- changes and responses ---------------------------------------------------------------------------------

    def changed(self, event: Event) -> bool:
        """Remember a change; False where it is known already."""
        return _insert(self.changes, event, MOST_CHANGES)

    def responded(self, event: Event) -> bool:
        return _insert(self.responses, event, MOST_RESPONSES)

    def changes_before(self, act: Event) -> list[Event]:
        return self.changes[: bisect_left(self.changes, entry(act), key=entry)]

    def acts_since(self, at: int) -> list[Event]:
        return [event for event in self.changes if event.time >= at and is_act(event)]

    def _kept_changes(self, at: int) -> list[Event]:
        """What may be undone yet; and of older releases the last few of each thing, which may come back."""
        kept: list[Event] = []
        old: Counter[tuple[str | None, str | None]] = Counter()
        for event in reversed(self.changes):
            if event.time < at - UNDONE_WITHIN:
                if event.kind != "change.deployed" or version_of(event) is None or event.time < at - RAN_WITHIN:
                    continue
                old[_what_runs(event)] += 1
                if old[_what_runs(event)] > OLD_RELEASES:
                    continue
            kept.append(event)
        return kept[::-1]

    def count(self, key: str, at: int) -> None:
        if (known := self.rates.get(key)) is None:
            self.rates[key] = Rate(1.0, at)
        else:
            known.add(at, RATE_HALF_LIFE)

    # -- eviction ----------------------------------------------------------------------------------------------

    def evict(self, at: int) -> bool:
        """Drop what nothing can ask for any more; whether anything is left."""
        self.signs = [sign for sign in self.signs if _kept_until(sign) >= at]
        self.changes = self._kept_changes(at)
        self.responses = [
            event
            for event in self.responses
            if event.time >= at - (SILENCE_KEPT if event.kind == "alert.silenced" else RESPONSE_KEPT)
        ]
        self.orphans = {key: ended for key, ended in self.orphans.items() if ended >= at - ORPHANS_KEPT}
        self.rates = {key: rate for key, rate in self.rates.items() if rate.value(at, RATE_HALF_LIFE) >= FADED}
        return bool(self.signs or self.changes or self.responses or self.rates)


def _what_runs(event: Event) -> tuple[str | None, str | None]:
    return event.subject, event.environment


def sign_rate_key(severity: float) -> str:
    return "sign:grave" if severity >= GRAVE else "sign:mild"


def act_rate_key(kind: str, actor: str) -> str:
    return f"{kind}:{actor}"


def _kept_until(sign: Sign) -> int:
    if sign.deadline is not None and sign.ended is None:
        return min(sign.deadline + SIGN_KEPT, sign.began + DEADLINE_KEPT)
    if sign.ended is not None:
        return sign.ended + SIGN_KEPT
    return sign.seen_at + SIGN_KEPT + (OUTSIDE_STANDS if not sign.production else STANDS_UNTOLD)


def _insert(events: list[Event], event: Event, most: int) -> bool:
    key = entry(event)
    place = bisect_left(events, key, key=entry)
    if place < len(events) and entry(events[place]) == key:
        return False
    events.insert(place, event)
    if len(events) > most:
        del events[0]
    return True
