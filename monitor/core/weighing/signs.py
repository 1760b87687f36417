"""A sign that something was wrong, from when to when it stood: an alert, a record, a note, a failed change.

One standing of one alert is one sign, its flaps included. Times in microseconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE, Event
from monitor.core.weighing.plain_words import is_exercise, is_routine, names_surprise, names_trouble, stem

SignKind = Literal["alert", "note", "record", "failed", "change", "itself"]

ONE_ALERT_WITHIN = 30 * MINUTE
"""An alert that fires again so soon after its end is the same sign: it flaps."""
CAME_BACK_WITHIN = 2 * HOUR
STANDS_UNTOLD = 3 * DAY
"""A source may never tell an end: so long after it was last seen a sign is taken to stand."""
NOTE_STANDS = 3 * DAY
FAILED_STANDS = DAY
OUTSIDE_STANDS = DAY
"""A sign outside production still speaks for so long after it was last seen."""
MOST_FLAPS = 10
CLEARED_JUST_NOW = 2 * MINUTE
"""An act so soon after the end of an alert may still be its cause: tools tell an end late."""

SEVERITY: dict[str | None, float] = {"critical": 1.0, "high": 0.75, "warning": 0.4, "info": 0.1, None: 0.4}
"""How grave an alert says it is. Unknown counts as a warning: it is never low because nobody said."""
GRAVE = 0.7


class Sign(msgspec.Struct):
    """`seen_at`: the last moment at which the danger was seen to stand. `first`, `last`: the events that tell it."""

    kind: SignKind
    key: str
    name: str
    service: str
    began: int
    seen_at: int
    severity: float
    production: bool
    first: Event
    last: Event
    source: str
    ended: int | None = None
    cancelled: bool = False
    came_back_at: int | None = None
    flaps: list[int] = []
    said_harmless: bool = False
    routine: bool = False
    until: int = 0
    """The last moment at which it speaks of danger, as far as is known."""

    def __post_init__(self) -> None:
        self.until = self._stands_until()

    def see(self, event: Event) -> None:
        """The same danger is reported again."""
        self.seen_at = max(self.seen_at, event.time)
        self.severity = max(self.severity, severity_of(event))
        if (event.time, event.source, event.id) < (self.first.time, self.first.source, self.first.id):
            self.first, self.began = event, event.time
        elif (event.time, event.source, event.id) > (self.last.time, self.last.source, self.last.id):
            self.last = event
        self.until = self._stands_until()

    def end(self, at: int, *, cancelled: bool) -> None:
        self.ended, self.cancelled = at, cancelled
        self.until = self._stands_until()

    def reopen(self, event: Event) -> None:
        """It flaps: it was not over."""
        self.ended, self.cancelled = None, False
        if len(self.flaps) < MOST_FLAPS:
            self.flaps.append(event.time)
        self.see(event)

    def stands(self, at: int) -> bool:
        """Whether it spoke of danger at this moment."""
        return self.began <= at <= self.until

    def _stands_until(self) -> int:
        """The last moment at which it speaks of danger, as far as is known."""
        if self.kind == "note":
            until = self.began + NOTE_STANDS if self.ended is None else self.ended
        elif self.kind == "failed":
            until = self.began + FAILED_STANDS
        elif self.kind == "record":
            until = self.ended if self.ended is not None else self.began + STANDS_UNTOLD
        elif not self.production:
            until = (self.ended if self.ended is not None else self.seen_at) + OUTSIDE_STANDS
        else:
            until = self.ended + CLEARED_JUST_NOW if self.ended is not None else self.seen_at + STANDS_UNTOLD
        if self.deadline is not None and self.ended is None:
            until = max(until, self.deadline + DAY)
        return until

    @property
    def deadline(self) -> int | None:
        """When the danger comes true, where the event tells."""
        return self.first.expires_at

    @property
    def events(self) -> tuple[Event, ...]:
        same = self.first.source == self.last.source and self.first.id == self.last.id
        return (self.first,) if same else (self.first, self.last)


def severity_of(event: Event) -> float:
    return SEVERITY.get(event.severity, SEVERITY[None])


def alert_sign_key(event: Event) -> str:
    """What ties the events of one alert together on its service."""
    return event.subject or event.labels.get("alertname") or event.title or event.source


def alert_name(event: Event) -> str:
    """What an alert is called wherever it fires."""
    named = event.labels.get("alertname") or (stem(event.title, event.service or "") if event.title else None)
    return named or event.subject or event.source


def habit_key(sign: Sign) -> str:
    """The key under which such signs are counted, with or without an act."""
    name = sign.name
    if sign.kind != "alert":
        name = "trouble" if names_trouble(sign.first) or names_surprise(sign.first) else "plain"
    return f"sign\x1f{sign.kind}\x1f{name}"


def sign_of(event: Event, kind: SignKind, service: str, *, production: bool) -> Sign:
    if kind == "alert":
        key, name = alert_sign_key(event), alert_name(event)
    elif kind == "record":
        key, name = event.subject or event.labels.get("incident") or event.source, "record"
    else:
        key, name = f"{event.source}\x1f{event.id}", event.kind
    return Sign(
        kind,
        key,
        name,
        service,
        began=event.time,
        seen_at=event.time,
        severity=severity_of(event) if kind == "alert" else SEVERITY[None],
        production=production,
        first=event,
        last=event,
        source=event.source.partition("/")[0],
        routine=is_exercise(event) if kind == "alert" else is_routine(event),
    )
